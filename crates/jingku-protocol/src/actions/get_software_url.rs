use serde::{Deserialize, Serialize};

use crate::bounded::{InstanceId, Word};
use crate::place::Place;

/// Asks for the URL of a program in an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct GetSoftwareUrlRequest {
    /// Where the instance is; taken from the instance when absent.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance.
    #[serde(rename = "UHostId")]
    pub instance_id: InstanceId,
    /// A program, such as `JupyterLab`.
    pub software: Word,
}

/// The URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GetSoftwareUrlResponse {
    /// Of Jupyter, with its token if that is known.
    #[serde(rename = "URL")]
    pub url: String,
}
