use serde::{Deserialize, Serialize};

use crate::bounded::Ignored;

/// Lists the cloud's models. There are none here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeModelRepositoryModelsRequest {
    /// Part of the name.
    #[serde(skip_serializing)]
    pub name: Ignored,
    /// Tags, joined by commas.
    #[serde(skip_serializing)]
    pub tags: Ignored,
}

/// The models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeModelRepositoryModelsResponse {
    /// Empty.
    pub models: Vec<Model>,
}

/// A model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// Its tag.
    pub tag: String,
    /// Its size, as text.
    pub size: String,
    /// Unix seconds.
    pub create_time: i64,
}
