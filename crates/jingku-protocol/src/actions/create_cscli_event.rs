use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Telemetry that the official CLI sends after every command. Its parameters
/// are thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreateCscliEventRequest;

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateCscliEventResponse {}

impl Request for CreateCscliEventRequest {
    const ACTION: Action = Action::CreateCscliEvent;
    type Response = CreateCscliEventResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        for name in ["Command", "CLIVersion", "OS", "OccurredAt"] {
            tree.scalar(name)?;
        }
        Ok(Self)
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name())
    }
}
