use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Characters of a BLAKE3 hash in hexadecimal.
const HASH_CHARS: usize = 64;

/// Tells whether a text is a BLAKE3 hash in hexadecimal, in small letters.
pub fn is_blake3(text: &str) -> bool {
    text.len() == HASH_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Extension: asks for a link to which the file of a disk can be uploaded, to be made an image of.
///
/// Asked again for the same name and size while the upload goes on, it answers the same image and a new link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportCompShareCustomImageRequest {
    /// Where the image is to be; the default zone when absent.
    pub place: Place,
    /// The image's name, unique in the account; see [`is_image_name`](super::is_image_name).
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Bytes of the file, as it is uploaded; absent when nobody knows yet.
    pub size_bytes: Option<i64>,
    /// Bytes of the file that are no hole, if the client knows; at most `size_bytes`. Room is looked for by them.
    pub data_bytes: Option<i64>,
    /// BLAKE3 of the file in hexadecimal, if it is known.
    pub blake3: Option<String>,
    /// How the disk in the file is to be read, whatever it looks like; its content decides when absent.
    pub format: Option<FileFormat>,
}

/// How the disk in a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    fn parse(text: &str) -> Option<Self> {
        [Self::Raw, Self::Qcow2].into_iter().find(|format| format.as_str() == text)
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

impl Request for ImportCompShareCustomImageRequest {
    const ACTION: Action = Action::ImportCompShareCustomImage;
    type Response = ImportCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let name = tree.required_image_name("Name")?;
        let size_bytes = tree.parsed("SizeBytes")?;
        if size_bytes.is_some_and(|bytes: i64| bytes < 1) {
            return Err(ParamError::not_available("SizeBytes"));
        }
        let data_bytes = tree.parsed("DataBytes")?;
        if data_bytes.is_some_and(|bytes: i64| bytes < 0 || size_bytes.is_none_or(|size| bytes > size)) {
            return Err(ParamError::not_available("DataBytes"));
        }
        let blake3 = tree.id("Blake3")?;
        if blake3.as_deref().is_some_and(|hash| !is_blake3(hash)) {
            return Err(ParamError::not_available("Blake3"));
        }
        let format = tree.word("Format")?.filter(|text| !text.is_empty());
        let known =
            |text: String| FileFormat::parse(&text).ok_or_else(|| ParamError::not_available("Format"));
        let format = format.map(known).transpose()?;
        Ok(Self {
            place: Place::bind(tree)?,
            name,
            description: tree.description("Description")?,
            size_bytes,
            data_bytes,
            blake3,
            format,
        })
    }

    fn params(&self) -> Params {
        let params = self.place.add_to(Params::for_action(Self::ACTION.name()));
        params
            .text("Name", Some(&self.name))
            .text("Description", self.description.as_deref())
            .number("SizeBytes", self.size_bytes)
            .number("DataBytes", self.data_bytes)
            .text("Blake3", self.blake3.as_deref())
            .text("Format", self.format.map(FileFormat::as_str))
    }
}
