//! Who may see what, kept by other means than tables.

use std::collections::{BTreeMap, BTreeSet};

use jingku_protocol::actions::Action;

use super::Stage;

/// An id that no image and no group ever has.
pub(super) const NOWHERE: &str = "compshareImage-1nowherenone";
/// The accounts that call; account 0 is the platform.
pub(super) const ACCOUNTS: [i64; 3] = [1, 2, 3];

#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) owner: i64,
    pub(super) status: String,
    pub(super) public: bool,
    pub(super) group: String,
    pub(super) shares: BTreeSet<i64>,
}

impl Image {
    pub(super) fn is_out(&self) -> bool {
        self.public || self.status == "Reviewing"
    }

    pub(super) fn is_visible_to(&self, account: i64) -> bool {
        self.owner == account || self.owner == 0 || self.public || self.shares.contains(&account)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) images: BTreeMap<String, Image>,
    /// Deleted ones.
    pub(super) gone: Vec<String>,
    /// Every group there ever was.
    pub(super) groups: BTreeSet<String>,
    /// Who favours which group.
    pub(super) favorites: BTreeSet<(i64, String)>,
    /// Names given so far, so that none is given twice.
    pub(super) names: u32,
}

impl World {
    /// What the fixtures hold, as their owners see it.
    pub(super) async fn of_fixtures(stage: &Stage) -> Self {
        let mut world = Self::default();
        for owner in ACCOUNTS {
            for row in stage.caller(owner).images(&[("Limit", "100")]).await {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                let image = Image {
                    owner,
                    status: text("Status"),
                    public: row["Visibility"] == 1,
                    group: text("GroupId"),
                    shares: BTreeSet::new(),
                };
                world.add(text("CompShareImageId"), image);
            }
        }
        assert_eq!((world.images.len(), world.groups.len()), (9, 2));
        world
    }

    pub(super) fn add(&mut self, id: String, image: Image) {
        if !image.group.is_empty() {
            self.groups.insert(image.group.clone());
        }
        self.images.insert(id, image);
    }

    /// A new private image of an account.
    pub(super) fn add_private(&mut self, id: String, owner: i64) {
        let (status, group) = ("Available".to_owned(), String::new());
        self.add(id, Image { owner, status, public: false, group, shares: BTreeSet::new() });
    }

    /// Every image that is or was, and one that never was.
    pub(super) fn ids(&self) -> Vec<String> {
        self.images.keys().chain(&self.gone).cloned().chain([NOWHERE.to_owned()]).collect()
    }

    pub(super) fn own(&self, account: i64, id: &str) -> Option<&Image> {
        self.images.get(id).filter(|image| image.owner == account)
    }

    pub(super) fn ids_where(&self, seen: impl Fn(&Image) -> bool) -> BTreeSet<String> {
        self.images.iter().filter(|(_, image)| seen(image)).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn groups_where(&self, seen: impl Fn(&Image) -> bool) -> BTreeSet<String> {
        let versions = self.images.values().filter(|image| !image.group.is_empty() && seen(image));
        versions.map(|image| image.group.clone()).collect()
    }

    pub(super) fn is_public_group(&self, group: &str) -> bool {
        self.images.values().any(|image| image.public && image.group == group)
    }

    /// Whether an account may be told of an image by an action that takes its id; `None` for an action that takes none,
    /// or changes something: [`step`](super::step) has those.
    pub(super) fn may_tell(&self, action: Action, account: i64, id: &str) -> Option<bool> {
        let image = self.images.get(id);
        let seen = |seen: &dyn Fn(&Image) -> bool| Some(image.is_some_and(seen));
        match action {
            Action::DescribeCompShareCustomImages
            | Action::DescribeCompShareImageShareAccounts
            | Action::GetCompShareImageCreateProgress => seen(&|image| image.owner == account),
            Action::DescribeSelfCommunityImages => {
                seen(&|image| image.owner == account && !image.group.is_empty())
            }
            Action::DescribeCompShareSharingImages => seen(&|image| image.shares.contains(&account)),
            Action::DescribeCompShareImages => seen(&|image| image.owner == 0),
            Action::DescribeCommunityImages => seen(&|image| image.public),
            Action::DescribeUserCommunityImages => seen(&|image| image.public && image.owner == 1),
            Action::ExportCompShareCustomImage => seen(&|image| image.is_visible_to(account)),
            // Of an image that is no copy its owner is told nothing either.
            Action::DescribeCompShareCustomImageSyncDetail => {
                if image.is_some_and(|image| image.owner == account) { None } else { Some(false) }
            }
            Action::AddFavoriteImage
            | Action::CopyCompShareCustomImage
            | Action::CreateCompShareCustomImage
            | Action::CreateCompShareImageFavorite
            | Action::CreateCscliEvent
            | Action::DeleteCompShareImageFavorite
            | Action::DescribeCompShareImageTags
            | Action::DescribeCompShareInstance
            | Action::DescribeCompShareSoftwarePort
            | Action::DescribeCompShareSupportZone
            | Action::DescribeFavoriteImages
            | Action::GetProjectList
            | Action::GetRegion
            | Action::ModifyCompShareImageShareAccount
            | Action::PublishCompShareImage
            | Action::RemoveFavoriteImage
            | Action::SyncCompShareCustomImage
            | Action::TerminateCompShareCustomImage
            | Action::UpdateCompShareImage => None,
        }
    }
}
