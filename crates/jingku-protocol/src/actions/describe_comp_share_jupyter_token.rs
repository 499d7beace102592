use serde::{Deserialize, Serialize};

use crate::actions::MAX_INSTANCE_IDS;
use crate::bounded::InstanceId;
use crate::list::List;
use crate::place::Place;

/// Asks for the token of the Jupyter server in an instance. Neither in the documents nor in the SDKs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareJupyterTokenRequest {
    /// Where the instance is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The instance. Of several, the cloud uses the first.
    #[serde(rename = "UHostIds")]
    pub instance_ids: List<InstanceId, MAX_INSTANCE_IDS>,
}

/// The token, in both places where recordings of the service have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareJupyterTokenResponse {
    /// Empty without a Jupyter server.
    pub jupyter_token: String,
    /// The same.
    pub data_set: Vec<JupyterToken>,
}

/// The token of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct JupyterToken {
    /// The instance's id.
    #[serde(rename = "UHostId")]
    pub instance_id: String,
    /// Its token.
    pub jupyter_token: String,
}
