use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::{Description, FileHash, ImageName, Integer};
use crate::place::Place;

/// Extension: asks for a link to which the file of a disk can be uploaded, to be made an image of.
///
/// Asked again for the same name and size while the upload goes on, it answers the same image and a new link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct ImportCompShareCustomImageRequest {
    /// Where the image is to be; the default zone when absent.
    #[serde(rename = "+place")]
    pub place: Place,
    /// The image's name, unique in the account; see [`is_image_name`](crate::actions::is_image_name).
    pub name: ImageName,
    /// Free text.
    pub description: Option<Description>,
    /// Bytes of the file, as it is uploaded; absent when nobody knows yet.
    pub size_bytes: Option<Integer<1, { i64::MAX }>>,
    /// Bytes of the file that are no hole, if the client knows; at most `size_bytes`. Room is looked for by them.
    pub data_bytes: Option<Integer<0, { i64::MAX }>>,
    /// BLAKE3 of the file in hexadecimal, if it is known.
    pub blake3: Option<FileHash>,
    /// How the disk in the file is to be read, whatever it looks like; its content decides when absent.
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

/// How the disk in a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Byte for byte.
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

/// The image, which is `Making` from now on, and where its file goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImportCompShareCustomImageResponse {
    /// The image's id.
    pub comp_share_image_id: String,
    /// For `HEAD`, `PATCH` and `POST`. Whoever has it can send bytes.
    pub url: String,
    /// When the link ends, in Unix seconds. Asking again gives another.
    pub expire_time: i64,
    /// Whether the upload was there before: a client that fails may withdraw only what it has started itself.
    pub resumed: bool,
}
