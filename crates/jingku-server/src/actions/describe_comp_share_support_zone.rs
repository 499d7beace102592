use jingku_protocol::actions::{
    DescribeCompShareSupportZoneRequest, DescribeCompShareSupportZoneResponse, Zone,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(super) async fn run(
    context: &Context,
    _caller: &Caller,
    _request: DescribeCompShareSupportZoneRequest,
) -> Result<DescribeCompShareSupportZoneResponse, Error> {
    let zones = context.zones.iter().map(|zone| Zone {
        region: zone.region.clone(),
        zone: zone.zone.clone(),
        region_id: zone.region_id,
        zone_id: zone.zone_id,
        describe: zone.name.clone(),
        is_pod: false,
    });
    Ok(DescribeCompShareSupportZoneResponse { zone_info: zones.collect() })
}
