use jingku_library::{DISK_BYTES_MAX, HostOffer, OfferedType};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeAvailableCompShareInstanceTypesRequest,
) -> Result<api::DescribeAvailableCompShareInstanceTypesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let zones = zones.unwrap_or_else(|| call.library.zones.iter().map(|zone| zone.zone.as_str()).collect());
    let kind = request.instance_type.unwrap_or_default();
    let wanted = |offered: &&OfferedType| {
        request.machine_types.is_empty() || request.machine_types.iter().any(|name| **name == *offered.name)
    };
    let offer = call.library.host_offer();
    let mut types = Vec::new();
    for zone in zones {
        types.extend(offer.types.iter().filter(wanted).map(|offered| view(&offer, offered, zone, kind)));
    }
    Ok(api::DescribeAvailableCompShareInstanceTypesResponse {
        available_instance_types: types,
        status: "Normal".to_owned(),
    })
}

fn view(
    offer: &HostOffer,
    offered: &OfferedType,
    zone: &str,
    instance_type: api::OfferKind,
) -> api::AvailableInstanceType {
    let platform = vec![offer.cpu_platform.to_owned()];
    let platforms =
        |maker: &str| if offer.cpu_platform.starts_with(maker) { platform.clone() } else { Vec::new() };
    let collection = |cpu: i64| api::MachineCollection {
        cpu,
        memory: offer.memory_sizes_gb(),
        minimal_cpu_platform: platform.clone(),
    };
    let machine_size =
        |gpu| api::MachineSize { gpu, collection: offer.cpu_sizes().into_iter().map(collection).collect() };
    let boot_disk = api::OfferedBootDisk {
        name: "LOCAL_NORMAL".to_owned(),
        maximal_size: DISK_BYTES_MAX >> 30,
        ..api::OfferedBootDisk::default()
    };
    api::AvailableInstanceType {
        name: offered.name.clone(),
        zone: zone.to_owned(),
        instance_type,
        status: "Normal".to_owned(),
        description: offered.description(),
        machine_class: if offered.has_gpus() { "GPU" } else { "Normal" }.to_owned(),
        parent_type: String::new(),
        cpu_platforms: api::CpuPlatforms { intel: platforms("Intel"), amd: platforms("Amd") },
        disks: vec![api::OfferedDisk {
            name: "normalLocalDisk".to_owned(),
            boot_disk: vec![boot_disk],
            data_disk: Vec::new(),
        }],
        machine_sizes: offered.gpu_sizes().map(machine_size).collect(),
        graphics_memory: api::GraphicsMemory { value: offered.gpu_memory_gb, rate: 0 },
        performance: api::Performance::default(),
        features: Vec::new(),
    }
}
