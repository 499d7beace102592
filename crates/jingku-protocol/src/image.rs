//! An image row as every list of the API shows it. The JSON type of each field is the one that all SDKs decode; the
//! evidence is in docs/wire/image.md.

use serde::{Deserialize, Serialize};

use crate::lenient;

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Image {
    /// `compshareImage-` and twelve of `0-9a-z`.
    pub comp_share_image_id: String,
    /// Unique in the account.
    pub name: String,
    /// Its status.
    pub status: ImageStatus,
    /// `True` or `False` as text: the Go SDK refuses a boolean.
    pub container: String,
    /// `Custom` for an account's own images.
    pub image_type: String,
    /// `Official` or `Community`; empty for an account's own.
    pub image_owner_alias: String,
    /// Name of the account that made it.
    pub author: String,
    /// 0 normal, 1 official, 2 certified author.
    pub auth_info: i64,
    /// Whether the platform made it.
    pub is_official: bool,
    /// MB, rounded up. Whole: Go and Java decode an integer.
    pub size: i64,
    /// 0 private, 1 public.
    pub visibility: i64,
    /// Free text.
    pub description: String,
    /// At most three.
    pub tags: Vec<String>,
    /// CNY per hour; 0 is free.
    pub price: f64,
    /// URL of a picture; empty for none.
    pub cover: String,
    /// Markdown; only when requested by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// What is installed; null when unknown, never an empty list or text (the Python SDK fails on those).
    pub softwares: Option<Softwares>,
    /// Recommended GPU models.
    pub supported_gpu_types: Vec<String>,
    /// Ports the software inside listens on.
    pub software_ports: Vec<SoftwarePort>,
    /// Ports to open.
    pub firewall_ports: Vec<u16>,
    /// A boolean: the Python SDK refuses text.
    pub auto_start: bool,
    /// Whether using it costs money.
    pub image_charge: bool,
    /// Hours of use.
    pub image_use_time: i64,
    /// Instances started from it.
    pub created_count: i64,
    /// Accounts that have it as a favourite.
    pub favorites_count: i64,
    /// Why making it failed; empty otherwise.
    pub failed_reason: String,
    /// Unix seconds.
    pub create_time: i64,
    /// Unix seconds; 0 when not published.
    pub pub_time: i64,
    /// Unix seconds.
    pub update_time: i64,
    /// Its owner.
    pub owner: Owner,
    /// Group of versions in the community; empty when private.
    pub group_id: String,
    /// Such as `v1.0`.
    pub version_name: String,
    /// What is new in it.
    pub version_desc: String,
    /// GPU model of the instance it was made from.
    pub source_gpu_type: String,
    /// Zone of the instance it was made from.
    pub zone: String,
    /// Zones it can be started in.
    pub image_support_zone: Vec<SupportedZone>,
    /// Not used here.
    pub qr_code_url: String,
    /// Extension: the repository to pull an image of a container from, as `ACCOUNT/NAME`; absent for others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// Extension: what was left out of an image of a container; only when requested by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// What was left out of an image of a container, and what looks like a secret in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct LeftOut {
    /// Files and directories that were left out, each file of a directory counted.
    pub count: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// At most 1000 of them; a directory stands for what is in it.
    pub paths: Vec<LeftOutPath>,
    /// Files that look like secrets, kept or not: at most 1000.
    pub secrets: Vec<String>,
    /// How many there are.
    pub secret_count: u64,
    /// `directory` if the server read the files, `engine` if the engine exported them, without ACLs; absent for an imported
    /// image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub read_from: String,
}

/// A path that was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct LeftOutPath {
    /// Below the root of the container.
    pub path: String,
    /// `runtime`, `mount`, `driver`, `host_identity`, `ignored` or `secret`.
    pub reason: String,
}

/// The status of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ImageStatus {
    /// Being made.
    #[default]
    Making,
    /// Complete and usable.
    Available,
    /// Making failed; `FailedReason` says why.
    UnAvailable,
    /// Published, waiting for review.
    Reviewing,
    /// Taken down.
    Offline,
    /// A status this library does not know yet.
    #[serde(other)]
    Unknown,
}

impl ImageStatus {
    /// The spelling on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Making => "Making",
            Self::Available => "Available",
            Self::UnAvailable => "UnAvailable",
            Self::Reviewing => "Reviewing",
            Self::Offline => "Offline",
            Self::Unknown => "Unknown",
        }
    }
}

/// What kind of image the platform offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlatformType {
    /// A bare operating system.
    System,
    /// With an application.
    App,
    /// With a game.
    Game,
    /// Anything else.
    Other,
}

impl PlatformType {
    /// Every one, in the order of a list without a type.
    pub const ALL: &[Self] = &[Self::System, Self::App, Self::Game, Self::Other];

    /// The spelling on the wire, in `ImageType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::App => "App",
            Self::Game => "Game",
            Self::Other => "Other",
        }
    }
}

/// The owner of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Owner {
    /// The account's name.
    pub account_name: String,
    /// The account's number as text: the Go SDK refuses a number.
    #[serde(deserialize_with = "lenient::text")]
    pub account_id: String,
}

/// What is installed in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct Softwares {
    /// Such as `PyTorch`.
    pub framework: String,
    /// Such as `2.3.0`.
    pub framework_version: String,
    /// Such as `12.4`.
    #[serde(rename = "CUDAVersion")]
    pub cuda_version: String,
    /// Such as `3.12`.
    pub python_version: String,
    /// Such as `Ubuntu 22.04`.
    pub os_version: String,
    /// Sort key of the framework version.
    pub framework_version_index: i64,
    /// Such as `JupyterLab`.
    pub applications: Vec<String>,
}

/// A piece of software and the port it listens on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct SoftwarePort {
    /// Such as `JupyterLab`.
    pub software: String,
    /// Such as 8888.
    pub port: u16,
}

/// A zone an image can be started in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct SupportedZone {
    /// The zone's name.
    pub zone: String,
    /// The zone's number.
    pub zone_id: i64,
}
