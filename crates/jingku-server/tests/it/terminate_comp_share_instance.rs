use jingku_catalog::PodState;
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const TERMINATE: Action = Action::TerminateCompShareInstance;

#[tokio::test]
async fn an_instance_is_gone_with_the_answer() {
    for state in [PodState::Stopped, PodState::InstallFail] {
        let service = Service::with(creating()).await;
        let (caller, id) = (service.caller(), service.pod_in(state).await);
        let reply = caller.ok(TERMINATE, &[("UHostId", &id), ("ReleaseUDisk", "true")]).await;
        assert_eq!((&reply["UHostId"], &reply["InRecycle"]), (&id.as_str().into(), &"No".into()));
        assert_eq!(service.pod_state(&id).await, None);
        let gone = format!("Resource not exist [{id}]");
        caller.assert_refused(TERMINATE, &[("UHostId", &id)], 8039, &gone).await;
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    caller.assert_refused(TERMINATE, &[], 210, "Missing params [UHostId]").await;
    let id = service.pod_in(PodState::Running).await;
    let running = format!("UHost [{id}] is not stopped: Running");
    caller.assert_refused(TERMINATE, &[("UHostId", &id)], 8010, &running).await;
    caller.assert_place_is_checked(TERMINATE, &[("UHostId", &id)]).await;
}
