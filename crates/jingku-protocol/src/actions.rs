//! Action names, and one file an action with its request and response types. The file name is the action's name in
//! snake case, which is also the method name in the Python SDK.

mod add_favorite_image;
mod community_query;
mod copy_comp_share_custom_image;
mod create_comp_share_custom_image;
mod create_comp_share_image_favorite;
mod create_cscli_event;
mod delete_comp_share_image_favorite;
mod describe_community_images;
mod describe_comp_share_custom_image_sync_detail;
mod describe_comp_share_custom_images;
mod describe_comp_share_image_share_accounts;
mod describe_comp_share_image_tags;
mod describe_comp_share_images;
mod describe_comp_share_instance;
mod describe_comp_share_sharing_images;
mod describe_comp_share_software_port;
mod describe_comp_share_support_zone;
mod describe_favorite_images;
mod describe_self_community_images;
mod describe_user_community_images;
mod export_comp_share_custom_image;
mod get_comp_share_custom_image_url;
mod get_comp_share_image_create_progress;
mod get_project_list;
mod get_region;
mod image_query;
mod import_comp_share_custom_image;
mod modify_comp_share_image_share_account;
mod paging;
mod parameters;
mod place;
mod publish_comp_share_image;
mod remove_favorite_image;
mod sync_comp_share_custom_image;
mod terminate_comp_share_custom_image;
mod update_comp_share_image;

pub use add_favorite_image::{AddFavoriteImageRequest, AddFavoriteImageResponse};
pub use community_query::{CommunityQuery, CommunitySort, GroupStatus, ImageGroup};
pub use copy_comp_share_custom_image::{CopyCompShareCustomImageRequest, CopyCompShareCustomImageResponse};
pub use create_comp_share_custom_image::{
    CreateCompShareCustomImageRequest, CreateCompShareCustomImageResponse, MAX_NAME_CHARS, is_image_name,
};
pub use create_comp_share_image_favorite::{
    CreateCompShareImageFavoriteRequest, CreateCompShareImageFavoriteResponse,
};
pub use create_cscli_event::{CreateCscliEventRequest, CreateCscliEventResponse};
pub use delete_comp_share_image_favorite::{
    DeleteCompShareImageFavoriteRequest, DeleteCompShareImageFavoriteResponse,
};
pub use describe_community_images::{DescribeCommunityImagesRequest, DescribeCommunityImagesResponse};
pub use describe_comp_share_custom_image_sync_detail::{
    DescribeCompShareCustomImageSyncDetailRequest, DescribeCompShareCustomImageSyncDetailResponse,
};
pub use describe_comp_share_custom_images::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse,
};
pub use describe_comp_share_image_share_accounts::{
    DescribeCompShareImageShareAccountsRequest, DescribeCompShareImageShareAccountsResponse,
};
pub use describe_comp_share_image_tags::{
    DescribeCompShareImageTagsRequest, DescribeCompShareImageTagsResponse,
};
pub use describe_comp_share_images::{DescribeCompShareImagesRequest, DescribeCompShareImagesResponse};
pub use describe_comp_share_instance::{
    DescribeCompShareInstanceRequest, DescribeCompShareInstanceResponse, Instance, InstanceAddress,
    InstanceDisk, MAX_INSTANCE_IDS,
};
pub use describe_comp_share_sharing_images::{
    DescribeCompShareSharingImagesRequest, DescribeCompShareSharingImagesResponse,
};
pub use describe_comp_share_software_port::{
    DescribeCompShareSoftwarePortRequest, DescribeCompShareSoftwarePortResponse,
};
pub use describe_comp_share_support_zone::{
    DescribeCompShareSupportZoneRequest, DescribeCompShareSupportZoneResponse, Zone,
};
pub use describe_favorite_images::{DescribeFavoriteImagesRequest, DescribeFavoriteImagesResponse};
pub use describe_self_community_images::{
    DescribeSelfCommunityImagesRequest, DescribeSelfCommunityImagesResponse,
};
pub use describe_user_community_images::{
    DescribeUserCommunityImagesRequest, DescribeUserCommunityImagesResponse,
};
pub use export_comp_share_custom_image::{
    ExportCompShareCustomImageRequest, ExportCompShareCustomImageResponse,
};
pub use get_comp_share_custom_image_url::{
    DEFAULT_LINK_SECS, GetCompShareCustomImageUrlRequest, GetCompShareCustomImageUrlResponse, MAX_LINK_SECS,
};
pub use get_comp_share_image_create_progress::{
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse,
};
pub use get_project_list::{GetProjectListRequest, GetProjectListResponse, Project};
pub use get_region::{GetRegionRequest, GetRegionResponse, Region};
pub use image_query::{ImageQuery, ImageSort};
pub use import_comp_share_custom_image::{
    FileFormat, ImportCompShareCustomImageRequest, ImportCompShareCustomImageResponse, is_blake3,
};
pub use modify_comp_share_image_share_account::{
    MAX_SHARE_ACCOUNTS, ModifyCompShareImageShareAccountRequest, ModifyCompShareImageShareAccountResponse,
};
pub use paging::{DEFAULT_LIMIT, MAX_LIMIT, Paging};
pub use parameters::Parameters;
pub use place::Place;
pub use publish_comp_share_image::{PublishCompShareImageRequest, PublishCompShareImageResponse};
pub use remove_favorite_image::{RemoveFavoriteImageRequest, RemoveFavoriteImageResponse};
pub use sync_comp_share_custom_image::{
    SyncCompShareCustomImageRequest, SyncCompShareCustomImageResponse, SyncResult,
};
pub use terminate_comp_share_custom_image::{
    TerminateCompShareCustomImageRequest, TerminateCompShareCustomImageResponse,
};
pub use update_comp_share_image::{MAX_TAGS, UpdateCompShareImageRequest, UpdateCompShareImageResponse};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// The parameters of one action, typed.
pub trait Request: Sized + Send + Sync {
    /// The action this is a call of.
    const ACTION: Action;
    /// What a successful call answers.
    type Response: Serialize + DeserializeOwned + Send + Sync;

    /// Reads the parameters of this action.
    fn bind(tree: &Tree) -> Result<Self, ParamError>;

    /// Reads what a client sent: the parameters that every action takes, then its own.
    fn read(tree: &Tree) -> Result<Self, ParamError> {
        Place::bind(tree)?;
        Self::bind(tree)
    }

    /// Spells the parameters as a client sends them, unsigned.
    fn params(&self) -> Params;
}

/// What repeating a call does when the first one may have been carried out already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Repeating leads to the same state.
    Safe,
    /// Repeating may do the thing twice, or be refused because it was done.
    Unsafe,
}

/// What a call does to what the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It leaves everything as it is.
    Read,
    /// It may change something.
    Write,
}

macro_rules! actions {
    ($($variant:ident = $name:literal, $repeat:ident;)*) => {
        /// Every action this API knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The parameters it reads and demands, found anew at every call: tens of microseconds.
            pub fn parameters(self) -> Parameters {
                pastey::paste! {
                    match self { $(Self::$variant => parameters::learn::<[<$variant Request>]>(),)* }
                }
            }

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The action of this name; names are case-sensitive.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Whether a client may send a call again without knowing what became of the first.
            pub const fn repeat(self) -> Repeat {
                match self { $(Self::$variant => Repeat::$repeat,)* }
            }
        }
    };
}

impl Action {
    /// Whether a call may change something: a key that is limited to reading is no good for it.
    pub const fn access(self) -> Access {
        match self {
            Self::AddFavoriteImage
            | Self::CopyCompShareCustomImage
            | Self::CreateCompShareCustomImage
            | Self::CreateCompShareImageFavorite
            | Self::DeleteCompShareImageFavorite
            | Self::ImportCompShareCustomImage
            | Self::ModifyCompShareImageShareAccount
            | Self::PublishCompShareImage
            | Self::RemoveFavoriteImage
            | Self::SyncCompShareCustomImage
            | Self::TerminateCompShareCustomImage
            | Self::UpdateCompShareImage => Access::Write,
            // Telemetry is thrown away: nothing changes.
            Self::CreateCscliEvent
            | Self::DescribeCommunityImages
            | Self::DescribeCompShareCustomImageSyncDetail
            | Self::DescribeCompShareCustomImages
            | Self::DescribeCompShareImageShareAccounts
            | Self::DescribeCompShareImageTags
            | Self::DescribeCompShareImages
            | Self::DescribeCompShareInstance
            | Self::DescribeCompShareSharingImages
            | Self::DescribeCompShareSoftwarePort
            | Self::DescribeCompShareSupportZone
            | Self::DescribeFavoriteImages
            | Self::DescribeSelfCommunityImages
            | Self::DescribeUserCommunityImages
            | Self::ExportCompShareCustomImage
            | Self::GetCompShareCustomImageUrl
            | Self::GetCompShareImageCreateProgress
            | Self::GetProjectList
            | Self::GetRegion => Access::Read,
        }
    }

    /// Parameters that the documents call required and that are not needed: only a daemon set to be strict asks for
    /// them.
    pub const fn required_by_documents(self) -> &'static [&'static str] {
        match self {
            Self::CopyCompShareCustomImage
            | Self::CreateCompShareCustomImage
            | Self::DescribeCommunityImages
            | Self::DescribeCompShareCustomImages
            | Self::DescribeCompShareImages
            | Self::DescribeSelfCommunityImages
            | Self::DescribeUserCommunityImages
            | Self::GetCompShareImageCreateProgress
            | Self::PublishCompShareImage
            | Self::TerminateCompShareCustomImage
            | Self::UpdateCompShareImage => &["Region", "Zone"],
            Self::DescribeCompShareImageShareAccounts
            | Self::DescribeCompShareSharingImages
            | Self::DescribeCompShareSoftwarePort
            | Self::DescribeCompShareSupportZone
            | Self::ModifyCompShareImageShareAccount => &["Region"],
            Self::AddFavoriteImage
            | Self::CreateCompShareImageFavorite
            | Self::CreateCscliEvent
            | Self::DeleteCompShareImageFavorite
            | Self::DescribeCompShareCustomImageSyncDetail
            | Self::DescribeCompShareImageTags
            | Self::DescribeCompShareInstance
            | Self::DescribeFavoriteImages
            | Self::ExportCompShareCustomImage
            | Self::GetCompShareCustomImageUrl
            | Self::GetProjectList
            | Self::GetRegion
            | Self::ImportCompShareCustomImage
            | Self::RemoveFavoriteImage
            | Self::SyncCompShareCustomImage => &[],
        }
    }
}

actions! {
    AddFavoriteImage = "AddFavoriteImage", Safe;
    CopyCompShareCustomImage = "CopyCompShareCustomImage", Unsafe;
    CreateCompShareCustomImage = "CreateCompShareCustomImage", Unsafe;
    CreateCompShareImageFavorite = "CreateCompShareImageFavorite", Safe;
    CreateCscliEvent = "CreateCSCLIEvent", Safe;
    DeleteCompShareImageFavorite = "DeleteCompShareImageFavorite", Safe;
    DescribeCommunityImages = "DescribeCommunityImages", Safe;
    DescribeCompShareCustomImageSyncDetail = "DescribeCompShareCustomImageSyncDetail", Safe;
    DescribeCompShareCustomImages = "DescribeCompShareCustomImages", Safe;
    DescribeCompShareImageShareAccounts = "DescribeCompShareImageShareAccounts", Safe;
    DescribeCompShareImageTags = "DescribeCompShareImageTags", Safe;
    DescribeCompShareImages = "DescribeCompShareImages", Safe;
    DescribeCompShareInstance = "DescribeCompShareInstance", Safe;
    DescribeCompShareSharingImages = "DescribeCompShareSharingImages", Safe;
    DescribeCompShareSoftwarePort = "DescribeCompShareSoftwarePort", Safe;
    DescribeCompShareSupportZone = "DescribeCompShareSupportZone", Safe;
    DescribeFavoriteImages = "DescribeFavoriteImages", Safe;
    DescribeSelfCommunityImages = "DescribeSelfCommunityImages", Safe;
    DescribeUserCommunityImages = "DescribeUserCommunityImages", Safe;
    ExportCompShareCustomImage = "ExportCompShareCustomImage", Safe;
    GetCompShareCustomImageUrl = "GetCompShareCustomImageUrl", Safe;
    GetCompShareImageCreateProgress = "GetCompShareImageCreateProgress", Safe;
    GetProjectList = "GetProjectList", Safe;
    GetRegion = "GetRegion", Safe;
    ImportCompShareCustomImage = "ImportCompShareCustomImage", Safe;
    ModifyCompShareImageShareAccount = "ModifyCompShareImageShareAccount", Safe;
    PublishCompShareImage = "PublishCompShareImage", Unsafe;
    RemoveFavoriteImage = "RemoveFavoriteImage", Safe;
    SyncCompShareCustomImage = "SyncCompShareCustomImage", Unsafe;
    TerminateCompShareCustomImage = "TerminateCompShareCustomImage", Unsafe;
    UpdateCompShareImage = "UpdateCompShareImage", Safe;
}
