use std::collections::HashSet;

use jingku_catalog::{CreatePods, Image, ImageKey, NewInstance, NewPod, PodPort, PortKind, Scope};
use jingku_library::{
    ContainerFacts, InstanceSize, Internal, OfferedType, Zone, failpoint, new_password, pod_id, wanted_ports,
};
use jingku_protocol::actions as api;
use jingku_sources::oci::OciImage;
use serde::Deserialize;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

/// The name of an instance without one. Documented.
const DEFAULT_NAME: &str = "host";
/// How a new instance is charged if the request does not say. Documented.
const DEFAULT_CHARGE_TYPE: api::ChargeType = api::ChargeType::Month;
/// The size of an instance if the request does not say: that of the smallest one of CompShare, or the host.
const DEFAULT_CPUS: i64 = 16;
/// Likewise, in GB.
const DEFAULT_MEMORY_GB: i64 = 32;
/// How often other ports or GPUs are chosen when another request got them first.
const TRIES_MAX: u32 = 8;

/// What the instances of one call have in common.
struct Order<'a> {
    image: &'a Image,
    zone: &'a Zone,
    gpu_type: &'a str,
    size: InstanceSize,
    disk_gb: i64,
    ports: Vec<(PortKind, u16)>,
    /// As lines of an `authorized_keys` file.
    ssh_keys: String,
}

/// What belongs to one instance.
struct Chosen {
    id: String,
    password: String,
    devices: Vec<String>,
    ports: Vec<PodPort>,
}

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CreateCompShareInstanceRequest,
) -> Result<api::CreateCompShareInstanceResponse, Error> {
    pods::check_allowed(call)?;
    let zone = zone(call, &request)?;
    let image = pods::image(call, &request.comp_share_image_id).await?;
    let offer = call.library.host_offer();
    let size = InstanceSize {
        gpus: request.gpu.map_or(1, |gpu| gpu.0),
        cpus: request.cpu.map_or(DEFAULT_CPUS.min(offer.cpus), |cpu| cpu.0),
        memory_mb: request.memory.map_or(DEFAULT_MEMORY_GB.min(offer.memory_gb) << 10, |memory| memory.0),
    };
    let offered = offer.check(&request.gpu_type, size)?;
    let disk_gb = disk_gb(&request, &image)?;
    let (password, ssh_keys) =
        pods::login(request.login_mode, request.password.as_ref(), &request.ssh_public_keys)?;
    let ports = ports(call, &image).await?;
    let ssh_keys = ssh_keys.unwrap_or_default();
    let order = Order { image: &image, zone, gpu_type: &offered.name, size, disk_gb, ports, ssh_keys };
    let count = usize::try_from(request.max_count.map_or(1, |count| count.0)).unwrap_or(1);
    for _ in 0..TRIES_MAX {
        let chosen = choose(call, &order, offered, count, password.as_deref()).await?;
        match create(call, &request, &order, &chosen).await? {
            CreatePods::Created => {
                failpoint::reached("pod.row");
                call.library.pods.wake.notify_one();
                let ips = vec![call.published_host(); count];
                let instance_ids = chosen.into_iter().map(|chosen| chosen.id).collect();
                return Ok(api::CreateCompShareInstanceResponse { instance_ids, ips, warning: Vec::new() });
            }
            CreatePods::Taken => {}
            CreatePods::ImageNotFound => return Err(Error::not_available("CompShareImageId")),
            CreatePods::ImageNotAvailable => return Err(Error::ImageNotAvailable(image.id)),
            CreatePods::TooMany => {
                return Err(Error::TooManyInstances(call.library.config.containers.instances_max));
            }
        }
    }
    Err(Error::OutOfResources)
}

fn zone<'a>(call: &'a Call<'_>, request: &api::CreateCompShareInstanceRequest) -> Result<&'a Zone, Error> {
    let zones = &call.library.zones;
    let named = zones.resolve(&request.place)?.and_then(|names| names.first().copied());
    let zone = named.and_then(|name| zones.find(name)).or_else(|| zones.iter().next());
    Ok(zone.ok_or_else(|| Internal::BadRow("there is no zone".to_owned()))?)
}

/// The size of the boot disk, of which there must be one.
fn disk_gb(request: &api::CreateCompShareInstanceRequest, image: &Image) -> Result<i64, Error> {
    let boots = |disk: &&api::DiskSpec| disk.is_boot.unwrap_or(false);
    let disk_gb = match request.disks.iter().filter(boots).collect::<Vec<_>>()[..] {
        [] if request.disks.is_empty() => pods::needed_gb(image),
        [boot] => boot.size.map_or(pods::needed_gb(image), |size| size.0),
        _ => return Err(Error::not_available("Disks")),
    };
    pods::check_disk(image, disk_gb)?;
    Ok(disk_gb)
}

/// The ports of an instance from an image.
async fn ports(call: &Call<'_>, image: &Image) -> Result<Vec<(PortKind, u16)>, Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        config: Run,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Run {
        exposed_ports: serde_json::Map<String, serde_json::Value>,
    }
    let scope = Scope::visible_to(call.account().id);
    let row = call.library.catalog.container_image(scope, image.account, ImageKey::Id(&image.id)).await?;
    let row = row.ok_or_else(|| Error::not_available("CompShareImageId"))?;
    let bad_row = |error| Internal::BadRow(format!("documents of image {}: {error}", image.id));
    let oci: OciImage = serde_json::from_str(&row.oci).map_err(bad_row)?;
    let config: Config = serde_json::from_str(&oci.config).map_err(bad_row)?;
    Ok(wanted_ports(config.config.exposed_ports.keys().map(String::as_str)))
}

/// Chooses an id, a password, GPUs and ports of the host for each instance.
async fn choose(
    call: &Call<'_>,
    order: &Order<'_>,
    offered: &OfferedType,
    count: usize,
    password: Option<&str>,
) -> Result<Vec<Chosen>, Error> {
    let library = call.library;
    let in_use = library.gpus_in_use().await?;
    let mut free = offered.free_devices(&in_use).into_iter();
    let mut taken = HashSet::new();
    let mut all = Vec::new();
    for _ in 0..count {
        let wanted = if offered.has_gpus() { usize::try_from(order.size.gpus).unwrap_or(0) } else { 0 };
        let devices: Vec<String> = free.by_ref().take(wanted).map(str::to_owned).collect();
        if devices.len() < wanted {
            return Err(Error::OutOfResources);
        }
        let id = pod_id(&*library.random);
        let ports = library.choose_ports(&id, &order.ports, &taken).await?.ok_or(Error::NoPorts)?;
        taken.extend(ports.iter().map(|port| port.host_port));
        let password = password.map_or_else(|| new_password(&*library.random), str::to_owned);
        let password = library.seal_password(&id, &password);
        all.push(Chosen { id, password, devices, ports });
    }
    Ok(all)
}

async fn create(
    call: &Call<'_>,
    request: &api::CreateCompShareInstanceRequest,
    order: &Order<'_>,
    chosen: &[Chosen],
) -> Result<CreatePods, Error> {
    let facts = ContainerFacts::default().to_json();
    let pods: Vec<NewPod<'_>> = chosen
        .iter()
        .map(|chosen| NewPod {
            instance: NewInstance {
                id: &chosen.id,
                account: call.account().id,
                name: request.name.as_deref().unwrap_or(DEFAULT_NAME),
                region: &order.zone.region,
                zone: &order.zone.zone,
                disk: "{}",
                size_bytes: order.image.size_bytes,
                gpu_type: order.gpu_type,
                container: Some(&facts),
            },
            options: "",
            remark: request.remark.as_deref().unwrap_or_default(),
            password: &chosen.password,
            ssh_keys: &order.ssh_keys,
            cpu: order.size.cpus,
            memory_mb: order.size.memory_mb,
            gpus: order.size.gpus,
            devices: &chosen.devices,
            disk_gb: order.disk_gb,
            charge_type: request.charge_type.unwrap_or(DEFAULT_CHARGE_TYPE).as_str(),
            ports: &chosen.ports,
        })
        .collect();
    let pods_max = i64::from(call.library.config.containers.instances_max);
    let now = call.library.clock.now();
    Ok(call.library.catalog.create_pods(&pods, &order.image.id, pods_max, now).await?)
}
