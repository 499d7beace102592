use jingku_catalog::{Operation, PodState};
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const STOP: Action = Action::StopCompShareInstance;

#[tokio::test]
async fn a_running_instance_stops() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    for _ in 0..2 {
        assert_eq!(caller.ok(STOP, &[("UHostId", &id), ("Force", "true")]).await["UHostId"], id);
        assert_eq!(service.pod_state(&id).await.unwrap(), "Stopping");
    }
    service.end_operation(&id, Operation::Stop, PodState::Stopped).await;
    let stopped = format!("UHost [{id}] power state is not available: Stopped");
    caller.assert_refused(STOP, &[("UHostId", &id)], 8905, &stopped).await;
}

/// Clients stop such instances to delete them.
#[tokio::test]
async fn a_stuck_or_failed_instance_stops() {
    let service = Service::with(creating()).await;
    let (caller, image) = (service.caller(), service.container_image("base").await);
    let id = service.new_pod(&image).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Initializing");
    caller.ok(STOP, &[("UHostId", &id)]).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Stopping");
    service.end_operation(&id, Operation::Stop, PodState::InstallFail).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Install Fail");
    caller.ok(STOP, &[("UHostId", &id)]).await;
}

#[tokio::test]
async fn an_instance_whose_image_is_being_made_is_busy() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    caller.create(&id, "mine").await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "ImageMaking");
    let making = format!("UHost [{id}] is making image");
    caller.assert_refused(STOP, &[("UHostId", &id)], 8964, &making).await;
}

#[tokio::test]
async fn no_image_is_made_while_an_operation_runs() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    caller.ok(STOP, &[("UHostId", &id)]).await;
    let busy = format!("UHost [{id}] has another operation in progress; retry shortly");
    let create = [("UHostId", &*id), ("Name", "mine")];
    caller.assert_refused(Action::CreateCompShareCustomImage, &create, 8903, &busy).await;
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    caller.assert_refused(STOP, &[], 210, "Missing params [UHostId]").await;
    caller.assert_refused(STOP, &[("UHostId", "cpod-none")], 8039, "Resource not exist [cpod-none]").await;
    let force = [("UHostId", "cpod-none"), ("Force", "maybe")];
    caller.assert_refused(STOP, &force, 230, "Params [Force] not available").await;
    let id = service.pod_in(PodState::Running).await;
    caller.assert_place_is_checked(STOP, &[("UHostId", &id)]).await;
}
