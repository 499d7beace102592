use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, Service};

const PRICE: Action = Action::GetCompShareInstancePrice;

/// The keys of the real service and of the SDKs.
const LISTS: [&str; 6] = [
    "PriceDetails",
    "OriginalPriceDetails",
    "ListPriceDetails",
    "PriceDetail",
    "OriginalPriceDetail",
    "ListPriceDetail",
];

fn row(charge_type: &str, price: f64) -> Value {
    json!({
        "ChargeType": charge_type, "Instance": price, "Disks": 0.0, "SystemDisks": 0.0, "CompShareImage": 0.0,
        "InstanceDiscountType": 0, "OriginalPrice": price,
    })
}

/// Checks what both actions that ask for a price answer.
pub(crate) async fn assert_priced(caller: &Caller, action: Action) {
    let gpu_type = ("GpuType", "4090");
    let reply = caller.ok(action, &[gpu_type, ("ChargeType", "Postpay")]).await;
    for list in LISTS {
        // `ListPrice` is text in the Go SDK: a row must not have it.
        assert_eq!(reply[list], json!([row("Postpay", 1.88)]), "{list}");
        assert!(reply[list][0]["Instance"].is_f64());
    }
    let reply = caller.ok(action, &[gpu_type]).await;
    let each = [("Month", 1353.6), ("Day", 45.12), ("Dynamic", 1.88), ("Postpay", 1.88), ("Spot", 1.88)];
    assert_eq!(reply["PriceDetails"], json!(each.map(|(charge_type, price)| row(charge_type, price))));
    for (params, price) in [
        (vec![("GPU", "2"), ("CPU", "6"), ("Memory", "8192")], 3.76),
        (vec![("Gpu", "2"), ("Cpu", "1"), ("Memory", "1024")], 3.76),
        (vec![("Gpu", "2"), ("CPU", "1")], 3.76),
        (vec![("Quantity", "3")], 5.64),
        (vec![("Disks.0.IsBoot", "True"), ("Disks.0.Type", "CLOUD_SSD"), ("Disks.0.Size", "100")], 1.88),
        (vec![("CompShareImageId", "none"), ("Volumes.0.Size", "1"), ("MachineType", "G")], 1.88),
    ] {
        let params = [&[gpu_type, ("ChargeType", "Postpay")], &params[..]].concat();
        assert_eq!(
            caller.ok(action, &params).await["PriceDetails"],
            json!([row("Postpay", price)]),
            "{params:?}"
        );
    }
    let year = caller.ok(action, &[("GpuType", "P40"), ("ChargeType", "Year")]).await;
    assert_eq!(year["PriceDetail"], json!([row("Year", 4380.0)]));
}

/// Checks the refusals of both.
pub(crate) async fn assert_refused(caller: &Caller, action: Action) {
    let gpu_type = ("GpuType", "4090");
    let wrong = |name: &str| (230, format!("Params [{name}] not available"));
    for (params, (code, message)) in [
        (vec![], (210, "Missing params [GpuType]".to_owned())),
        (vec![("GpuType", "A100")], wrong("GpuType")),
        (vec![gpu_type, ("Gpu", "3")], wrong("GPU")),
        (vec![gpu_type, ("GPU", "0")], wrong("GPU")),
        (vec![gpu_type, ("Gpu", "-1")], wrong("Gpu")),
        (vec![gpu_type, ("GPU", "one")], wrong("GPU")),
        (vec![gpu_type, ("Cpu", "7")], wrong("CPU")),
        (vec![gpu_type, ("CPU", "99999999999999999999")], wrong("CPU")),
        (vec![gpu_type, ("Memory", "16")], wrong("Memory")),
        (vec![gpu_type, ("Memory", "9216")], wrong("Memory")),
        (vec![gpu_type, ("ChargeType", "postpay")], wrong("ChargeType")),
        (vec![gpu_type, ("Quantity", "1001")], wrong("Quantity")),
        (vec![gpu_type, ("CompShareImageId.0", "x")], wrong("CompShareImageId")),
    ] {
        caller.assert_refused(action, &params, code, &message).await;
    }
    let twice = caller.refusal(action, &[gpu_type, ("GPU", "1"), ("Gpu", "1")]).await;
    assert!(twice.0 == 230 && twice.1.to_lowercase() == "params [gpu] not available", "{twice:?}");
    caller.assert_place_is_checked(action, &[gpu_type]).await;
}

#[tokio::test]
async fn a_price_has_every_list_and_type() {
    assert_priced(&Service::with_gpus().await.caller(), PRICE).await;
}

#[tokio::test]
async fn a_price_is_nothing_unless_configured() {
    let service = Service::start().await;
    let reply = service.caller().ok(PRICE, &[("GpuType", "CPU"), ("ChargeType", "Month")]).await;
    assert_eq!(reply["PriceDetails"], json!([row("Month", 0.0)]));
}

#[tokio::test]
async fn what_is_not_offered_has_no_price() {
    assert_refused(&Service::with_gpus().await.caller(), PRICE).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(PRICE, &[("GpuType", "CPU")], &place).await;
}
