//! Shared images, platform images and other accounts.

use jingku_library::{DiskFormat, Instance, NewInstance, PlatformType};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::{Caller, Service};

impl Caller {
    /// Shares an own image.
    pub(crate) async fn share(&self, id: &str, accounts: &[i64]) {
        assert_eq!(self.change_shares(id, "AddAccounts", accounts).await, json!([]));
    }

    /// Stops sharing an own image with these accounts.
    pub(crate) async fn unshare(&self, id: &str, accounts: &[i64]) {
        assert_eq!(self.change_shares(id, "RemoveAccounts", accounts).await, json!([]));
    }

    async fn change_shares(&self, id: &str, list: &str, accounts: &[i64]) -> Value {
        let params_by_account: Vec<_> = accounts
            .iter()
            .enumerate()
            .map(|(index, account)| (format!("{list}.{index}"), account.to_string()))
            .collect();
        let mut params = vec![("CompShareImageId", id)];
        params.extend(params_by_account.iter().map(|(name, account)| (name.as_str(), account.as_str())));
        self.ok(Action::ModifyCompShareImageShareAccount, &params).await["InvalidAccounts"].clone()
    }

    /// The image ids that a list returns.
    pub(crate) async fn ids(&self, list: Action, params: &[(&str, &str)]) -> Vec<String> {
        let reply = self.ok(list, params).await;
        let images = reply["ImageSet"].as_array().unwrap().iter();
        images.map(|image| image["CompShareImageId"].as_str().unwrap().to_owned()).collect()
    }
}

impl Service {
    /// Creates an account with this name; returns its id and a caller with its key.
    pub(crate) async fn account(&self, name: &str) -> (i64, Caller) {
        let (account, keys) = self.context.library.create_account(name).await.unwrap();
        (account.id.0, Caller::with_keys(jingku_server::router(self.context.clone()), &keys))
    }

    /// Promotes an image to a platform image and returns the id of the platform's copy.
    pub(crate) async fn promote(&self, id: &str, platform_type: PlatformType) -> String {
        self.context.library.promote_image(id, platform_type, None).await.unwrap().id
    }

    /// Publishes an image of account 1 and approves it.
    pub(crate) async fn make_public(&self, id: &str) {
        self.caller().publish(id, &[]).await;
        self.context.library.approve_image(id).await.unwrap();
    }

    /// Declares an instance of an account that was started from an image.
    pub(crate) async fn start_from(&self, account: i64, id: &str, image_id: &str) -> Instance {
        let disk = self.disk(&format!("{id}.raw"), DiskFormat::Raw, 9);
        let new =
            NewInstance { id, name: None, account, zone: None, disk: &disk, format: None, gpu_type: "" };
        self.context.library.add_instance_from(new, image_id).await.unwrap()
    }
}
