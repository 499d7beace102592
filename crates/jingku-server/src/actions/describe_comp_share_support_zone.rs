use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::DescribeCompShareSupportZoneRequest,
) -> Result<api::DescribeCompShareSupportZoneResponse, Error> {
    let zones = call.library.zones.iter().map(|zone| api::Zone {
        region: zone.region.clone(),
        zone: zone.zone.clone(),
        region_id: zone.region_id,
        zone_id: zone.zone_id,
        describe: zone.name.clone(),
        is_pod: false,
    });
    Ok(api::DescribeCompShareSupportZoneResponse { zone_info: zones.collect() })
}
