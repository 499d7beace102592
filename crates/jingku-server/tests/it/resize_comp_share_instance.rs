use jingku_catalog::{Operation, PodState};
use jingku_library::HostSettings;
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const RESIZE: Action = Action::ResizeCompShareInstance;

/// A server on a machine with eight cores and 16 GB.
async fn large() -> Service {
    let mut config = creating();
    config.containers.host =
        HostSettings { cpus: Some(8), memory: Some("16GB".parse().unwrap()), ..HostSettings::default() };
    Service::with(config).await
}

#[tokio::test]
async fn a_stopped_instance_gets_another_size() {
    let service = large().await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    for (params, cpus, memory) in [
        (vec![("Cpu", "4"), ("Memory", "8192"), ("Gpu", "1")], 4, 8192),
        (vec![("CPU", "8")], 8, 8192),
        (vec![("Memory", "2048"), ("GPU", "1")], 8, 2048),
    ] {
        let params = [&[("UHostId", &*id)], &params[..]].concat();
        for _ in 0..2 {
            assert_eq!(caller.ok(RESIZE, &params).await["UHostId"], id);
            assert_eq!(service.pod_state(&id).await.unwrap(), "Resizing");
        }
        service.end_operation(&id, Operation::Resize, PodState::Stopped).await;
        let reply = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
        let row = &reply["UHostSet"][0];
        assert_eq!((&row["CPU"], &row["Memory"], &row["GPU"]), (&cpus.into(), &memory.into(), &1.into()));
        assert_eq!(row["State"], "Stopped");
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = large().await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id = ("UHostId", &*id);
    let not_stopped = format!("UHost [{}] is not stopped: Running", id.1);
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![id], 210, "Missing params [Cpu|Memory|Gpu]"),
        (vec![id, ("Cpu", "9")], 230, "Params [CPU] not available"),
        (vec![id, ("Memory", "1000")], 230, "Params [Memory] not available"),
        (vec![id, ("Memory", "17408")], 230, "Params [Memory] not available"),
        (vec![id, ("Gpu", "2")], 230, "Params [GPU] not available"),
        (vec![id, ("Gpu", "0")], 230, "Params [GPU] not available"),
        (vec![id, ("DiskId", "d-1"), ("DiskSpace", "200")], 230, "Params [DiskId] not available"),
        (vec![id, ("Cpu", "2"), ("DiskSpace", "200")], 230, "Params [DiskSpace] not available"),
        (vec![("UHostId", "none"), ("Cpu", "2")], 8039, "Resource not exist [none]"),
        (vec![id, ("Cpu", "2")], 8010, &not_stopped),
    ] {
        caller.assert_refused(RESIZE, &params, code, message).await;
    }
    caller.assert_place_is_checked(RESIZE, &[id, ("Cpu", "2")]).await;
    caller.ok(Action::StopCompShareInstance, &[id]).await;
    let busy = format!("UHost [{}] has another operation in progress; retry shortly", id.1);
    caller.assert_refused(RESIZE, &[id, ("Cpu", "2")], 8903, &busy).await;
}
