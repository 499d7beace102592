use jingku_catalog::PodState;
use jingku_protocol::actions::Action;

use crate::support::{NOW, Service, creating};
use crate::update_comp_share_stop_scheduler::row;

const CANCEL: Action = Action::DeleteCompShareStopScheduler;

#[tokio::test]
async fn a_time_is_cancelled_as_often_as_asked() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let time = (NOW + 600).to_string();
    let set = [("UHostId", &*id), ("SchedulerStopTime", &time)];
    caller.ok(Action::UpdateCompShareStopScheduler, &set).await;
    for _ in 0..2 {
        assert_eq!(caller.ok(CANCEL, &[("Region", "cn-wlcb"), ("UHostId", &id)]).await["UHostId"], id);
        assert_eq!(row(&caller, &id).await["SchedulerStopTime"], 0);
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    caller.assert_refused(CANCEL, &[], 210, "Missing params [UHostId]").await;
    caller.assert_refused(CANCEL, &[("UHostId", "none")], 8039, "Resource not exist [none]").await;
    caller.assert_place_is_checked(CANCEL, &[("UHostId", &id)]).await;
}
