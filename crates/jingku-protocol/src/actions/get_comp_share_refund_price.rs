use serde::{Deserialize, Serialize};

use crate::actions::MAX_INSTANCE_IDS;
use crate::bounded::InstanceId;
use crate::list::List;
use crate::place::Place;

/// Asks what is paid back when instances are deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetCompShareRefundPriceRequest {
    /// Where the instances are.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instances.
    #[serde(rename = "UHostIds")]
    pub instance_ids: List<InstanceId, MAX_INSTANCE_IDS>,
}

/// What is paid back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetCompShareRefundPriceResponse {
    /// One entry for each instance, in the order of the request.
    pub refund_price_set: Vec<RefundPrice>,
}

/// What is paid back for one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct RefundPrice {
    /// The instance's id.
    #[serde(rename = "UHostId")]
    pub instance_id: String,
    /// 0, or why there is no price.
    pub code: i64,
    /// The same in words. Newer documents call it so.
    pub message: String,
    /// The name of `Message` in the SDKs.
    pub err_message: String,
    /// CNY.
    pub refund_price: f64,
}
