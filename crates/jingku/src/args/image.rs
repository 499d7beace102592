//! The command line of `jingku image`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use compshare::actions::{MAX_LINK_SECS, is_blake3};
use jingku_service::DiskFormat;

use super::ConnectionArgs;
use super::operate::PlatformCommand;
use crate::image::list::ListArgs;
use crate::messages::tr;

/// The commands about images: those that go through the API, and the operator's.
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
}

impl ImageCommand {
    /// Every one of them goes through the API.
    pub(crate) fn connection(&self) -> &ConnectionArgs {
        match self {
            Self::List(args) => &args.connection,
            Self::Show(one) | Self::Delete(one) | Self::Progress { one, .. } => &one.connection,
            Self::Create(args) => &args.connection,
            Self::Update(args) => &args.one.connection,
            Self::Export(args) => &args.one.connection,
            Self::Import(args) => &args.connection,
            Self::Url(args) => &args.one.connection,
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
pub(crate) struct CreateArgs {
    #[arg(long, value_name = "INSTANCE_ID")]
    pub(crate) instance: String,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[arg(long)]
    pub(crate) wait: bool,
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

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[arg(long, value_name = "raw|qcow2", default_value = "raw", hide_default_value = true)]
    pub(crate) format: DiskFormat,
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
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) size: Option<u64>,
    #[arg(long, value_name = "HEX", value_parser = blake3)]
    pub(crate) blake3: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[arg(last = true, id = "producer", value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1h", hide_default_value = true)]
    pub(crate) expires: i64,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

/// A number of bytes, as people write it.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let number = text.strip_suffix("iB").or_else(|| text.strip_suffix('B')).unwrap_or(text);
    let unit = units.iter().find_map(|(unit, bits)| Some((number.strip_suffix(unit)?, *bits)));
    let (number, bits) = unit.unwrap_or((number, 0));
    let count = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits));
    count.filter(|count| (1..=i64::MAX.cast_unsigned()).contains(count)).ok_or_else(|| tr!("argument-bytes"))
}

/// A hash in hexadecimal.
fn blake3(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if is_blake3(&text) {
        return Ok(text);
    }
    Err(tr!("argument-blake3"))
}

/// The life of a link, as people write it.
fn seconds(text: &str) -> Result<i64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let units = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let secs = units.and_then(|(number, secs)| number.parse::<i64>().ok()?.checked_mul(secs));
    secs.filter(|secs| (1..=MAX_LINK_SECS).contains(secs)).ok_or_else(|| tr!("argument-lifetime"))
}
