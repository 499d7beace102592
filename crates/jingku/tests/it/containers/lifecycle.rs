//! Instances that the API creates, on real engines.

mod failures;
mod gpus;
mod login;
mod tenants;

use std::process::Stdio;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use compshare::Client;
use compshare::actions::{
    CreateCompShareInstanceRequest, Instance, RebootCompShareInstanceRequest,
    ReinstallCompShareInstanceRequest, ResetCompShareInstancePasswordRequest, ResizeCompShareInstanceRequest,
    StartCompShareInstanceRequest, StopCompShareInstanceRequest, TerminateCompShareInstanceRequest,
};
use jingku_engine::testing::{Kind, TestEngine};
use tokio::runtime::Runtime;

use crate::client::{block_on, client, runtime};
use crate::crash::assert_intact;
use crate::home::{Ended, Home, PATIENCE, pause, until};
use crate::server::Server;

pub(crate) use failures::FAILPOINTS;

/// What the operator allows.
pub(super) const CONFIG: &str = "[containers]\ncreate = true\ninstances_max = 12\n";
/// A server that answers on port 23 with a file of the image, for as long as the container runs, and ends when it is asked
/// to. The base image of the tests has no `chpasswd`.
const SERVER: &str =
    "trap 'exit 0' TERM; (while :; do cat /root/answer | nc -l -p 23; done) & while :; do sleep 0.1; done";
/// Writes its standard input to a file.
const CHPASSWD: &str = "printf '#!/bin/sh\\ncat > /root/password\\n' > /bin/chpasswd; chmod +x /bin/chpasswd";
/// Looks like an SSH server.
const SSHD: &str = "mkdir -p /etc/ssh; echo > /etc/ssh/sshd_config";

/// The key that signs in to instances.
const SSH_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrYnYq5kFAcWnSgqWnXKfCyvXqlmB2nTkyBvdoDmpxB lab";

/// A server that may create instances, and the image `base`.
pub(super) struct Host {
    pub(super) home: Home,
    pub(super) server: Server,
    pub(super) engine: TestEngine,
    pub(super) image: String,
    config: String,
    /// Of `client`.
    runtime: Runtime,
    /// Making one takes longer than a call.
    client: Client,
}

impl Host {
    /// `None` without that engine, which fails in CI.
    pub(super) fn start(kind: Kind) -> Option<Self> {
        let engine = match kind {
            Kind::Podman => TestEngine::start(kind),
            Kind::Docker => TestEngine::start_with_network(),
        };
        Some(Self::on(engine?, CONFIG))
    }

    /// On this engine, with this configuration.
    pub(super) fn on(engine: TestEngine, config: &str) -> Self {
        let home = Home::new();
        let config = home.file("jingku.toml", config.as_bytes());
        let server = home.serve_with(&["--engine", &engine.url(), "--config", &config], &[]);
        let client = client(&home, &server);
        let mut host =
            Self { home, server, engine, image: String::new(), config, runtime: runtime(), client };
        host.image = host.save("base", &format!("echo one > /root/answer; {CHPASSWD}; {SSHD}"));
        host
    }

    /// Saves an image of a container in which these commands ran.
    pub(super) fn save(&self, name: &str, commands: &str) -> String {
        let label = format!("jingku.instance=cpod-{name}");
        let network: &[&str] = if self.engine.kind() == Kind::Podman { &["--network=none"] } else { &[] };
        let run = ["run", "-d", "--name", name, "--label", &label];
        self.engine.run(&[&run, network, &["base", "/bin/sh", "-c", SERVER]].concat());
        self.engine.run(&["exec", name, "/bin/sh", "-c", commands]);
        until("the container is an instance", || self.row(&format!("cpod-{name}")).is_some());
        let image = self.home.make(&format!("cpod-{name}"), name);
        self.engine.run(&["rm", "-f", name]);
        image
    }

    /// Kills the server, unless it has ended, and starts another with these environment variables.
    pub(super) fn restart(&mut self, variables: &[(&str, &str)]) {
        self.server.kill();
        let args = ["--engine", &self.engine.url(), "--config", &self.config];
        self.server = self.home.serve_with(&args, variables);
        self.client = client(&self.home, &self.server);
    }

    pub(super) fn client(&self) -> Client {
        client(&self.home, &self.server)
    }

    /// The request for a small instance.
    pub(super) fn request(&self, name: &str) -> CreateCompShareInstanceRequest {
        CreateCompShareInstanceRequest {
            gpu_type: "CPU".into(),
            cpu: Some(1.into()),
            memory: Some(1024.into()),
            comp_share_image_id: self.image.as_str().into(),
            name: Some(name.into()),
            ssh_public_keys: [SSH_KEY].into(),
            ..CreateCompShareInstanceRequest::default()
        }
    }

    /// Creates an instance and waits until it runs.
    pub(super) fn create(&self, name: &str) -> String {
        self.create_as(&self.request(name))
    }

    pub(super) fn create_as(&self, request: &CreateCompShareInstanceRequest) -> String {
        let created = block_on(self.client().create_comp_share_instance(request)).unwrap();
        assert_eq!((created.instance_ids.len(), &created.ips), (1, &vec!["127.0.0.1".to_owned()]));
        let id = created.instance_ids[0].clone();
        self.until_state(&id, "Running");
        id
    }

    pub(super) fn row(&self, id: &str) -> Option<Instance> {
        let request = compshare::actions::DescribeCompShareInstanceRequest {
            instance_ids: [id].into(),
            ..Default::default()
        };
        let page = self.runtime.block_on(self.client.describe_comp_share_instance(&request)).unwrap();
        page.instances.into_iter().next()
    }

    pub(super) fn state(&self, id: &str) -> String {
        self.row(id).map(|row| row.state).unwrap_or_default()
    }

    pub(super) fn until_state(&self, id: &str, state: &str) {
        let started = std::time::Instant::now();
        loop {
            let row = self.row(id);
            if row.as_ref().is_some_and(|row| row.state == state) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not {state}: {row:?} {}", self.server.log());
            pause(started);
        }
    }

    pub(super) fn stop(&self, id: &str) -> Result<(), compshare::Error> {
        let request = StopCompShareInstanceRequest { instance_id: id.into(), ..Default::default() };
        block_on(self.client().stop_comp_share_instance(&request)).map(drop)
    }

    pub(super) fn begin_start(&self, id: &str) -> Result<(), compshare::Error> {
        let request = StartCompShareInstanceRequest { instance_id: id.into(), ..Default::default() };
        block_on(self.client().start_comp_share_instance(&request)).map(drop)
    }

    pub(super) fn reboot(&self, id: &str) -> Result<(), compshare::Error> {
        let request = RebootCompShareInstanceRequest { instance_id: id.into(), ..Default::default() };
        block_on(self.client().reboot_comp_share_instance(&request)).map(drop)
    }

    pub(super) fn terminate(&self, id: &str) -> Result<(), compshare::Error> {
        let request = TerminateCompShareInstanceRequest { instance_id: id.into(), ..Default::default() };
        block_on(self.client().terminate_comp_share_instance(&request)).map(drop)
    }

    pub(super) fn reinstall(&self, id: &str, image: &str) -> Result<(), compshare::Error> {
        let request = ReinstallCompShareInstanceRequest {
            instance_id: id.into(),
            comp_share_image_id: image.into(),
            ..Default::default()
        };
        block_on(self.client().reinstall_comp_share_instance(&request)).map(drop)
    }

    fn resize(&self, id: &str, memory_mb: i64) -> Result<(), compshare::Error> {
        let request = ResizeCompShareInstanceRequest {
            instance_id: id.into(),
            memory: Some(memory_mb.into()),
            ..Default::default()
        };
        block_on(self.client().resize_comp_share_instance(&request)).map(drop)
    }

    pub(super) fn reset_password(&self, id: &str, password: &str) -> Result<(), compshare::Error> {
        let request = ResetCompShareInstancePasswordRequest {
            instance_id: id.into(),
            password: BASE64_STANDARD.encode(password).into(),
            ..Default::default()
        };
        block_on(self.client().reset_comp_share_instance_password(&request)).map(drop)
    }

    /// Runs a command in the container of an instance.
    pub(super) fn exec(&self, id: &str, command: &str) -> String {
        self.engine.run(&["exec", id, "/bin/sh", "-c", command])
    }

    /// Asserts that the SSH server of an instance would accept the key, and no other.
    fn assert_key(&self, id: &str) {
        assert_eq!(self.exec(id, "cat /root/.ssh/authorized_keys"), SSH_KEY);
        let modes = self.exec(id, "stat -c '%a %u %g' /root/.ssh /root/.ssh/authorized_keys");
        assert_eq!(modes, "700 0 0\n600 0 0");
    }

    /// Asserts that the SSH server of an instance has a host key.
    fn assert_host_key(&self, id: &str) {
        let key = "/etc/ssh/ssh_host_ed25519_key";
        assert_eq!(self.exec(id, &format!("stat -c '%a %u %g' {key} {key}.pub")), "600 0 0\n644 0 0");
    }

    /// What the instance answers on its port 23, through the published port.
    fn answer(&self, id: &str) -> String {
        let command = self.row(id).unwrap().ssh_login_command;
        let port = command.strip_prefix("ssh -p ").and_then(|rest| rest.strip_suffix(" root@127.0.0.1"));
        let port = port.unwrap_or_else(|| panic!("{command:?}"));
        let mut answer = String::new();
        until("the instance answers", || {
            let mut client = self.engine.in_network("busybox");
            client.args(["nc", "-w", "2", "127.0.0.1", port]).stdin(Stdio::null());
            answer = Ended::of(&mut client).out;
            !answer.is_empty()
        });
        answer.trim().to_owned()
    }

    /// Asserts that the server is ready and its store intact, and that the engine has what it had before.
    pub(super) fn assert_clean(&self, place: &str) {
        let ready = self.server.readiness();
        assert!(ready.starts_with("HTTP/1.1 200 "), "{place}: {ready}");
        assert_intact(&self.home, &[], place);
        until("the engine has no container", || self.listed(&["ps", "-aq"]) == Some(0));
        until("the engine has one image", || self.listed(&["images", "-q"]) == Some(1));
    }

    /// The number of lines that a command of the engine prints. Podman fails if what it lists is removed meanwhile.
    fn listed(&self, args: &[&str]) -> Option<usize> {
        let output = self.engine.output(args);
        output
            .status
            .success()
            .then(|| output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
    }
}

fn code(result: Result<(), compshare::Error>) -> i64 {
    result.err().and_then(|error| error.ret_code()).unwrap_or(0)
}

#[test]
fn an_instance_lives_and_ends() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(host) = Host::start(kind) else { continue };
        let id = host.create("train-a");
        let row = host.row(&id).unwrap();
        assert!(id.starts_with("cpod-1") && id.len() == 17, "{id}");
        assert_eq!((&*row.name, &*row.instance_type, row.cpu, row.memory), ("train-a", "Container", 1, 1024));
        assert_eq!((&*row.comp_share_image_id, &*row.failed_reason), (&*host.image, ""));
        assert_eq!((row.ports.http_ports, row.ports.tcp_ports), (vec![8888], vec![23]));
        let password = String::from_utf8(BASE64_STANDARD.decode(&row.password).unwrap()).unwrap();
        assert_eq!(host.exec(&id, "cat /root/password"), format!("root:{password}"));
        host.assert_key(&id);
        assert_eq!(host.answer(&id), "one");
        assert_eq!(
            host.engine.run(&["inspect", "-f", "{{.HostConfig.Memory}}", &id]),
            (1_u64 << 30).to_string()
        );
        let login = row.ssh_login_command;
        assert!(login.starts_with("ssh -p 2"), "{login}");

        // What is running stays running; the same is refused.
        assert_eq!(code(host.begin_start(&id)), 8905);
        assert_eq!(code(host.terminate(&id)), 8010);
        assert_eq!(code(host.reinstall(&id, &host.image)), 8010);
        host.exec(&id, "echo two > /root/answer");
        host.reboot(&id).unwrap();
        assert_eq!(host.state(&id), "Rebooting");
        assert_eq!(code(host.stop(&id)), 8903);
        host.until_state(&id, "Running");
        assert_eq!(
            (host.answer(&id), host.row(&id).unwrap().ssh_login_command),
            ("two".to_owned(), login.clone())
        );

        host.reset_password(&id, "n3w:secret").unwrap();
        assert_eq!(host.exec(&id, "cat /root/password"), "root:n3w:secret");
        assert_eq!(host.row(&id).unwrap().password, BASE64_STANDARD.encode("n3w:secret"));
        assert_eq!(code(host.reset_password(&id, "short1")), 8314);

        host.stop(&id).unwrap();
        host.stop(&id).unwrap();
        assert_eq!(code(host.begin_start(&id)), 8903);
        host.until_state(&id, "Stopped");
        assert_eq!((code(host.stop(&id)), code(host.reboot(&id))), (8905, 8905));
        assert_eq!(code(host.reset_password(&id, "n3w:secret")), 8433);
        assert_eq!(host.row(&id).unwrap().ssh_login_command, "");

        // Podman 4 cannot do that. The instance starts with the size that it has, either way.
        host.resize(&id, 2048).unwrap();
        until("the resize ended", || host.state(&id) == "Stopped");
        let row = host.row(&id).unwrap();
        let (memory, reason) = match kind {
            Kind::Podman => (1024, "cannot do this with an existing container"),
            Kind::Docker => (2048, ""),
        };
        assert_eq!((row.cpu, row.memory), (1, memory), "{kind:?}");
        assert!(row.failed_reason.contains(reason), "{kind:?}: {}", row.failed_reason);
        host.begin_start(&id).unwrap();
        host.until_state(&id, "Running");
        assert_eq!(
            host.engine.run(&["inspect", "-f", "{{.HostConfig.Memory}}", &id]),
            (memory << 20).to_string()
        );
        assert_eq!(
            (host.answer(&id), host.row(&id).unwrap().ssh_login_command),
            ("two".to_owned(), login.clone())
        );

        // The image has a key of another person.
        let next = host.save(
            "next",
            &format!("echo three > /root/answer; mkdir /root/.ssh; echo key > /root/.ssh/authorized_keys; {CHPASSWD}"),
        );
        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        host.reinstall(&id, &next).unwrap();
        assert_eq!(host.state(&id), "Initializing");
        host.until_state(&id, "Running");
        let row = host.row(&id).unwrap();
        assert_eq!((&*row.comp_share_image_id, row.ssh_login_command), (&*next, login));
        assert_eq!(row.password, BASE64_STANDARD.encode("n3w:secret"));
        assert_eq!(host.exec(&id, "cat /root/password"), "root:n3w:secret");
        host.assert_key(&id);
        assert_eq!(host.answer(&id), "three");

        host.stop(&id).unwrap();
        host.until_state(&id, "Stopped");
        host.terminate(&id).unwrap();
        assert!(host.row(&id).is_none());
        assert_eq!(code(host.terminate(&id)), 8039);
        host.assert_clean("the instance ended");
    }
}
