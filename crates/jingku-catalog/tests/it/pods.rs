use jingku_catalog::{
    AccountId, BeginOperation, Catalog, CreateImage, CreatePods, NewHost, NewInstance, NewLogin,
    NewOperation, NewPod, Operation, OperationEnd, PodPort, PodState, PortKind, RegisterHost, RemoveInstance,
    SeenPod,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, create, lab, make};

on_every_engine!(
    a_pod_is_an_instance,
    a_pod_has_one_operation,
    an_operation_is_refused_in_other_states,
    a_stop_takes_the_place_of_a_creation,
    pods_are_created_all_or_none,
    a_terminated_pod_is_no_instance,
    pods_of_a_forgotten_server_have_no_ports,
    a_gpu_is_used_by_one_running_pod,
    a_reinstalled_pod_counts_for_its_new_image,
    what_the_engine_says_does_not_end_an_operation,
    ports_belong_to_one_pod,
    ssh_keys_stay_until_others_are_given,
);

fn port(id: &str, host_port: i64) -> PodPort {
    PodPort { host_port, instance_id: id.to_owned(), kind: PortKind::Tcp, port: 23 }
}

fn pod<'a>(id: &'a str, owner: AccountId, devices: &'a [String], ports: &'a [PodPort]) -> NewPod<'a> {
    NewPod {
        instance: NewInstance {
            id,
            account: owner,
            name: "host",
            region: "cn-wlcb",
            zone: "cn-wlcb-01",
            disk: "{}",
            size_bytes: 0,
            gpu_type: "4090",
            container: Some("{}"),
        },
        options: "{}",
        remark: "mine",
        password: "sealed",
        ssh_keys: "",
        cpu: 2,
        memory_mb: 4096,
        gpus: i64::try_from(devices.len()).unwrap(),
        devices,
        disk_gb: 100,
        charge_type: "Postpay",
        ports,
    }
}

fn operation(owner: AccountId, operation: Operation, allowed: &[PodState]) -> NewOperation<'_> {
    NewOperation {
        account: owner,
        id: "cpod-1",
        operation,
        allowed,
        replaces: &[],
        options: "",
        without_gpu: None,
    }
}

fn end(state: PodState) -> OperationEnd<'static> {
    OperationEnd { state, failed_reason: "", container: Some(r#"{"a":1}"#), disk: None }
}

/// Creates the account "lab" with the image `image-base` and, from it, the running pod `cpod-1`.
async fn running(catalog: &Catalog) -> AccountId {
    let owner = lab(catalog).await;
    make(catalog, owner, "base", "vm", NOW).await;
    let ports = [port("cpod-1", 20_000)];
    let created = catalog.create_pods(&[pod("cpod-1", owner, &[], &ports)], "image-base", 9, NOW).await;
    assert_eq!(created.unwrap(), CreatePods::Created);
    assert!(
        catalog.end_operation("cpod-1", Operation::Create, end(PodState::Running), NOW + 1).await.unwrap()
    );
    owner
}

async fn a_pod_is_an_instance(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let row = catalog.instance(Some(owner), "cpod-1").await.unwrap().unwrap();
    let pod = row.pod.unwrap();
    assert_eq!((pod.state, pod.operation, pod.since), (PodState::Running, None, NOW + 1));
    assert_eq!((&*pod.remark, &*pod.password, pod.password_pending), ("mine", "sealed", true));
    assert_eq!((pod.started_at, pod.stopped_at, &*pod.charge_type), (NOW + 1, 0, "Postpay"));
    assert_eq!(
        (row.container.as_deref(), row.started_from.unwrap().image_id.as_str()),
        (Some(r#"{"a":1}"#), "image-base")
    );
    assert_eq!(catalog.instance(Some(owner), "vm").await.unwrap().unwrap().pod, None);
    assert_eq!(catalog.pod("cpod-1").await.unwrap().unwrap().cpu, 2);
    let known = catalog.containers().await.unwrap();
    assert_eq!((known.len(), known[0].pod.is_some()), (1, true));
    let other = account(&catalog, "other").await.id;
    assert!(catalog.instance(Some(other), "cpod-1").await.unwrap().is_none());
}

async fn a_pod_has_one_operation(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let stop = operation(owner, Operation::Stop, &[PodState::Running]);
    assert_eq!(catalog.begin_operation(stop, NOW + 2).await.unwrap(), BeginOperation::Begun);
    assert_eq!(catalog.begin_operation(stop, NOW + 3).await.unwrap(), BeginOperation::Runs);
    let reboot = operation(owner, Operation::Reboot, &[PodState::Running]);
    assert_eq!(catalog.begin_operation(reboot, NOW + 3).await.unwrap(), BeginOperation::Busy);
    let busy = catalog.busy_pods().await.unwrap();
    assert_eq!((busy.len(), busy[0].operation, busy[0].since), (1, Some(Operation::Stop), NOW + 2));
    assert_eq!(create(&catalog, owner, "meanwhile", "cpod-1").await, CreateImage::OperationRuns);
    assert!(
        !catalog.end_operation("cpod-1", Operation::Reboot, end(PodState::Running), NOW + 4).await.unwrap()
    );
    assert!(catalog.end_operation("cpod-1", Operation::Stop, end(PodState::Stopped), NOW + 4).await.unwrap());
    let pod = catalog.pod("cpod-1").await.unwrap().unwrap();
    assert_eq!((pod.state, pod.operation, pod.stopped_at), (PodState::Stopped, None, NOW + 4));
    assert_eq!(
        catalog.begin_operation(stop, NOW + 5).await.unwrap(),
        BeginOperation::NotAllowed(PodState::Stopped)
    );
}

async fn an_operation_is_refused_in_other_states(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let start = operation(owner, Operation::Start, &[PodState::Stopped]);
    assert_eq!(
        catalog.begin_operation(start, NOW).await.unwrap(),
        BeginOperation::NotAllowed(PodState::Running)
    );
    assert_eq!(
        catalog.terminate_pod(owner, "cpod-1", NOW).await.unwrap(),
        BeginOperation::NotAllowed(PodState::Running)
    );
    let other = account(&catalog, "other").await.id;
    let foreign = operation(other, Operation::Stop, &[PodState::Running]);
    assert_eq!(catalog.begin_operation(foreign, NOW).await.unwrap(), BeginOperation::NotFound);
    assert_eq!(catalog.terminate_pod(other, "cpod-1", NOW).await.unwrap(), BeginOperation::NotFound);
    create(&catalog, owner, "making", "cpod-1").await;
    let stop = operation(owner, Operation::Stop, &[PodState::Running]);
    assert_eq!(catalog.begin_operation(stop, NOW).await.unwrap(), BeginOperation::MakingImage);
}

async fn a_stop_takes_the_place_of_a_creation(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "base", "vm", NOW).await;
    catalog.create_pods(&[pod("cpod-1", owner, &[], &[])], "image-base", 9, NOW).await.unwrap();
    let stop = NewOperation { replaces: &[Operation::Create], ..operation(owner, Operation::Stop, &[]) };
    assert_eq!(catalog.begin_operation(stop, NOW).await.unwrap(), BeginOperation::Begun);
    assert!(!catalog.end_operation("cpod-1", Operation::Create, end(PodState::Running), NOW).await.unwrap());
    assert!(catalog.end_operation("cpod-1", Operation::Stop, end(PodState::Stopped), NOW).await.unwrap());
}

async fn pods_are_created_all_or_none(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let (two, three) = ([port("cpod-2", 20_001)], [port("cpod-3", 20_000)]);
    let both = [pod("cpod-2", owner, &[], &two), pod("cpod-3", owner, &[], &three)];
    assert_eq!(catalog.create_pods(&both, "image-base", 9, NOW).await.unwrap(), CreatePods::Taken);
    assert_eq!(catalog.create_pods(&both[..1], "image-base", 1, NOW).await.unwrap(), CreatePods::TooMany);
    assert!(catalog.pod("cpod-2").await.unwrap().is_none());
    assert_eq!(catalog.create_pods(&both[..1], "no-image", 9, NOW).await.unwrap(), CreatePods::ImageNotFound);
    create(&catalog, owner, "making", "vm").await;
    let created = catalog.create_pods(&both[..1], "image-making", 9, NOW).await.unwrap();
    assert_eq!(created, CreatePods::ImageNotAvailable);
    let other = account(&catalog, "other").await.id;
    let foreign = [pod("cpod-4", other, &[], &[])];
    assert_eq!(catalog.create_pods(&foreign, "image-base", 9, NOW).await.unwrap(), CreatePods::ImageNotFound);
    assert_eq!(catalog.create_pods(&both[..1], "image-base", 2, NOW).await.unwrap(), CreatePods::Created);
}

async fn pods_of_a_forgotten_server_have_no_ports(Engine { catalog, .. }: Engine) {
    let a = catalog.with_host("a");
    running(&a).await;
    let new = NewHost { node: "node-1", session: "p1", version: "1.0.0", address: "", adopts: false };
    assert_eq!(a.register_host(new, 60).await.unwrap(), RegisterHost::Registered);
    for id in a.instances_of_host().await.unwrap() {
        assert_eq!(a.remove_instance(&id, NOW).await.unwrap(), RemoveInstance::Removed);
    }
    assert!(a.forget_host("p1").await.unwrap());
    assert!(a.pod("cpod-1").await.unwrap().is_none() && a.host_ports().await.unwrap().is_empty());
}

async fn a_terminated_pod_is_no_instance(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let stop = operation(owner, Operation::Stop, &[PodState::Running]);
    catalog.begin_operation(stop, NOW).await.unwrap();
    assert_eq!(catalog.terminate_pod(owner, "cpod-1", NOW).await.unwrap(), BeginOperation::Busy);
    catalog.end_operation("cpod-1", Operation::Stop, end(PodState::Stopped), NOW).await.unwrap();
    assert_eq!(catalog.terminate_pod(owner, "cpod-1", NOW).await.unwrap(), BeginOperation::Begun);
    assert!(catalog.instance(Some(owner), "cpod-1").await.unwrap().is_none());
    assert_eq!(catalog.terminate_pod(owner, "cpod-1", NOW).await.unwrap(), BeginOperation::NotFound);
    assert_eq!(catalog.busy_pods().await.unwrap()[0].operation, Some(Operation::Terminate));
    assert_eq!(catalog.host_ports().await.unwrap(), [20_000]);
    catalog.forget_pod("cpod-1").await.unwrap();
    assert!(catalog.busy_pods().await.unwrap().is_empty() && catalog.host_ports().await.unwrap().is_empty());
}

async fn a_gpu_is_used_by_one_running_pod(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "base", "vm", NOW).await;
    let device = ["nvidia.com/gpu=0".to_owned()];
    let (one, two) = ([pod("cpod-1", owner, &device, &[])], [pod("cpod-2", owner, &device, &[])]);
    assert_eq!(catalog.create_pods(&one, "image-base", 9, NOW).await.unwrap(), CreatePods::Created);
    assert_eq!(catalog.used_devices().await.unwrap(), device);
    assert_eq!(catalog.create_pods(&two, "image-base", 9, NOW).await.unwrap(), CreatePods::Taken);
    catalog.end_operation("cpod-1", Operation::Create, end(PodState::Stopped), NOW).await.unwrap();
    assert!(catalog.used_devices().await.unwrap().is_empty());
    assert_eq!(catalog.create_pods(&two, "image-base", 9, NOW).await.unwrap(), CreatePods::Created);
    let start = operation(owner, Operation::Start, &[PodState::Stopped]);
    assert_eq!(catalog.begin_operation(start, NOW).await.unwrap(), BeginOperation::DeviceUsed);
    let without = NewOperation { without_gpu: Some("A"), ..start };
    assert_eq!(catalog.begin_operation(without, NOW).await.unwrap(), BeginOperation::Begun);
    assert_eq!(catalog.pod("cpod-1").await.unwrap().unwrap().without_gpu, "A");
}

async fn a_reinstalled_pod_counts_for_its_new_image(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    make(&catalog, owner, "next", "vm", NOW).await;
    let reinstall = operation(owner, Operation::Reinstall, &[PodState::Running]);
    let login = NewLogin { password: Some("new"), ssh_keys: None };
    let begun = catalog.begin_reinstall(reinstall, "image-next", login, NOW + 7200).await.unwrap();
    assert_eq!(begun, BeginOperation::Begun);
    let row = catalog.instance(Some(owner), "cpod-1").await.unwrap().unwrap();
    assert_eq!(row.started_from.unwrap().image_id, "image-next");
    assert_eq!(row.pod.unwrap().password, "new");
}

async fn what_the_engine_says_does_not_end_an_operation(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    let seen = SeenPod {
        id: "cpod-1",
        container: "{}",
        disk: "{}",
        size_bytes: 9,
        state: PodState::Stopped,
        failed_reason: "",
        started_at: 5,
        stopped_at: 6,
    };
    catalog.see_pod(seen, NOW + 2).await.unwrap();
    let pod = catalog.pod("cpod-1").await.unwrap().unwrap();
    assert_eq!((pod.state, pod.since, pod.started_at, pod.stopped_at), (PodState::Stopped, NOW + 2, 5, 6));
    let start = operation(owner, Operation::Start, &[PodState::Stopped]);
    catalog.begin_operation(start, NOW + 3).await.unwrap();
    catalog.see_pod(SeenPod { state: PodState::Running, ..seen }, NOW + 4).await.unwrap();
    let pod = catalog.pod("cpod-1").await.unwrap().unwrap();
    assert_eq!((pod.state, pod.operation), (PodState::Stopped, Some(Operation::Start)));
}

async fn ports_belong_to_one_pod(Engine { catalog, .. }: Engine) {
    let owner = running(&catalog).await;
    catalog.create_pods(&[pod("cpod-2", owner, &[], &[])], "image-base", 9, NOW).await.unwrap();
    assert!(!catalog.set_pod_ports("cpod-2", &[port("cpod-2", 20_000)]).await.unwrap());
    let udp = PodPort { kind: PortKind::Udp, port: 53, ..port("cpod-1", 20_003) };
    assert!(catalog.set_pod_ports("cpod-1", &[port("cpod-1", 20_000), udp.clone()]).await.unwrap());
    assert!(catalog.set_pod_ports("cpod-2", &[port("cpod-2", 20_002)]).await.unwrap());
    let ports = catalog.pod_ports(&["cpod-1"]).await.unwrap();
    assert_eq!(ports, [port("cpod-1", 20_000), udp]);
    assert_eq!(catalog.host_ports().await.unwrap(), [20_000, 20_002, 20_003]);
}

async fn ssh_keys_stay_until_others_are_given(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "base", "vm", NOW).await;
    let keys = async || catalog.pod_ssh_keys("cpod-1").await.unwrap();
    let new = NewPod { ssh_keys: "ssh-ed25519 one\n", ..pod("cpod-1", owner, &[], &[]) };
    catalog.create_pods(&[new], "image-base", 9, NOW).await.unwrap();
    assert_eq!(keys().await.as_deref(), Some("ssh-ed25519 one\n"));
    catalog.end_operation("cpod-1", Operation::Create, end(PodState::Stopped), NOW).await.unwrap();
    let reinstall = operation(owner, Operation::Reinstall, &[PodState::Stopped]);
    for (given, expected) in [(None, "ssh-ed25519 one\n"), (Some("ssh-rsa two\n"), "ssh-rsa two\n")] {
        let login = NewLogin { password: None, ssh_keys: given };
        catalog.begin_reinstall(reinstall, "image-base", login, NOW).await.unwrap();
        assert_eq!(keys().await.as_deref(), Some(expected));
        catalog.end_operation("cpod-1", Operation::Reinstall, end(PodState::Stopped), NOW).await.unwrap();
    }
    catalog.terminate_pod(owner, "cpod-1", NOW).await.unwrap();
    catalog.forget_pod("cpod-1").await.unwrap();
    assert_eq!(keys().await, None);
}
