use serde::{Deserialize, Serialize};

/// Lists the account's projects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetProjectListRequest;

/// The projects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct GetProjectListResponse {
    /// How many.
    pub project_count: i64,
    /// One entry a project.
    pub project_set: Vec<Project>,
}

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Project {
    /// Its id, such as `org-abc123`.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// The project above; empty for none.
    pub parent_id: String,
    /// Its name.
    pub parent_name: String,
    /// Unix seconds.
    pub create_time: i64,
    /// Whether a client without a choice should take it.
    pub is_default: bool,
    /// Resources in it.
    pub resource_count: i64,
    /// Members of it.
    pub member_count: i64,
}
