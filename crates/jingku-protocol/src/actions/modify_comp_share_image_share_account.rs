use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::ImageId;
use crate::list::{List, without_repeats};
use crate::place::Place;

/// The most accounts in either list of one call.
pub const MAX_SHARE_ACCOUNTS: usize = 10;

/// Shares an image with accounts, or stops sharing it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct ModifyCompShareImageShareAccountRequest {
    /// Where the image is; the documents have only a region.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// Accounts to share it with, at most [`MAX_SHARE_ACCOUNTS`].
    #[serde(default, deserialize_with = "without_repeats")]
    pub add_accounts: List<i64, MAX_SHARE_ACCOUNTS>,
    /// Accounts to stop sharing it with, at most [`MAX_SHARE_ACCOUNTS`].
    #[serde(default, deserialize_with = "without_repeats")]
    pub remove_accounts: List<i64, MAX_SHARE_ACCOUNTS>,
}

/// With `remote`, serde derives plain functions and not the traits: this compares fields after them.
impl<'de> Deserialize<'de> for ModifyCompShareImageShareAccountRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let request = Self::deserialize(deserializer)?;
        if request.add_accounts.is_empty() && request.remove_accounts.is_empty() {
            return Err(D::Error::missing_field("AddAccounts|RemoveAccounts"));
        }
        Ok(request)
    }
}

impl Serialize for ModifyCompShareImageShareAccountRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Nothing changes if an account is invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifyCompShareImageShareAccountResponse {
    /// The accounts that do not exist or cannot be shared with, as numbers.
    pub invalid_accounts: Vec<i64>,
}
