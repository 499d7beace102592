//! The command line.

mod image;
mod lab;
mod operate;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::image::{
    AnyImageCommand, CreateArgs, ExportArgs, ImageCommand, ImportArgs, OneImage, UpdateArgs, UrlArgs,
    Visibility,
};
pub(crate) use self::lab::{ClockCommand, LabArgs, LabCommand};
pub(crate) use self::operate::{
    AccountCommand, AccountLimitArgs, BackupArgs, CheckArgs, InstanceCommand, KeyCommand, PlatformCommand,
    RestoreArgs, ReviewCommand, TrashCommand,
};
pub(crate) use self::serve::ServeArgs;
use crate::failure::{Exit, Failure};
use crate::lang::{Lang, tr};

#[derive(Debug, Parser)]
#[command(name = "jingku", version, about = tr("A self-hosted library of custom images for GPU machines", "镜库：自建的 GPU 自制镜像库"))]
#[command(disable_help_subcommand = true, disable_help_flag = true, disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[arg(short = 'V', long, action = ArgAction::Version, help = tr("Print the version", "显示版本"))]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = tr("Everywhere", "通用"))]
pub(crate) struct Global {
    #[arg(long, global = true, help = tr("Print JSON", "输出 JSON"))]
    pub(crate) json: bool,
    #[arg(long, global = true, value_name = "zh|en", hide_possible_values = true, help = tr("Language of messages [default: by locale]", "消息语言 [默认：按系统区域]"))]
    pub(crate) lang: Option<Lang>,
    #[arg(long, global = true, env = "JINGKU_DATA_DIR", hide_env_values = true, value_name = "DIR", value_parser = any_path(), help = tr("Data folder [default: jingku in the XDG data folder]", "数据目录 [默认：XDG 数据目录下的 jingku]"))]
    pub(crate) data_dir: Option<PathBuf>,
    #[arg(short, long, global = true, action = ArgAction::Help, help = tr("Print help", "显示帮助"))]
    help: Option<bool>,
}

impl Global {
    /// An empty variable counts as none. An empty option is a slip, as of a shell's variable that is not set: the usual
    /// folder is not what was meant.
    pub(crate) fn drop_empty_data_dir(&mut self) -> Result<(), Failure> {
        if self.data_dir.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            if std::env::var_os("JINGKU_DATA_DIR").is_none_or(|value| !value.is_empty()) {
                let message = tr(
                    "--data-dir is empty. Name a folder, or leave the option out.",
                    "--data-dir 为空。请指定目录，或去掉该选项。",
                );
                return Err(Failure::new(Exit::Usage, message));
            }
            self.data_dir = None;
        }
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(about = tr("Run the server", "运行服务"))]
    Serve(ServeArgs),
    #[command(subcommand, about = tr("Work with images, here or in the cloud", "操作镜像（本地服务或云端）"))]
    Image(AnyImageCommand),
    #[command(about = tr("Run a command whose calls to the cloud come to the server here", "运行命令，并把它对云端 API 的调用转到本地服务"), override_usage = "jingku run [OPTIONS] -- <COMMAND>...")]
    Run(RunArgs),
    #[command(about = tr("Print what the SDKs need to talk to the server", "输出各 SDK 连接服务所需的设置"))]
    Env(EnvArgs),
    #[command(subcommand, about = tr("Declare the instances that images are made of", "登记用来制作镜像的实例"))]
    Instance(InstanceCommand),
    #[command(subcommand, about = tr("Manage accounts", "管理账号"))]
    Account(AccountCommand),
    #[command(subcommand, about = tr("Manage key pairs", "管理密钥对"))]
    Key(KeyCommand),
    #[command(subcommand, about = tr("Decide which images come into the community", "审核要发布到社区的镜像"))]
    Review(ReviewCommand),
    #[command(subcommand, about = tr("Bring deleted images back, or forget them for good", "恢复已删除的镜像，或彻底清除"))]
    Trash(TrashCommand),
    #[command(about = tr("Show what the images take up", "查看镜像占用的空间"))]
    Usage,
    #[command(about = tr("Look whether the images are what they should be, beside a running server", "检查镜像是否完好，服务可照常运行"))]
    Check(CheckArgs),
    #[command(about = tr("Remove from the store what no image needs, beside a running server", "清理存储中不属于任何镜像的内容，服务可照常运行"))]
    Sweep {
        #[arg(long, help = tr("Only tell what would be removed", "只显示将删除的内容"))]
        dry_run: bool,
    },
    #[command(about = tr("Back the data folder up, beside a running server", "备份数据目录，服务可照常运行"))]
    Backup(BackupArgs),
    #[command(about = tr("Make a new data folder of a backup", "用备份恢复出新的数据目录"))]
    Restore(RestoreArgs),
    #[command(about = tr("Drive a throw-away server that your code is tested against", "操控用来测试自己代码的临时服务"))]
    Lab(LabArgs),
}

/// A path that may be empty, which clap's own parser refuses before anybody can say why.
pub(crate) fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl Command {
    /// Whether it works on the data folder or a backup, and not through the API.
    pub(crate) fn keeps_the_library(&self) -> bool {
        match self {
            Self::Serve(_)
            | Self::Image(AnyImageCommand::Platform(_))
            | Self::Instance(_)
            | Self::Account(_)
            | Self::Key(_)
            | Self::Review(_)
            | Self::Trash(_)
            | Self::Usage
            | Self::Check(_)
            | Self::Sweep { .. }
            | Self::Backup(_)
            | Self::Restore(_) => true,
            Self::Image(AnyImageCommand::Api(_)) | Self::Run(_) | Self::Env(_) | Self::Lab(_) => false,
        }
    }
}

/// Where the API is and who asks.
#[derive(Debug, Args)]
#[command(next_help_heading = tr("Connection", "连接"))]
pub(crate) struct ConnectionArgs {
    #[arg(long, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL", help = tr("API address [default: the server of the data folder]", "API 地址 [默认：数据目录的服务]"))]
    pub(crate) base_url: Option<String>,
    #[arg(long, env = "JINGKU_PUBLIC_KEY", value_name = "KEY", hide_env_values = true, help = tr("Public key", "公钥"))]
    pub(crate) public_key: Option<String>,
    #[arg(long, env = "JINGKU_PRIVATE_KEY", value_name = "KEY", hide_env_values = true, help = tr("Private key", "私钥"))]
    pub(crate) private_key: Option<String>,
    #[arg(long, env = "JINGKU_REGION", hide_env_values = true, help = tr("Region", "地域"))]
    pub(crate) region: Option<String>,
    #[arg(long, env = "JINGKU_ZONE", hide_env_values = true, help = tr("Zone", "可用区"))]
    pub(crate) zone: Option<String>,
    #[arg(long, env = "JINGKU_PROFILE", hide_env_values = true, value_name = "NAME", help = tr("Section of profiles.toml to take these from", "从 profiles.toml 的哪一节读取以上设置"))]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND", help = tr("The command and its arguments, after --", "要运行的命令及其参数，写在 -- 之后"))]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    #[arg(long, value_name = "python|go|js|java|php", hide_possible_values = true, help = tr("Whose code to print [default: variables of a shell]", "输出哪种 SDK 的代码 [默认：shell 变量]"))]
    pub(crate) sdk: Option<Sdk>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// An SDK of the cloud, by its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sdk {
    Python,
    Go,
    Js,
    Java,
    Php,
}
