use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Extension: gives back the bits of an image of the caller's own account.
///
/// On success the reply is no JSON but the file itself, `application/octet-stream` with its `Content-Length`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportCompShareCustomImageRequest {
    /// The image, which must be `Available`.
    pub image_id: String,
    /// What the file is to be.
    pub format: ExportFormat,
}

/// A disk image format to export to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// The bytes of the disk, holes as zeros.
    #[default]
    Raw,
    /// QCOW2 version 3 without the holes.
    Qcow2,
}

impl ExportFormat {
    /// The spelling on the wire and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

impl std::str::FromStr for ExportFormat {
    type Err = ParamError;

    fn from_str(text: &str) -> Result<Self, ParamError> {
        match text {
            "raw" => Ok(Self::Raw),
            "qcow2" => Ok(Self::Qcow2),
            _ => Err(ParamError::not_available("Format")),
        }
    }
}

/// Never sent: success is the file itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCompShareCustomImageResponse {}

impl Request for ExportCompShareCustomImageRequest {
    const ACTION: Action = Action::ExportCompShareCustomImage;
    type Response = ExportCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            image_id: tree.required_text("CompShareImageId")?,
            format: tree.parsed("Format")?.unwrap_or_default(),
        })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name())
            .text("CompShareImageId", Some(&self.image_id))
            .text("Format", Some(self.format.as_str()))
    }
}
