use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::GetRegionRequest,
) -> Result<api::GetRegionResponse, Error> {
    let regions = call.library.zones.iter().enumerate().map(|(index, zone)| api::Region {
        region_id: zone.region_id,
        region_name: zone.name.clone(),
        is_default: index == 0,
        bit_maps: "1".to_owned(),
        region: zone.region.clone(),
        zone: zone.zone.clone(),
    });
    Ok(api::GetRegionResponse { regions: regions.collect() })
}
