use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::actions::MAX_TRASHED_IDS;
use crate::bounded::{ImageId, ImageName};
use crate::list::{List, without_repeats};
use crate::place::Place;

pub use crate::done::Done as RestoreCompShareCustomImageResponse;

/// Extension: restores deleted images of the caller's own account, all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct RestoreCompShareCustomImageRequest {
    /// Checked, but not used to find the images.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The images, at most [`MAX_TRASHED_IDS`].
    #[serde(default, rename = "CompShareImageIds", deserialize_with = "without_repeats")]
    pub image_ids: List<ImageId, MAX_TRASHED_IDS>,
    /// Another name for the only image.
    pub name: Option<ImageName>,
}

/// With `remote`, serde derives plain functions and not the traits: this compares fields after them.
impl<'de> Deserialize<'de> for RestoreCompShareCustomImageRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let request = Self::deserialize(deserializer)?;
        match request.image_ids.len() {
            0 => Err(D::Error::missing_field("CompShareImageIds")),
            2.. if request.name.is_some() => Err(D::Error::duplicate_field("Name")),
            _ => Ok(request),
        }
    }
}

impl Serialize for RestoreCompShareCustomImageRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}
