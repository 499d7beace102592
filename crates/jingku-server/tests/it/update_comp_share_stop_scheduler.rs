use jingku_catalog::PodState;
use jingku_protocol::actions::Action;
use serde_json::Value;

use crate::support::{Caller, NOW, Service, creating, wait_until};

const SCHEDULE: Action = Action::UpdateCompShareStopScheduler;

pub(crate) async fn row(caller: &Caller, id: &str) -> Value {
    caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", id)]).await["UHostSet"][0].clone()
}

#[tokio::test]
async fn an_instance_stops_at_its_time() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    // The official CLI has one name, the SDKs another.
    for (name, ahead) in [("StopTime", 400), ("SchedulerStopTime", 300), ("SchedulerStopTime", 300)] {
        let time = (NOW + ahead).to_string();
        assert_eq!(caller.ok(SCHEDULE, &[("UHostId", &id), (name, &time)]).await["UHostId"], id);
        let row = row(&caller, &id).await;
        assert_eq!(
            (&row["SchedulerStopTime"], &row["StopSchedulerTime"]),
            (&(NOW + ahead).into(), &(NOW + ahead).into())
        );
    }
    let workers = service.start_workers().await;
    service.clock.set(NOW + 299);
    service.context.library.pods.wake.notify_one();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Running");
    service.clock.set(NOW + 300);
    service.context.library.pods.wake.notify_one();
    wait_until("the instance stops", async || service.pod_state(&id).await.unwrap() == "Stopping").await;
    wait_until("the time is forgotten", async || row(&caller, &id).await["SchedulerStopTime"] == 0).await;
    workers.stop().await;
}

#[tokio::test]
async fn a_time_that_passes_while_the_instance_is_stopped_is_forgotten() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let time = (NOW + 300).to_string();
    caller.ok(SCHEDULE, &[("UHostId", &id), ("SchedulerStopTime", &time)]).await;
    caller.ok(Action::StopCompShareInstance, &[("UHostId", &id)]).await;
    service.end_operation(&id, jingku_catalog::Operation::Stop, PodState::Stopped).await;
    service.clock.set(NOW + 1000);
    let workers = service.start_workers().await;
    wait_until("the time is forgotten", async || row(&caller, &id).await["SchedulerStopTime"] == 0).await;
    assert_eq!(service.pod_state(&id).await.unwrap(), "Stopped");
    workers.stop().await;
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id = ("UHostId", &*id);
    let (soon, later) = ((NOW + 299).to_string(), (NOW + 300).to_string());
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![id], 210, "Missing params [SchedulerStopTime]"),
        (vec![id, ("SchedulerStopTime", &*soon)], 230, "Params [SchedulerStopTime] not available"),
        (vec![id, ("SchedulerStopTime", "253402300800")], 230, "Params [SchedulerStopTime] not available"),
        (vec![id, ("SchedulerStopTime", "tomorrow")], 230, "Params [SchedulerStopTime] not available"),
        (vec![("UHostId", "none"), ("SchedulerStopTime", &later)], 8039, "Resource not exist [none]"),
    ] {
        caller.assert_refused(SCHEDULE, &params, code, message).await;
    }
    caller.assert_place_is_checked(SCHEDULE, &[id, ("SchedulerStopTime", &later)]).await;
}

#[tokio::test]
async fn only_a_running_instance_that_is_not_spot_has_a_time() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    let later = (NOW + 300).to_string();
    let id = service.pod_in(PodState::Running).await;
    caller.ok(Action::SwitchChargeType, &[("UHostId", &id), ("DestChargeType", "Spot")]).await;
    let params = [("UHostId", &*id), ("SchedulerStopTime", &later)];
    let message = |state: &str| format!("UHost [{id}] power state is not available: {state}");
    caller.assert_refused(SCHEDULE, &params, 8905, &message("Running")).await;
    caller.ok(Action::SwitchChargeType, &[("UHostId", &id), ("DestChargeType", "Day")]).await;
    caller.ok(Action::StopCompShareInstance, &[("UHostId", &id)]).await;
    caller.assert_refused(SCHEDULE, &params, 8905, &message("Stopping")).await;
}
