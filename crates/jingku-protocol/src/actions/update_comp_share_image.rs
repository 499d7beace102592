use serde::{Deserialize, Serialize, Serializer};

use crate::bounded::{
    Cover, Description, Ignored, ImageId, ImageName, MAX_TAGS, Price, Readme, Word, clearable,
};
use crate::image::Softwares;
use crate::list::List;
use crate::place::Place;

pub use crate::done::Done as UpdateCompShareImageResponse;

/// Changes an image. Absent parameters leave their values unchanged: the typed Python and Go SDKs cannot send all of
/// them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCompShareImageRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// A text of older clients, not used.
    #[serde(default, skip_serializing)]
    pub framework: Ignored,
    /// Older clients send it, as a text or as an object. Not used.
    #[serde(default, with = "crate::softwares")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::softwares::SoftwaresParam>"))]
    pub softwares: Option<Softwares>,
    /// A new name; see [`is_image_name`](crate::actions::is_image_name).
    pub name: Option<ImageName>,
    /// Free text; empty clears.
    #[serde(default, deserialize_with = "clearable")]
    pub description: Option<Description>,
    /// `true` for public.
    #[serde(rename = "Visibility", serialize_with = "one_or_zero")]
    pub public: Option<bool>,
    /// A picture as Base64 text; empty clears.
    #[serde(default, deserialize_with = "clearable")]
    pub cover: Option<Cover>,
    /// Markdown; empty clears.
    #[serde(default, deserialize_with = "clearable")]
    pub readme: Option<Readme>,
    /// At most [`MAX_TAGS`].
    #[serde(default, deserialize_with = "clearable")]
    pub tags: Option<List<Word, MAX_TAGS>>,
    /// The community group.
    pub group_id: Option<Word>,
    /// CNY per hour.
    pub price: Option<Price>,
    /// Such as `v1.0`.
    #[serde(default, deserialize_with = "clearable")]
    pub version_name: Option<Word>,
    /// Free text.
    #[serde(default, deserialize_with = "clearable")]
    pub version_desc: Option<Description>,
    /// Recommended GPU models.
    #[serde(default, deserialize_with = "clearable")]
    pub supported_gpu_types: Option<List<Word>>,
    /// Whether the software starts automatically.
    pub auto_start: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde calls it so")]
fn one_or_zero<S: Serializer>(flag: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
    flag.map(u8::from).serialize(serializer)
}
