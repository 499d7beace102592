//! The table of actions, and one file per action with its request and response types. The file name is the action's name
//! in snake case, which is also the method name in the Python SDK.

use pastey::paste;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::param_error::ParamError;
use crate::params::Params;
use crate::read::read;
use crate::tree::Tree;
use crate::write::write;

pub use crate::bounded::{
    Cover, Description, FileHash, Filter, GroupId, Ignored, ImageId, ImageName, InstanceId, InstanceName,
    Integer, MAX_INSTANCE_NAME_CHARS, MAX_NAME_CHARS, MAX_README_CHARS, MAX_TAGS, PageToken, PasswordText,
    PlaceName, Price, Readme, SshPublicKey, WebhookId, WebhookUrl, Word, is_blake3, is_image_name,
    is_instance_name,
};
pub use crate::community_query::{CommunityQuery, CommunitySort, GroupStatus, ImageGroup};
pub use crate::image_query::{ImageQuery, ImageSort};
pub use crate::instance_done::InstanceDone;
pub use crate::list::List;
pub use crate::login::{LoginMode, SshPublicKeys};
pub use crate::machine::{ChargeType, CpuCount, DiskGb, DiskSpec, DiskSpecs, GpuCount, MemoryMb};
pub use crate::paging::{DEFAULT_LIMIT, MAX_LIMIT, Paging};
pub use crate::parameters::Parameters;
pub use crate::place::Place;
pub use crate::price_detail::{PriceDetail, PriceDetails};
pub use check_comp_share_resource_capacity::InstanceSpec;
pub use create_comp_share_custom_image::ImageEstimate;
pub use create_comp_share_instance::MAX_NEW_INSTANCES;
pub use describe_available_comp_share_instance_types::{
    AvailableInstanceType, CpuPlatforms, GraphicsMemory, MachineCollection, MachineSize, OfferKind,
    OfferedBootDisk, OfferedDisk, Performance,
};
pub use describe_comp_share_custom_images::ImageRows;
pub use describe_comp_share_image_activity::Activity;
pub use describe_comp_share_image_usage::{
    DEFAULT_USAGE_DAYS, ImageUsage, LimitUsage, MAX_USAGE_DAYS, OtherImages, UsageSample,
};
pub use describe_comp_share_image_webhook_deliveries::WebhookDelivery;
pub use describe_comp_share_image_webhooks::Webhook;
pub use describe_comp_share_instance::{
    DiskPrice, Instance, InstanceAddress, InstanceDisk, InstancePorts, InstanceSoftware, MAX_INSTANCE_IDS,
    MonitorMessages, SizeSpec,
};
pub use describe_comp_share_jupyter_token::JupyterToken;
pub use describe_comp_share_machine_type_families::MachineTypeFamily;
pub use describe_comp_share_support_zone::Zone;
pub use describe_comp_share_trashed_images::{MAX_TRASHED_IDS, TrashedImage};
pub use describe_model_repository_models::Model;
pub use get_comp_share_custom_image_url::{DEFAULT_LINK_SECS, MAX_LINK_SECS};
pub use get_comp_share_instance_monitor::{
    MAX_MONITORED, Metric, MetricResult, MetricValue, MonitorData, MonitoredInstance,
};
pub use get_comp_share_refund_price::RefundPrice;
pub use get_project_list::Project;
pub use get_region::Region;
pub use import_comp_share_custom_image::FileFormat;
pub use modify_comp_share_image_share_account::MAX_SHARE_ACCOUNTS;
pub use sync_comp_share_custom_image::SyncResult;
pub use update_comp_share_instance_ports::{MAX_PORTS, Ports};

/// The parameters of one action, typed.
pub trait Request: Serialize + DeserializeOwned + Default + Send + Sync {
    /// The action this is a call of.
    const ACTION: Action;
    /// What a successful call answers.
    type Response: Serialize + DeserializeOwned + Send + Sync;

    /// Reads what a client sent: first the place, which every action takes, then the parameters of this action.
    fn read(tree: &Tree) -> Result<Self, ParamError> {
        read::<Place>(tree)?;
        read(tree)
    }

    /// Spells the parameters as a client sends them, unsigned.
    fn params(&self) -> Params {
        write(Self::ACTION.name(), self)
    }
}

/// What repeating a call does when the first one may have been carried out already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Repeating leads to the same state.
    Safe,
    /// Repeating may act twice, or be refused because the first call succeeded.
    Unsafe,
}

/// What a call does to the account's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It may change something; a read-only key is refused.
    Write,
}

/// Declares the actions: name (the one on the wire follows where it differs), access, whether a call may be repeated,
/// and the parameters that the documents call required and that only a strict server demands.
macro_rules! actions {
    ($d:tt $($action:ident $(($wire:literal))?: $access:ident, $repeat:ident, documented [$($documented:ident),*];)*) => {
        paste! {
            $(
                mod [<$action:snake>];
                pub use [<$action:snake>]::{[<$action Request>], [<$action Response>]};

                impl Request for [<$action Request>] {
                    const ACTION: Action = Action::$action;
                    type Response = [<$action Response>];
                }
            )*

            /// Every action this API knows.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum Action {
                $(#[doc = concat!("See [`", stringify!([<$action Request>]), "`].")] $action,)*
            }

            /// Calls a macro with one row for each action: its name, its file, its request type and its response type.
            #[macro_export]
            macro_rules! for_each_action {
                ($d callback:ident) => {
                    $d callback! { $($action [<$action:snake>] [<$action Request>] [<$action Response>];)* }
                };
            }

            impl Action {
                /// The parameters it reads and demands, worked out anew at every call: tens of microseconds.
                pub fn parameters(self) -> Parameters {
                    let mut parameters = match self { $(Self::$action => Parameters::of::<[<$action Request>]>(),)* };
                    parameters.names.extend(Parameters::of::<Place>().names);
                    parameters.required.extend(self.documented().iter().map(|name| (*name).to_owned()));
                    parameters
                }

                /// The schemas of its request and of its response.
                #[cfg(feature = "schema")]
                pub(crate) fn schemas(self, generator: &mut schemars::SchemaGenerator) -> [schemars::Schema; 2] {
                    use schemars::JsonSchema;
                    match self {
                        $(Self::$action => [
                            [<$action Request>]::json_schema(generator),
                            [<$action Response>]::json_schema(generator),
                        ],)*
                    }
                }
            }
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$action => [$($wire,)? stringify!($action)][0],)* }
            }

            /// The action of this name; names are case-sensitive.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }

            /// Whether a call may change something.
            pub const fn access(self) -> Access {
                match self { $(Self::$action => Access::$access,)* }
            }

            /// Whether a client may repeat a call without knowing whether the first succeeded.
            pub const fn repeat(self) -> Repeat {
                match self { $(Self::$action => Repeat::$repeat,)* }
            }

            /// Parameters that the documents call required and that only a strict server demands.
            pub const fn documented(self) -> &'static [&'static str] {
                match self { $(Self::$action => &[$(stringify!($documented)),*],)* }
            }
        }
    };
}

actions! { $
    AddFavoriteImage: Write, Safe, documented [];
    CheckCompShareNetOptimizer: Read, Safe, documented [Region, Zone];
    CheckCompShareResourceCapacity: Read, Safe, documented [Region, Zone];
    CopyCompShareCustomImage: Write, Unsafe, documented [Region, Zone];
    CreateCompShareCustomImage: Write, Unsafe, documented [Region, Zone];
    CreateCompShareImageFavorite: Write, Safe, documented [];
    CreateCompShareImageWebhook: Write, Unsafe, documented [];
    CreateCompShareInstance: Write, Unsafe, documented [Region, Zone, MachineType];
    // The server discards telemetry, so nothing changes.
    CreateCscliEvent("CreateCSCLIEvent"): Read, Safe, documented [];
    DeleteCompShareImageFavorite: Write, Safe, documented [];
    DeleteCompShareImageWebhook: Write, Unsafe, documented [];
    DeleteCompShareStopScheduler: Write, Safe, documented [Region];
    DescribeAvailableCompShareInstanceTypes: Read, Safe, documented [];
    DescribeCommunityImages: Read, Safe, documented [Region, Zone];
    DescribeCompShareCustomImageSyncDetail: Read, Safe, documented [];
    DescribeCompShareCustomImages: Read, Safe, documented [Region, Zone];
    DescribeCompShareGpuInventory: Read, Safe, documented [Region];
    DescribeCompShareImageActivity: Read, Safe, documented [];
    DescribeCompShareImageShareAccounts: Read, Safe, documented [Region];
    DescribeCompShareImageTags: Read, Safe, documented [];
    DescribeCompShareImageUsage: Read, Safe, documented [];
    DescribeCompShareImageWebhookDeliveries: Read, Safe, documented [];
    DescribeCompShareImageWebhooks: Read, Safe, documented [];
    DescribeCompShareImages: Read, Safe, documented [Region, Zone];
    DescribeCompShareInstance: Read, Safe, documented [];
    DescribeCompShareJupyterToken: Read, Safe, documented [];
    DescribeCompShareMachineTypeFamilies: Read, Safe, documented [Region];
    DescribeCompShareSharingImages: Read, Safe, documented [Region];
    DescribeCompShareSoftwarePort: Read, Safe, documented [Region];
    DescribeCompShareSupportZone: Read, Safe, documented [Region];
    DescribeCompShareTrashedImages: Read, Safe, documented [];
    DescribeFavoriteImages: Read, Safe, documented [];
    DescribeModelRepositoryModels: Read, Safe, documented [Region, Zone];
    DescribeSelfCommunityImages: Read, Safe, documented [Region, Zone];
    DescribeUserCommunityImages: Read, Safe, documented [Region, Zone];
    ExportCompShareCustomImage: Read, Safe, documented [];
    GetCompShareCustomImageUrl: Read, Safe, documented [];
    GetCompShareImageCreateProgress: Read, Safe, documented [Region, Zone];
    GetCompShareInstanceMonitor: Read, Safe, documented [Region];
    GetCompShareInstancePrice: Read, Safe, documented [Region, Zone];
    GetCompShareInstanceUpgradePrice: Read, Safe, documented [Region, Zone];
    GetCompShareInstanceUserPrice: Read, Safe, documented [Region, Zone];
    GetCompShareRefundPrice: Read, Safe, documented [Region, Zone];
    GetProjectList: Read, Safe, documented [];
    GetRegion: Read, Safe, documented [];
    GetSoftwareUrl("GetSoftwareURL"): Read, Safe, documented [Region, Zone];
    ImportCompShareCustomImage: Write, Safe, documented [];
    ModifyCompShareImageShareAccount: Write, Safe, documented [Region];
    ModifyCompShareInstanceName: Write, Safe, documented [Region, Zone];
    PublishCompShareImage: Write, Unsafe, documented [Region, Zone];
    PurgeCompShareTrashedImages: Write, Unsafe, documented [];
    RebootCompShareInstance: Write, Unsafe, documented [Region, Zone];
    ReinstallCompShareInstance: Write, Unsafe, documented [Region, Zone];
    RemoveFavoriteImage: Write, Safe, documented [];
    ResetCompShareInstancePassword: Write, Safe, documented [Region, Zone];
    ResizeCompShareInstance: Write, Safe, documented [Region, Zone];
    RestoreCompShareCustomImage: Write, Safe, documented [];
    RetryCompShareImageWebhookDelivery: Write, Safe, documented [];
    StartCompShareInstance: Write, Unsafe, documented [Region, Zone];
    StopCompShareInstance: Write, Unsafe, documented [Region, Zone];
    SwitchChargeType: Write, Safe, documented [Region, Zone];
    SyncCompShareCustomImage: Write, Unsafe, documented [];
    TerminateCompShareCustomImage: Write, Unsafe, documented [Region, Zone];
    TerminateCompShareInstance: Write, Unsafe, documented [Region, Zone];
    UpdateCompShareImage: Write, Safe, documented [Region, Zone];
    UpdateCompShareInstancePorts: Write, Safe, documented [Region, Zone];
    UpdateCompShareStopScheduler: Write, Safe, documented [Region];
}
