use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::{
    AccountId, Instance as Row, InstanceFilter, Pod, PodPort, PodState, PortKind, StartImage,
};
use jingku_library::{
    ContainerFacts, ContainerState, Internal, OfferedType, SSH_PORT, WITHOUT_GPU_TIERS, size_without_gpu,
};
use jingku_protocol::actions as api;
use secrecy::ExposeSecret;

use crate::call::Call;
use crate::error::Error;
use crate::instance::{host_of, other_hosts};
use crate::quote::per_hour;
use crate::software::{SOFTWARE, url};
use crate::view::{cursor, next_token, rows};

const GB: i64 = 1 << 30;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareInstanceRequest,
) -> Result<api::DescribeCompShareInstanceResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let ids: Vec<&str> = request.instance_ids.iter().map(|id| &**id).collect();
    let filter = InstanceFilter {
        account: Some(call.account().id),
        ids: (!ids.is_empty()).then_some(&ids),
        zones: zones.as_deref(),
    };
    let cursor = cursor(&request.paging, InstanceFilter::cursor)?;
    let page = call.library.catalog.instances_page(filter, rows(&request.paging, cursor.as_ref())).await?;
    let pods: Vec<&str> = page.items.iter().filter_map(|row| Some(&*row.pod.as_ref()?.id)).collect();
    let ports = if pods.is_empty() { Vec::new() } else { call.library.catalog.pod_ports(&pods).await? };
    let others = other_hosts(call, &page.items).await?;
    let view = |row: Row| view(call, others.get(&row.host), row, &ports);
    Ok(api::DescribeCompShareInstanceResponse {
        total_count: page.total,
        instances: page.items.into_iter().map(view).collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}

/// `other` is the host of another server that has the instance.
fn view(
    call: &Call<'_>,
    other: Option<&String>,
    mut row: Row,
    ports_of_pods: &[PodPort],
) -> Result<api::Instance, Internal> {
    let container = ContainerFacts::of(&row)?;
    let state = ContainerFacts::state_of(&row, container.as_ref());
    let pod = row.pod.take();
    let (image_id, image) = row.started_from.map(|from| (from.image_id, from.image)).unwrap_or_default();
    let image_type = image.as_ref().map(|image| kind(image, row.account)).unwrap_or_default();
    let disk = api::InstanceDisk {
        disk_id: format!("disk-{}", row.id),
        disk_type: "LOCAL_NORMAL".to_owned(),
        is_boot: "True".to_owned(),
        kind: "Boot".to_owned(),
        encrypted: "false".to_owned(),
        size: row.size_bytes.saturating_add(GB - 1) / GB,
        ..api::InstanceDisk::default()
    };
    let vm = api::Instance {
        id: row.id,
        region: row.region,
        zone: row.zone,
        name: row.name,
        state: state.to_owned(),
        comp_share_image_id: image_id,
        comp_share_image_status: image.as_ref().map(|_| "Available".to_owned()).unwrap_or_default(),
        comp_share_image_name: image.map(|image| image.name).unwrap_or_default(),
        comp_share_image_type: image_type,
        instance_type: "UHost".to_owned(),
        gpu: i64::from(!row.gpu_type.is_empty()),
        gpu_type: row.gpu_type,
        charge_type: "Free".to_owned(),
        create_time: row.created_at,
        disk_set: vec![disk],
        machine_type: "G".to_owned(),
        cpu_platform: call.library.host_offer().cpu_platform.to_owned(),
        cpu_arch: std::env::consts::ARCH.to_owned(),
        os_type: "Linux".to_owned(),
        auto_renew: "No".to_owned(),
        is_expire: "No".to_owned(),
        ..api::Instance::default()
    };
    let Some(facts) = container else { return Ok(vm) };
    let runs = facts.state == ContainerState::Running;
    let host = facts.published.values().next().filter(|_| runs).map(|(host, _)| host_of(call, host, other));
    let host = host.unwrap_or_default();
    let address = api::InstanceAddress {
        ip: facts.address.clone(),
        ip_mode: if facts.address.contains(':') { "IPv6" } else { "IPv4" }.to_owned(),
        kind: "Private".to_owned(),
        ..api::InstanceAddress::default()
    };
    let seen = api::Instance {
        instance_type: "Container".to_owned(),
        gpu: facts.gpus,
        cpu: facts.cpu,
        memory: facts.memory_mb,
        start_time: facts.started_at,
        stop_time: if runs { 0 } else { facts.stopped_at },
        update_time: facts.started_at.max(facts.stopped_at),
        ssh_login_command: if runs { ssh_command(&facts, &host) } else { String::new() },
        ports: ports(&facts),
        ingress_host: host,
        addresses: if facts.address.is_empty() { Vec::new() } else { vec![address] },
        state_age: (call.library.clock.now() - row.seen_at).max(0),
        ..vm
    };
    match pod {
        Some(pod) => of_pod(call, other, &pod, seen, ports_of_pods),
        None => Ok(seen),
    }
}

/// What the API knows better than the engine of an instance that it created.
fn of_pod(
    call: &Call<'_>,
    other: Option<&String>,
    pod: &Pod,
    seen: api::Instance,
    ports: &[PodPort],
) -> Result<api::Instance, Internal> {
    let runs = pod.state == PodState::Running && pod.operation.is_none();
    let host = other.cloned().unwrap_or_else(|| call.published_host());
    let ports: Vec<&PodPort> = ports.iter().filter(|port| port.instance_id == pod.id).collect();
    // An image that exposes port 22 has its SSH server there.
    let ssh = [22, SSH_PORT.into()]
        .into_iter()
        .find_map(|number| ports.iter().find(|port| port.kind == PortKind::Tcp && port.port == number));
    let of = |kind| {
        let ports = ports.iter().filter(|port| port.kind == kind);
        ports.filter_map(|port| u16::try_from(port.port).ok()).collect()
    };
    let public = api::InstanceAddress {
        ip: host.clone(),
        ip_mode: if host.contains(':') { "IPv6" } else { "IPv4" }.to_owned(),
        kind: "Bgp".to_owned(),
        ..api::InstanceAddress::default()
    };
    let (cpu, memory, gpu) = size_without_gpu(pod)
        .map_or((pod.cpu, pod.memory_mb, pod.gpus), |(cpu, memory_mb)| (cpu, memory_mb, 0));
    let offer = call.library.host_offer();
    let offered = offer.find(&seen.gpu_type);
    Ok(api::Instance {
        graphics_memory: offered.and_then(graphics_memory),
        instance_price: offered.map_or(0.0, |offered| per_hour(offered, gpu, 1)),
        scheduler_stop_time: pod.stop_at,
        stop_scheduler_time: pod.stop_at,
        softwares: if runs { softwares(&host, &ports) } else { Vec::new() },
        support_without_gpu_start: pod.devices.is_empty(),
        without_gpu_spec: pod.devices.is_empty().then(|| without_gpu(pod)),
        src_instance_config: (!pod.without_gpu.is_empty()).then(|| api::SizeSpec {
            spec: String::new(),
            cpu: pod.cpu,
            memory: pod.memory_mb,
            gpu: pod.gpus,
            gpu_type: seen.gpu_type.clone(),
        }),
        gpu,
        cpu,
        memory,
        charge_type: pod.charge_type.clone(),
        start_time: pod.started_at,
        stop_time: if runs { 0 } else { pod.stopped_at },
        update_time: pod.since,
        ssh_login_command: match ssh {
            Some(port) if runs => format!("ssh -p {} root@{host}", port.host_port),
            Some(_) | None => String::new(),
        },
        ports: api::InstancePorts {
            http_ports: of(PortKind::Http),
            tcp_ports: of(PortKind::Tcp),
            udp_ports: of(PortKind::Udp),
        },
        ingress_host: host,
        addresses: [public].into_iter().chain(seen.addresses).collect(),
        password: BASE64_STANDARD.encode(call.library.open_password(pod)?.expose_secret()),
        remark: pod.remark.clone(),
        failed_reason: pod.failed_reason.clone(),
        disk_set: seen
            .disk_set
            .into_iter()
            .map(|disk| api::InstanceDisk { size: pod.disk_gb, ..disk })
            .collect(),
        ..seen
    })
}

fn graphics_memory(offered: &OfferedType) -> Option<api::GraphicsMemory> {
    (offered.gpu_memory_gb > 0).then_some(api::GraphicsMemory { value: offered.gpu_memory_gb, rate: 0 })
}

/// The programs on ports with HTTP. Whether they run is not known.
fn softwares(host: &str, ports: &[&PodPort]) -> Vec<api::InstanceSoftware> {
    let program = |port: &&PodPort| {
        let (name, _) = SOFTWARE.into_iter().find(|(_, number)| i64::from(*number) == port.port)?;
        let url = url(host, u16::try_from(port.host_port).ok()?);
        Some(api::InstanceSoftware { name: name.to_owned(), url })
    };
    ports.iter().filter(|port| port.kind == PortKind::Http).filter_map(program).collect()
}

/// The smallest tier of a start without GPUs.
fn without_gpu(pod: &Pod) -> api::SizeSpec {
    let [(name, cpus, memory_mb), ..] = WITHOUT_GPU_TIERS;
    api::SizeSpec {
        spec: name.to_owned(),
        cpu: cpus.min(pod.cpu),
        memory: memory_mb.min(pod.memory_mb),
        ..api::SizeSpec::default()
    }
}

/// The official CLI reads exactly `ssh -p PORT USER@HOST`.
fn ssh_command(facts: &ContainerFacts, host: &str) -> String {
    let published = ["22/tcp", "23/tcp"].iter().find_map(|port| facts.published.get(*port));
    published.map_or_else(String::new, |(_, port)| format!("ssh -p {port} root@{host}"))
}

fn ports(facts: &ContainerFacts) -> api::InstancePorts {
    let of = |kind: &str| {
        let port = |port: &String| port.strip_suffix(kind)?.strip_suffix('/')?.parse().ok();
        facts.published.keys().filter_map(port).collect()
    };
    api::InstancePorts { http_ports: Vec::new(), tcp_ports: of("tcp"), udp_ports: of("udp") }
}

/// The kind of an image as the account of its instance sees it.
fn kind(image: &StartImage, account: AccountId) -> String {
    if !image.platform_type.is_empty() {
        image.platform_type.clone()
    } else if image.public && image.account != account {
        "Community".to_owned()
    } else {
        "Custom".to_owned()
    }
}
