//! Images in the community.

use jingku_library::{Approve, Community, Config};
use jingku_protocol::actions::Action;
use serde_json::Value;

use super::{Caller, NOW, Service};

impl Service {
    /// Starts a server that publishes submissions without review.
    pub(crate) async fn approving() -> Self {
        let community = Community { approve: Approve::Automatic, ..Community::default() };
        Self::with(Config { community, ..Config::default() }).await
    }

    /// Publishes two versions of a group, which is a favourite of account 1: image-1, and image-2, which is in review.
    pub(crate) async fn add_favorite_with_review(&self) {
        self.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
        let caller = self.caller();
        let group = caller.publish("image-1", &[]).await;
        caller.publish("image-2", &[("GroupId", &group)]).await;
        self.context.library.approve_image("image-1").await.unwrap();
        caller.ok(Action::CreateCompShareImageFavorite, &[("GroupId", &group)]).await;
    }
}

impl Caller {
    /// Checks the refusals of a call that an image id selects.
    pub(crate) async fn assert_image_is_required(&self, call: Action) {
        self.assert_refused(call, &[], 210, "Missing params [CompShareImageId]").await;
        let unknown = [("CompShareImageId", "none")];
        self.assert_refused(call, &unknown, 8039, "Resource not exist [none]").await;
        self.assert_project_is_checked(call, &unknown).await;
    }

    /// Publishes an image and returns its group id.
    pub(crate) async fn publish(&self, id: &str, params: &[(&str, &str)]) -> String {
        let params = [&[("CompShareImageId", id)], params].concat();
        let reply = self.ok(Action::PublishCompShareImage, &params).await;
        assert_eq!(reply["NewCompShareImageId"], id);
        reply["GroupId"].as_str().unwrap().to_owned()
    }

    /// The groups of a list call. Checks that the two copies of the versions in the reply agree.
    pub(crate) async fn groups(&self, list: Action, params: &[(&str, &str)]) -> Vec<Value> {
        let reply = self.ok(list, params).await;
        let groups = reply["CompshareImageGroup"].as_array().unwrap().clone();
        if list == Action::DescribeCommunityImages {
            let versions: Vec<_> =
                groups.iter().flat_map(|group| group["Data"].as_array().unwrap().clone()).collect();
            assert_eq!(reply["ImageSet"], Value::Array(versions));
        } else {
            assert_eq!(reply["ImageSetGroup"], reply["CompshareImageGroup"]);
        }
        let available = groups.iter().filter(|group| group["Status"] == "Available").count();
        assert_eq!(reply["AvailableTotalCount"], available);
        groups
    }

    /// The names of the groups of a list call, in its order.
    pub(crate) async fn group_names(&self, list: Action, params: &[(&str, &str)]) -> Vec<String> {
        let groups = self.groups(list, params).await;
        groups.iter().map(|group| group["ImageName"].as_str().unwrap().to_owned()).collect()
    }
}
