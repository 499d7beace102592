use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// The most accounts in either list of one call.
pub const MAX_SHARE_ACCOUNTS: usize = 10;

/// Shares an image with accounts, or no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifyCompShareImageShareAccountRequest {
    /// Where the image is; the documents have only a region.
    pub place: Place,
    /// The image.
    pub image_id: String,
    /// Accounts that are to see it, at most [`MAX_SHARE_ACCOUNTS`].
    pub add_accounts: Vec<i64>,
    /// Accounts that are to see it no longer, at most [`MAX_SHARE_ACCOUNTS`].
    pub remove_accounts: Vec<i64>,
}

/// Success, unless an account is invalid: then nothing was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifyCompShareImageShareAccountResponse {
    /// The accounts that do not exist or cannot be shared with, as numbers.
    pub invalid_accounts: Vec<i64>,
}

impl Request for ModifyCompShareImageShareAccountRequest {
    const ACTION: Action = Action::ModifyCompShareImageShareAccount;
    type Response = ModifyCompShareImageShareAccountResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        let add_accounts = tree.integers("AddAccounts", MAX_SHARE_ACCOUNTS)?;
        let remove_accounts = tree.integers("RemoveAccounts", MAX_SHARE_ACCOUNTS)?;
        if add_accounts.is_empty() && remove_accounts.is_empty() {
            return Err(ParamError::Missing("AddAccounts|RemoveAccounts".to_owned()));
        }
        Ok(Self { place: Place::bind(tree)?, image_id, add_accounts, remove_accounts })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
            .list("AddAccounts", &self.add_accounts)
            .list("RemoveAccounts", &self.remove_accounts)
    }
}
