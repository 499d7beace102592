//! How limits of an account are shown, by their names on the wire.

use crate::messages::tr;
use crate::output::bytes;

/// The name, in the user's language. A newer server may have a limit that this program does not know.
pub(crate) fn name(limit: &str) -> String {
    match limit {
        "Images" => tr!("limit-images"),
        "Trashed" => tr!("limit-trashed"),
        "StoredBytes" => tr!("limit-stored-bytes"),
        "UniqueBytes" => tr!("limit-unique-bytes"),
        "Uploads" => tr!("limit-uploads"),
        "UploadBytes" => tr!("limit-upload-bytes"),
        "Jobs" => tr!("limit-jobs"),
        "Transfers" => tr!("limit-transfers"),
        other => other.to_owned(),
    }
}

/// A use, or a maximum: `None` is no limit.
pub(crate) fn amount(limit: &str, amount: Option<i64>) -> String {
    match amount {
        None => tr!("limit-none"),
        Some(amount) if limit.ends_with("Bytes") => bytes(u64::try_from(amount).unwrap_or(0)),
        Some(amount) => amount.to_string(),
    }
}
