//! Action names, and one file an action with its request and response types. The file name is the action's name in
//! snake case, which is also the method name in the Python SDK.

mod create_comp_share_custom_image;
mod create_cscli_event;
mod describe_comp_share_custom_images;
mod describe_comp_share_instance;
mod describe_comp_share_software_port;
mod describe_comp_share_support_zone;
mod export_comp_share_custom_image;
mod get_comp_share_image_create_progress;
mod get_project_list;
mod get_region;
mod paging;
mod parameters;
mod place;
mod terminate_comp_share_custom_image;
mod update_comp_share_image;

pub use create_comp_share_custom_image::{
    CreateCompShareCustomImageRequest, CreateCompShareCustomImageResponse, MAX_NAME_CHARS, is_image_name,
};
pub use create_cscli_event::{CreateCscliEventRequest, CreateCscliEventResponse};
pub use describe_comp_share_custom_images::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse,
};
pub use describe_comp_share_instance::{
    DescribeCompShareInstanceRequest, DescribeCompShareInstanceResponse, Instance, InstanceAddress,
    InstanceDisk,
};
pub use describe_comp_share_software_port::{
    DescribeCompShareSoftwarePortRequest, DescribeCompShareSoftwarePortResponse,
};
pub use describe_comp_share_support_zone::{
    DescribeCompShareSupportZoneRequest, DescribeCompShareSupportZoneResponse, Zone,
};
pub use export_comp_share_custom_image::{
    ExportCompShareCustomImageRequest, ExportCompShareCustomImageResponse,
};
pub use get_comp_share_image_create_progress::{
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse,
};
pub use get_project_list::{GetProjectListRequest, GetProjectListResponse, Project};
pub use get_region::{GetRegionRequest, GetRegionResponse, Region};
pub use paging::{DEFAULT_LIMIT, MAX_LIMIT, Paging};
pub use parameters::Parameters;
pub use place::Place;
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

    /// Reads the parameters a client sent.
    fn bind(tree: &Tree) -> Result<Self, ParamError>;

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
    /// Parameters that the documents call required and that are not needed: only a daemon set to be strict asks for
    /// them.
    pub const fn required_by_documents(self) -> &'static [&'static str] {
        match self {
            Self::CreateCompShareCustomImage
            | Self::DescribeCompShareCustomImages
            | Self::GetCompShareImageCreateProgress
            | Self::TerminateCompShareCustomImage
            | Self::UpdateCompShareImage => &["Region", "Zone"],
            Self::DescribeCompShareSoftwarePort | Self::DescribeCompShareSupportZone => &["Region"],
            Self::CreateCscliEvent
            | Self::DescribeCompShareInstance
            | Self::ExportCompShareCustomImage
            | Self::GetProjectList
            | Self::GetRegion => &[],
        }
    }
}

actions! {
    CreateCompShareCustomImage = "CreateCompShareCustomImage", Unsafe;
    CreateCscliEvent = "CreateCSCLIEvent", Safe;
    DescribeCompShareCustomImages = "DescribeCompShareCustomImages", Safe;
    DescribeCompShareInstance = "DescribeCompShareInstance", Safe;
    DescribeCompShareSoftwarePort = "DescribeCompShareSoftwarePort", Safe;
    DescribeCompShareSupportZone = "DescribeCompShareSupportZone", Safe;
    ExportCompShareCustomImage = "ExportCompShareCustomImage", Safe;
    GetCompShareImageCreateProgress = "GetCompShareImageCreateProgress", Safe;
    GetProjectList = "GetProjectList", Safe;
    GetRegion = "GetRegion", Safe;
    TerminateCompShareCustomImage = "TerminateCompShareCustomImage", Unsafe;
    UpdateCompShareImage = "UpdateCompShareImage", Safe;
}
