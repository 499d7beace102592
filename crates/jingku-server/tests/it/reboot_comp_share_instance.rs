use jingku_catalog::{Operation, PodState};
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const REBOOT: Action = Action::RebootCompShareInstance;

/// The official CLI waits for `Running` and would take an unchanged row for the end.
#[tokio::test]
async fn a_running_instance_shows_at_once_that_it_reboots() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    for _ in 0..2 {
        assert_eq!(caller.ok(REBOOT, &[("UHostId", &id)]).await["UHostId"], id);
        assert_eq!(service.pod_state(&id).await.unwrap(), "Rebooting");
    }
    service.end_operation(&id, Operation::Reboot, PodState::Running).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Running");
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    caller.assert_refused(REBOOT, &[], 210, "Missing params [UHostId]").await;
    caller.assert_refused(REBOOT, &[("UHostId", "cpod-none")], 8039, "Resource not exist [cpod-none]").await;
    let id = service.pod_in(PodState::Stopped).await;
    let stopped = format!("UHost [{id}] power state is not available: Stopped");
    caller.assert_refused(REBOOT, &[("UHostId", &id)], 8905, &stopped).await;
    caller.assert_place_is_checked(REBOOT, &[("UHostId", &id)]).await;
}
