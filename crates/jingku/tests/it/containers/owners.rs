//! Whose container it is: labels and the configuration decide.

use compshare::actions::DescribeCompShareInstanceRequest;
use jingku_engine::testing::{Kind, TestEngine};

use crate::client::{block_on, client_with};
use crate::disk;
use crate::home::{Ended, Home, until};
use crate::server::Server;

/// The configuration: a container without labels.
const NAMED: &str = "[[containers.instances]]\ncontainer = 'plain'\nid = 'cpod-plain'\naccount = 2\n";

/// What is not to be an instance: arguments of the container, and what the log says about it.
const IGNORED: [(&[&str], &str); 6] = [
    (&["--label", "jingku.instance=cpod-lost", "--label", "jingku.account=99"], "its account does not exist"),
    (&["--label", "jingku.instance=uhost-1"], "its instance ID is in use"),
    (&["--label", "jingku.instance=cpod-1"], "its instance ID is in use"),
    (&["--label", "jingku.instance=cpod-1", "--label", "jingku.account=2"], "its instance ID is in use"),
    (&["--label", "jingku.instance=cpod-odd", "--label", "jingku.account=two"], "its labels are not valid"),
    (&["--label", "jingku.instance=no/id"], "its labels are not valid"),
];

/// A key pair of an account.
struct Tenant<'a> {
    home: &'a Home,
    server: &'a Server,
    keys: [String; 2],
}

impl Tenant<'_> {
    fn run(&self, args: &[&str]) -> Ended {
        let [public, private] = &self.keys;
        let keys = ["--base-url", &self.server.base_url, "--public-key", public, "--private-key", private];
        self.home.run(&[args, &keys].concat())
    }

    /// Ids of the instances that the API lists.
    fn instances(&self) -> Vec<String> {
        let client = client_with(self.server, &self.keys[0], &self.keys[1]);
        let request = DescribeCompShareInstanceRequest::default();
        let page = block_on(client.describe_comp_share_instance(&request)).unwrap();
        let mut ids: Vec<String> = page.instances.into_iter().map(|instance| instance.id).collect();
        ids.sort();
        ids
    }
}

#[test]
fn a_tenant_reaches_only_its_own_containers() {
    let Some(engine) = TestEngine::start(Kind::Podman) else { return };
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let lab = home.json(&["account", "create", "lab"]);
    engine.container(&["--name", "one", "--label", "jingku.instance=cpod-1"]);
    engine.container(&["--name", "two", "--label", "jingku.instance=cpod-2", "--label", "jingku.account=2"]);
    engine.container(&["--name", "plain"]);
    engine.container(&["--name", "nobody"]);
    let config = home.file("jingku.toml", NAMED.as_bytes());
    let server = home.serve_with(&["--engine", &engine.url(), "--config", &config], &[]);
    let key = |name: &str| lab[name].as_str().unwrap().to_owned();
    let tenants = [home.key_pair(), [key("PublicKey"), key("PrivateKey")]];
    let [one, two] = tenants.map(|keys| Tenant { home: &home, server: &server, keys });
    until("containers are instances", || one.instances().len() == 2 && two.instances().len() == 2);

    for (number, (args, _)) in IGNORED.iter().enumerate() {
        let name = format!("ignored-{number}");
        engine.container(&[&["--name", &name][..], args].concat());
    }
    let warnings = |number: usize| -> Vec<String> {
        let (log, name) = (server.log(), format!("ignored-{number}"));
        log.lines().filter(|line| line.contains(&name)).map(str::to_owned).collect()
    };
    for (number, (_, words)) in IGNORED.iter().enumerate() {
        until("the container is ignored with a warning", || {
            warnings(number).iter().any(|line| line.contains(*words))
        });
    }
    assert_eq!(one.instances(), ["cpod-1", "uhost-1"]);
    assert_eq!(two.instances(), ["cpod-2", "cpod-plain"]);

    // The id of another tenant's container does not exist, and neither does its image.
    let create = |tenant: &Tenant<'_>, id: &str| {
        tenant.run(&["image", "create", "--instance", id, "--name", id, "--wait"])
    };
    create(&one, "cpod-2").failed(3, &["cpod-2"]);
    create(&two, "cpod-1").failed(3, &["cpod-1"]);
    create(&two, "cpod-none").failed(3, &["cpod-none"]);
    create(&two, "cpod-2").succeeded();
    create(&two, "cpod-plain").succeeded();
    assert_eq!(one.run(&["image", "list", "--json"]).succeeded().out.matches("CompShareImageId").count(), 0);

    // The engine was asked several times since.
    for number in 0..IGNORED.len() {
        assert_eq!(warnings(number).len(), 1, "{}", server.log());
    }
    assert_eq!(one.instances(), ["cpod-1", "uhost-1"]);
}
