use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::{Description, FileHash, ImageName, Integer};
use crate::place::Place;

/// Extension: starts the import of a disk file as an image and answers the link to upload it to.
///
/// A repeated call with the same name and size resumes the upload: it answers the same image and a new link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct ImportCompShareCustomImageRequest {
    /// Where to store the image; the default zone when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image's name, unique in the account; see [`is_image_name`](crate::actions::is_image_name).
    pub name: ImageName,
    /// Free text.
    pub description: Option<Description>,
    /// Size of the uploaded file in bytes, if known.
    pub size_bytes: Option<Integer<1, { i64::MAX }>>,
    /// Bytes of the file outside holes, if known; at most `size_bytes`. The server checks its free space against them.
    pub data_bytes: Option<Integer<0, { i64::MAX }>>,
    /// BLAKE3 of the file in hexadecimal, if known.
    pub blake3: Option<FileHash>,
    /// The format of the file; detected from its content when absent.
    pub format: Option<FileFormat>,
}

/// With `remote`, serde derives plain functions and not the traits: this compares fields after them.
impl<'de> Deserialize<'de> for ImportCompShareCustomImageRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let request = Self::deserialize(deserializer)?;
        let size = request.size_bytes.map(|size| size.0);
        if request.data_bytes.is_some_and(|data| size.is_none_or(|size| data.0 > size)) {
            return Err(D::Error::duplicate_field("DataBytes"));
        }
        Ok(request)
    }
}

impl Serialize for ImportCompShareCustomImageRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// The format of a disk file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// A raw disk.
    Raw,
    /// QEMU copy on write.
    Qcow2,
}

impl FileFormat {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// The image, now `Making`, and the link to upload its file to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ImportCompShareCustomImageResponse {
    /// The image's id.
    pub comp_share_image_id: String,
    /// For `HEAD`, `PATCH` and `POST`. It needs no signature: keep it secret.
    pub url: String,
    /// When the link expires, in Unix seconds. A repeated call answers a new one.
    pub expire_time: i64,
    /// Whether the upload existed already: after a failure a client may withdraw only an upload that it started.
    pub resumed: bool,
}
