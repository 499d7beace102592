use jingku_library::OfferedType;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::DescribeCompShareMachineTypeFamiliesRequest,
) -> Result<api::DescribeCompShareMachineTypeFamiliesResponse, Error> {
    let family = |offered: &OfferedType| api::MachineTypeFamily {
        name: offered.name.clone(),
        description: offered.description(),
    };
    let machine_types: Vec<_> = call.library.host_offer().types.iter().map(family).collect();
    let of_zones = call.library.zones.iter().map(|zone| (zone.zone_id.to_string(), machine_types.clone()));
    Ok(api::DescribeCompShareMachineTypeFamiliesResponse {
        machine_types_map: of_zones.collect(),
        machine_types,
    })
}
