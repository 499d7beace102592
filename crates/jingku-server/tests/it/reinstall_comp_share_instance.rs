use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::{Operation, PodState};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, SSH_KEY, Service, creating};

const REINSTALL: Action = Action::ReinstallCompShareInstance;

#[tokio::test]
async fn a_stopped_instance_gets_another_image() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    let row = async || {
        let reply = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
        reply["UHostSet"][0].clone()
    };
    let before = row().await;
    let next = service.container_image("next").await;
    let params = [("UHostId", &*id), ("CompShareImageId", &next)];
    assert_eq!(caller.ok(REINSTALL, &params).await["UHostId"], id);
    let after = row().await;
    assert_eq!(
        (&after["State"], &after["CompShareImageId"]),
        (&"Initializing".into(), &next.as_str().into())
    );
    assert_eq!((&after["Password"], &after["Ports"]), (&before["Password"], &before["Ports"]));

    service.end_operation(&id, Operation::Reinstall, PodState::Stopped).await;
    let password = BASE64_STANDARD.encode("n3w-secret");
    let params = [("UHostId", &*id), ("CompShareImageId", &next), ("Password", &password)];
    caller.ok(REINSTALL, &params).await;
    assert_eq!(row().await["Password"], password);

    service.end_operation(&id, Operation::Reinstall, PodState::Stopped).await;
    let keys = [("LoginMode", "KeyPair"), ("SshPublicKeys.0", SSH_KEY)];
    caller.ok(REINSTALL, &[&params[..2], &keys].concat()).await;
    assert_eq!(row().await["Password"], "");
    let kept = service.catalog().await.pod_ssh_keys(&id).await.unwrap();
    assert_eq!(kept, Some(format!("{SSH_KEY}\n")));
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    let id = service.pod_in(PodState::Running).await;
    let image = service.container_image("next").await;
    caller.assert_refused(REINSTALL, &[("UHostId", &id)], 210, "Missing params [CompShareImageId]").await;
    let with = |image| [("UHostId", &*id), ("CompShareImageId", image)];
    let running = format!("UHost [{id}] is not stopped: Running");
    caller.assert_refused(REINSTALL, &with(&image), 8010, &running).await;
    let not_available = "Params [CompShareImageId] not available";
    caller.assert_refused(REINSTALL, &with("compshareImage-none"), 230, not_available).await;
    // The image of a disk.
    let disk = service.make(INSTANCE, "disk").await;
    caller.assert_refused(REINSTALL, &with(&disk), 230, not_available).await;
    let password = [("UHostId", &*id), ("CompShareImageId", &image), ("Password", "plain")];
    assert_eq!(caller.refusal(REINSTALL, &password).await.0, 8314);
    let keys = [("UHostId", &*id), ("CompShareImageId", &image), ("SshPublicKeys.0", "key")];
    caller.assert_refused(REINSTALL, &keys, 230, "Params [SshPublicKeys] not available").await;
    caller.assert_place_is_checked(REINSTALL, &with(&image)).await;
}
