use jingku_catalog::PodState;
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const SWITCH: Action = Action::SwitchChargeType;

#[tokio::test]
async fn the_way_of_charging_is_stored() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    for charge_type in ["Month", "Day", "Dynamic", "Postpay", "Spot", "Postpay", "Postpay"] {
        let reply = caller.ok(SWITCH, &[("UHostId", &id), ("DestChargeType", charge_type)]).await;
        assert_eq!(reply["UHostId"], id);
        let reply = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
        assert_eq!(reply["UHostSet"][0]["ChargeType"], charge_type);
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id = ("UHostId", &*id);
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![id], 210, "Missing params [DestChargeType]"),
        (vec![id, ("DestChargeType", "Never")], 230, "Params [DestChargeType] not available"),
        (vec![id, ("DestChargeType.0", "Day")], 230, "Params [DestChargeType] not available"),
        (vec![("UHostId", "none"), ("DestChargeType", "Day")], 8039, "Resource not exist [none]"),
    ] {
        caller.assert_refused(SWITCH, &params, code, message).await;
    }
    caller.assert_place_is_checked(SWITCH, &[id, ("DestChargeType", "Day")]).await;
}
