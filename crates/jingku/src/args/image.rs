//! The command line of `jingku image`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use compshare::ImageStatus;
use compshare::actions::{ImageQuery, ImageSort};
use jingku_library::DiskFormat;

use super::connection::ConnectionArgs;
use super::operate::PlatformCommand;
use super::value;

/// The image commands: those that use the API, and the operator's.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
pub(crate) enum AnyImageCommand {
    #[command(flatten)]
    Api(ImageCommand),
    #[command(flatten)]
    Platform(PlatformCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    List(ListArgs),
    Show(OneImage),
    Create(CreateArgs),
    Progress {
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        one: OneImage,
    },
    Update(UpdateArgs),
    Delete(OneImage),
    Export(ExportArgs),
    Import(ImportArgs),
    Url(UrlArgs),
    Trash {
        #[command(subcommand)]
        command: ImageTrashCommand,
    },
    Usage {
        #[arg(value_name = "IMAGE_ID")]
        image_id: Option<String>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

/// The trash of the account.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageTrashCommand {
    List {
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    Restore {
        #[arg(required = true, value_name = "IMAGE_ID")]
        image_ids: Vec<String>,
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    Empty {
        #[arg(value_name = "IMAGE_ID")]
        image_ids: Vec<String>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

impl ImageTrashCommand {
    fn connection(&self) -> &ConnectionArgs {
        match self {
            Self::List { connection } | Self::Restore { connection, .. } | Self::Empty { connection, .. } => {
                connection
            }
        }
    }
}

impl ImageCommand {
    pub(crate) fn connection(&self) -> &ConnectionArgs {
        match self {
            Self::List(args) => &args.connection,
            Self::Show(one) | Self::Delete(one) | Self::Progress { one, .. } => &one.connection,
            Self::Create(args) => &args.connection,
            Self::Update(args) => &args.one.connection,
            Self::Export(args) => &args.one.connection,
            Self::Import(args) => &args.connection,
            Self::Url(args) => &args.one.connection,
            Self::Trash { command } => command.connection(),
            Self::Usage { connection, .. } => connection,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[arg(long, conflicts_with_all = ["offset", "limit"])]
    pub(crate) all: bool,
    #[arg(long, value_name = "IMAGE_ID")]
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<u64>,
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// An extension of Jingku that the cloud does not support.
#[derive(Debug, Args)]
#[command(next_help_heading = "help-heading-query")]
pub(crate) struct QueryArgs {
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[arg(long = "status", value_name = "STATUS", value_parser = value::status)]
    statuses: Vec<ImageStatus>,
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    since: Option<i64>,
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    until: Option<i64>,
    #[arg(long, value_name = "SIZE", value_parser = value::megabytes)]
    min_size: Option<u32>,
    #[arg(long, value_name = "SIZE", value_parser = value::megabytes)]
    max_size: Option<u32>,
    #[arg(long, value_name = "created|updated|size|name", value_parser = value::sort(), hide_possible_values = true)]
    sort: Option<ImageSort>,
    #[arg(long)]
    ascending: bool,
}

impl QueryArgs {
    pub(crate) fn into_query(self) -> ImageQuery {
        ImageQuery {
            name: self.name.map(Into::into),
            statuses: self.statuses,
            tags: self.tags.into(),
            created_from: self.since,
            created_before: self.until,
            size_from: self.min_size,
            size_below: self.max_size,
            sort: self.sort.unwrap_or(ImageSort::CreateTime),
            ascending: self.ascending,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OneImage {
    pub(crate) image_id: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CreateArgs {
    #[arg(long, value_name = "INSTANCE_ID")]
    pub(crate) instance: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[arg(long)]
    pub(crate) wait: bool,
    #[arg(long)]
    pub(crate) pause: bool,
    #[arg(long)]
    pub(crate) exclude_secrets: bool,
    #[arg(long, conflicts_with = "wait")]
    pub(crate) estimate: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) readme: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) cover: Option<OsString>,
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    #[arg(long, value_name = "private|public", hide_possible_values = true)]
    pub(crate) visibility: Option<Visibility>,
    #[arg(long, value_name = "true|false", hide_possible_values = true)]
    pub(crate) auto_start: Option<bool>,
    #[arg(long = "gpu-type", value_name = "MODEL")]
    pub(crate) gpu_types: Vec<String>,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Visibility {
    Private,
    Public,
}

/// What an image is exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The bytes of the disk, or of the layer of a container image.
    Raw,
    Qcow2,
    Oci,
    DockerArchive,
}

impl ExportFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Oci => "oci",
            Self::DockerArchive => "docker-archive",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[arg(
        long,
        value_name = "raw|qcow2|oci|docker-archive",
        default_value = "raw",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) format: ExportFormat,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[arg(value_name = "FILE", required_unless_present = "producer", conflicts_with = "producer")]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, value_name = "raw|qcow2")]
    pub(crate) format: Option<DiskFormat>,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[arg(long)]
    pub(crate) wait: bool,
    #[arg(long, value_name = "BYTES", value_parser = value::bytes)]
    pub(crate) size: Option<u64>,
    #[arg(long, value_name = "HEX", value_parser = value::blake3)]
    pub(crate) blake3: Option<String>,
    #[arg(last = true, id = "producer", value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[arg(long, value_name = "TIME", value_parser = value::lifetime, default_value = "1h", hide_default_value = true)]
    pub(crate) expires: i64,
    #[command(flatten)]
    pub(crate) one: OneImage,
}
