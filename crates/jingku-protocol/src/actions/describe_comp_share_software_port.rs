use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::image::SoftwarePort;
use crate::params::Params;
use crate::tree::Tree;

/// Lists the well-known software and the port each listens on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescribeCompShareSoftwarePortRequest;

/// The software known by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareSoftwarePortResponse {
    /// One entry a piece of software.
    pub software_port: Vec<SoftwarePort>,
}

impl Request for DescribeCompShareSoftwarePortRequest {
    const ACTION: Action = Action::DescribeCompShareSoftwarePort;
    type Response = DescribeCompShareSoftwarePortResponse;

    fn bind(_tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self)
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name())
    }
}
