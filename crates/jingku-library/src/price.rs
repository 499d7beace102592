//! Prices. The API uses yuan, the catalogue hundredths of a yuan.

/// Converts hundredths to CNY per hour.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 hundredths")]
pub fn cents_to_price(cents: i64) -> f64 {
    cents as f64 / 100.0
}

/// Converts CNY per hour to hundredths.
#[expect(clippy::cast_possible_truncation, reason = "the request was checked to be within limits")]
pub fn price_to_cents(price: f64) -> i64 {
    (price * 100.0).round() as i64
}
