//! Several accounts, and requests that are refused.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use compshare::actions::{
    CreateCompShareInstanceRequest, DescribeCompShareInstanceRequest, StopCompShareInstanceRequest,
};
use jingku_engine::testing::Kind;

use super::{Host, code};
use crate::client::{block_on, client_with};
use crate::home::until;

#[test]
fn an_account_reaches_only_its_own_instances() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let id = host.create("mine");
    let lab = host.home.json(&["account", "create", "lab"]);
    let key = |name: &str| lab[name].as_str().unwrap().to_owned();
    let other = client_with(&host.server, &key("PublicKey"), &key("PrivateKey"));
    let stop = StopCompShareInstanceRequest { instance_id: id.as_str().into(), ..Default::default() };
    let refused = block_on(other.stop_comp_share_instance(&stop)).unwrap_err();
    assert_eq!(refused.ret_code(), Some(8039));
    let list = || {
        let request = DescribeCompShareInstanceRequest::default();
        block_on(other.describe_comp_share_instance(&request)).unwrap().instances
    };
    assert!(list().is_empty());

    // Nor does it reach the image, until that is shared.
    let refused = block_on(other.create_comp_share_instance(&host.request("theirs"))).unwrap_err();
    assert_eq!(refused.ret_code(), Some(230));
    let share = compshare::actions::ModifyCompShareImageShareAccountRequest {
        image_id: host.image.as_str().into(),
        add_accounts: [2].into(),
        ..Default::default()
    };
    block_on(host.client().modify_comp_share_image_share_account(&share)).unwrap();
    let created = block_on(other.create_comp_share_instance(&host.request("theirs"))).unwrap();
    let theirs = &created.instance_ids[0];
    assert!(host.row(theirs).is_none());
    until("the other instance runs", || list().iter().any(|row| row.state == "Running"));
    assert_eq!(code(host.stop(theirs)), 8039);
    let label = "{{index .Config.Labels \"jingku.account\"}}";
    assert_eq!(host.engine.run(&["inspect", "-f", label, theirs]), "2");
}

#[test]
fn requests_that_do_not_fit_create_nothing() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let good = host.request("good");
    let base64 = |text: &str| Some(BASE64_STANDARD.encode(text).into());
    let cases: Vec<(i64, CreateCompShareInstanceRequest)> = vec![
        (230, CreateCompShareInstanceRequest { gpu_type: "4090".into(), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { cpu: Some(4096.into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { memory: Some(16.into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { memory: Some((1 << 30).into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { gpu: Some(2.into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { max_count: Some(11.into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { name: Some("a b".into()), ..good.clone() }),
        (230, CreateCompShareInstanceRequest { comp_share_image_id: "../../etc".into(), ..good.clone() }),
        (8314, CreateCompShareInstanceRequest { password: Some("not base64!".into()), ..good.clone() }),
        (8314, CreateCompShareInstanceRequest { password: Some("Passw0rd".into()), ..good.clone() }),
        (8314, CreateCompShareInstanceRequest { password: base64("Passw0rd\nroot:x"), ..good.clone() }),
    ];
    for (expected, request) in cases {
        let refused = block_on(host.client().create_comp_share_instance(&request)).unwrap_err();
        assert_eq!(refused.ret_code(), Some(expected), "{request:?}: {refused}");
    }
    assert_eq!(host.engine.run(&["ps", "-aq"]), "");
}

#[test]
fn ten_instances_are_created_at_once() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let many = CreateCompShareInstanceRequest { max_count: Some(5.into()), ..host.request("many") };
    let host = &host;
    let ids: Vec<String> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| block_on(host.client().create_comp_share_instance(&host.request("one"))));
        let mut begun: Vec<_> = (0..5).map(|_| one()).collect();
        begun.push(scope.spawn(|| block_on(host.client().create_comp_share_instance(&many))));
        begun.into_iter().flat_map(|begun| begun.join().unwrap().unwrap().instance_ids).collect()
    });
    assert_eq!(ids.len(), 10);
    // The limit of the account is 12.
    let refused = block_on(host.client().create_comp_share_instance(&many)).unwrap_err();
    assert_eq!(refused.ret_code(), Some(8095));
    let mut logins = BTreeSet::new();
    for id in &ids {
        host.until_state(id, "Running");
        logins.insert(host.row(id).unwrap().ssh_login_command);
    }
    assert_eq!(logins.len(), 10);
    // One image was loaded for all of them.
    assert_eq!(host.engine.run(&["images", "-q"]).lines().count(), 2);
}

/// The engine loses an image with the last instance that needs it.
#[test]
fn an_image_stays_for_an_instance_that_is_created_while_another_is_removed() {
    let Some(host) = Host::start(Kind::Podman) else { return };
    let mut last = host.create("first");
    for _ in 0..4 {
        host.stop(&last).unwrap();
        host.until_state(&last, "Stopped");
        host.terminate(&last).unwrap();
        last = host.create("next");
    }
}
