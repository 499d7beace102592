//! Prices of instances in replies.

use serde::{Deserialize, Serialize};

/// What an instance would cost. The real service answers with `PriceDetails` and the like, SDKs read `PriceDetail`: both
/// are sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct PriceDetails {
    /// One entry for each way of charging.
    pub price_details: Vec<PriceDetail>,
    /// Before discounts.
    pub original_price_details: Vec<PriceDetail>,
    /// On the price list.
    pub list_price_details: Vec<PriceDetail>,
    /// As `PriceDetails`.
    pub price_detail: Vec<PriceDetail>,
    /// As `OriginalPriceDetails`.
    pub original_price_detail: Vec<PriceDetail>,
    /// As `ListPriceDetails`.
    pub list_price_detail: Vec<PriceDetail>,
}

/// The price of one way of charging, in CNY. Without `ListPrice`: it is text in the Go SDK, which breaks on a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct PriceDetail {
    /// Such as `Postpay`.
    pub charge_type: String,
    /// For GPUs, cores and memory.
    pub instance: f64,
    /// For data disks.
    pub disks: f64,
    /// For the boot disk.
    pub system_disks: f64,
    /// For the image.
    pub comp_share_image: f64,
    /// The kind of discount; 0 for none.
    pub instance_discount_type: i64,
    /// The sum before discounts.
    pub original_price: f64,
}

impl From<Vec<PriceDetail>> for PriceDetails {
    /// Without discounts, all lists are the same.
    fn from(rows: Vec<PriceDetail>) -> Self {
        Self {
            price_details: rows.clone(),
            original_price_details: rows.clone(),
            list_price_details: rows.clone(),
            price_detail: rows.clone(),
            original_price_detail: rows.clone(),
            list_price_detail: rows,
        }
    }
}
