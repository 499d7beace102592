use jingku_catalog::{Operation, PodState};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, Service, creating};

const START: Action = Action::StartCompShareInstance;

#[tokio::test]
async fn a_stopped_instance_starts() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    let reply = caller.ok(START, &[("UHostId", &id)]).await;
    assert_eq!(reply["UHostId"], id);
    assert_eq!(service.pod_state(&id).await.unwrap(), "Starting");
    // The same again does not begin twice; another operation waits.
    caller.ok(START, &[("UHostId", &id)]).await;
    let busy = format!("UHost [{id}] has another operation in progress; retry shortly");
    caller.assert_refused(Action::StopCompShareInstance, &[("UHostId", &id)], 8903, &busy).await;
    service.end_operation(&id, Operation::Start, PodState::Running).await;
    let running = format!("UHost [{id}] power state is not available: Running");
    caller.assert_refused(START, &[("UHostId", &id)], 8905, &running).await;
}

#[tokio::test]
async fn without_gpus_an_instance_has_less() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    let row = async || {
        let reply = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
        reply["UHostSet"][0].clone()
    };
    for (params, gpus) in [
        (("WithoutGpuSpec", "A"), 0),
        (("WithoutGpuSpec", "B"), 0),
        (("WithoutGpu", "true"), 0),
        (("WithoutGpu", "__probe__"), 1),
        (("WithoutGpuSpec", "C"), 1),
        (("Zone", ""), 1),
    ] {
        caller.ok(START, &[("UHostId", &id), params]).await;
        // It never has more than it was created with.
        let row = row().await;
        assert_eq!((&row["GPU"], &row["CPU"]), (&gpus.into(), &1.into()), "{params:?}");
        service.end_operation(&id, Operation::Start, PodState::Stopped).await;
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    caller.assert_refused(START, &[], 210, "Missing params [UHostId]").await;
    caller.assert_refused(START, &[("UHostId", "cpod-none")], 8039, "Resource not exist [cpod-none]").await;
    let text = format!(
        "UHost [{INSTANCE}] power state is not available: only instances that were created through the API can be changed"
    );
    caller.assert_refused(START, &[("UHostId", INSTANCE)], 8905, &text).await;
    let id = service.pod_in(PodState::InstallFail).await;
    let failed = format!("UHost [{id}] power state is not available: Install Fail");
    caller.assert_refused(START, &[("UHostId", &id)], 8905, &failed).await;
    caller.assert_place_is_checked(START, &[("UHostId", &id)]).await;
}

#[tokio::test]
async fn the_operator_must_allow_it() {
    let service = Service::start().await;
    let text = "This server does not create or change instances; its operator allows it with `create = true` in the \
                section [containers] of the configuration file";
    service.caller().assert_refused(START, &[("UHostId", INSTANCE)], 299, text).await;
}
