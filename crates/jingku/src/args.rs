//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use compshare::actions::MAX_LINK_SECS;
use jingku_service::{DiskFormat, PlatformType};

use crate::image::list::ListArgs;
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
    #[arg(long, global = true, env = "JINGKU_DATA_DIR", hide_env_values = true, value_name = "DIR", help = tr("Data folder [default: jingku in the XDG data folder]", "数据目录 [默认：XDG 数据目录下的 jingku]"))]
    pub(crate) data_dir: Option<PathBuf>,
    #[arg(short, long, global = true, action = ArgAction::Help, help = tr("Print help", "显示帮助"))]
    help: Option<bool>,
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
    #[command(about = tr("Back the data folder up, beside a running server", "备份数据目录，服务可照常运行"))]
    Backup {
        #[arg(value_name = "DIR", help = tr("Where to; what is there already is not copied again", "备份目录；已有的内容不再复制"))]
        folder: PathBuf,
        #[arg(long, help = tr("Look into what is there already too, and mend it", "同时检查已有的内容并修复"))]
        verify: bool,
        #[arg(long, help = tr("With the master key and the key pair of account 1, which makes the backup a secret", "包含主密钥和账号 1 的密钥对，备份须妥善保密"))]
        with_master_key: bool,
    },
    #[command(about = tr("Make a new data folder of a backup", "用备份恢复出新的数据目录"))]
    Restore {
        #[arg(value_name = "DIR", help = tr("The backup", "备份目录"))]
        folder: PathBuf,
        #[arg(long, help = tr("Leave out images that are damaged in the backup", "跳过备份中已损坏的镜像"))]
        skip_damaged: bool,
    },
    #[command(about = tr("Drive a throw-away server that your code is tested against", "操控用来测试自己代码的临时服务"))]
    Lab(LabArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", help = tr("Configuration file (TOML)", "配置文件（TOML）"))]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, env = "JINGKU_LISTEN", hide_env_values = true, value_name = "ADDR:PORT", help = tr("Where to listen; port 0 takes a free one [default: 127.0.0.1:8480]", "监听地址；端口 0 表示任选空闲端口 [默认：127.0.0.1:8480]"))]
    pub(crate) listen: Option<SocketAddr>,
    #[arg(long, help = tr("Add two small disks as instances and make an image of one", "添加两块小磁盘作为实例，并制作一个镜像"))]
    pub(crate) demo: bool,
    #[arg(long, conflicts_with = "demo", help = tr("Keep everything in memory; nothing is left when it ends", "一切只在内存中，结束后不留任何数据"))]
    pub(crate) ephemeral: bool,
    #[arg(long, requires = "ephemeral", value_name = "FILE", help = tr("Accounts, instances and images to begin with (TOML or JSON)", "初始的账号、实例与镜像（TOML 或 JSON）"))]
    pub(crate) fixtures: Option<PathBuf>,
    #[arg(long, requires = "ephemeral", help = tr("Let `jingku lab` reset, hold, break and watch it; loopback only", "允许 `jingku lab` 重置、暂停、注入故障和查看请求；仅限本机地址"))]
    pub(crate) lab: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    #[arg(long, global = true, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL", help = tr("The server, started with --ephemeral --lab", "以 --ephemeral --lab 启动的服务地址"))]
    pub(crate) base_url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    #[command(about = tr("Put everything back to what it was after the start", "一切恢复到刚启动时的状态"))]
    Reset,
    #[command(about = tr("Keep the catalogue as it is now", "保存当前目录状态"))]
    Snapshot {
        #[arg(help = tr("What to call it [default: default]", "快照名 [默认：default]"))]
        name: Option<String>,
    },
    #[command(about = tr("Make the catalogue what it was at a snapshot", "恢复到某个快照"))]
    Return {
        #[arg(help = tr("Its name [default: default]", "快照名 [默认：default]"))]
        name: Option<String>,
    },
    #[command(subcommand, about = tr("Stop and move the server's clock", "停止或拨动服务的时钟"))]
    Clock(ClockCommand),
    #[command(about = tr("Hold images in the making at some percent, or let them go", "让制作中的镜像停在某个百分比，或放行"))]
    Hold {
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100), required_unless_present = "release", help = tr("Where to hold them, 0 to 100", "停在百分之几，0 到 100"))]
        percent: Option<u8>,
        #[arg(long, conflicts_with = "percent", help = tr("Let them go", "放行"))]
        release: bool,
    },
    #[command(about = tr("Answer the next calls of an action with an error", "让某个操作接下来的调用返回错误"))]
    Fail {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, value_name = "N", allow_negative_numbers = true, help = tr("The code, anything but 0", "返回码，不能为 0"))]
        ret_code: i64,
        #[arg(long, value_name = "TEXT", help = tr("The text", "错误信息"))]
        message: Option<String>,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Delay the next calls of an action", "让某个操作接下来的调用延迟"))]
    Delay {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, value_name = "N", help = tr("For how long, in milliseconds", "毫秒数"))]
        ms: u64,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Close the connection of the next calls of an action", "让某个操作接下来的调用断开连接"))]
    Drop {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, help = tr("After half of the answer, instead of before the call is carried out", "发送一半应答后断开，而不是执行前断开"))]
        half: bool,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Forget the faults that wait", "清除等待中的故障"))]
    Clear,
    #[command(about = tr("Show what clients sent", "查看客户端发来的请求"))]
    Trace {
        #[arg(long, help = tr("Go on with what comes", "持续显示新请求"))]
        follow: bool,
        #[arg(long, conflicts_with = "follow", help = tr("Forget it instead", "改为清空"))]
        clear: bool,
    },
    #[command(about = tr("Show clock, hold, faults and snapshots", "查看时钟、暂停、故障与快照"))]
    State,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    #[command(about = tr("Stop it at a time", "停在某个时刻"))]
    Set {
        #[arg(value_name = "TIME", allow_negative_numbers = true, help = tr("Unix seconds, or as 2026-11-24T08:00:00Z", "Unix 秒，或如 2026-11-24T08:00:00Z"))]
        time: String,
    },
    #[command(about = tr("Move it, whether it stands or not", "拨动，无论是否停止"))]
    Advance {
        #[arg(value_name = "SECONDS", allow_negative_numbers = true, help = tr("Forward, or back when negative", "向前的秒数，负数表示向后"))]
        seconds: i64,
    },
    #[command(about = tr("The machine's clock again", "恢复为本机时钟"))]
    Free,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    #[command(about = tr("Create an account with a key pair", "新建账号及其密钥对"))]
    Create {
        #[arg(help = tr("Its name", "账号名"))]
        name: String,
    },
    #[command(about = tr("List accounts", "列出账号"))]
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    #[command(about = tr("Make a key pair", "新建密钥对"))]
    Create {
        #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true, help = tr("Account number [default: 1]", "账号编号 [默认：1]"))]
        account: i64,
        #[arg(long, default_value = "", hide_default_value = true, help = tr("What to call it", "备注名"))]
        name: String,
        #[arg(long, help = tr("Good for reading only", "仅可读取"))]
        read_only: bool,
        #[arg(long = "from", value_name = "CIDR", help = tr("Good from these addresses only, such as 10.0.0.0/8; repeatable", "仅限来自这些地址，如 10.0.0.0/8，可重复"))]
        addresses: Vec<String>,
    },
    #[command(about = tr("List keys, without their private halves", "列出密钥（不含私钥）"))]
    List {
        #[arg(long, value_name = "NUMBER", help = tr("Account number [default: all]", "账号编号 [默认：全部]"))]
        account: Option<i64>,
    },
    #[command(about = tr("Make a key worthless from now on", "吊销密钥，立即生效"))]
    Revoke {
        #[arg(help = tr("The public key", "公钥"))]
        public_key: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    #[command(about = tr("List the images that wait, the longest waiting first", "列出待审核的镜像，等待最久的在前"))]
    List,
    #[command(about = tr("Make an image public that waits", "通过审核，镜像立即公开"))]
    Approve {
        #[arg(help = tr("Its id, such as compshareImage-1minbz219ceq", "镜像 ID，如 compshareImage-1minbz219ceq"))]
        image_id: String,
    },
    #[command(about = tr("Give an image that waits back to its owner", "驳回审核，镜像退回所有者"))]
    Refuse {
        #[arg(help = tr("Its id, such as compshareImage-1minbz219ceq", "镜像 ID，如 compshareImage-1minbz219ceq"))]
        image_id: String,
        #[arg(long, value_name = "TEXT", help = tr("What to change; its owner reads it", "驳回原因，所有者可见"))]
        reason: String,
    },
    #[command(about = tr("Say how much a group of the community is recommended", "设置社区镜像组的推荐度"))]
    Recommend {
        #[arg(help = tr("The group, such as 9WFDPteiVhX5", "镜像组 ID，如 9WFDPteiVhX5"))]
        group_id: String,
        #[arg(long, value_name = "N", help = tr("The higher the further ahead; 0 for not at all", "越大越靠前；0 表示不推荐"))]
        count: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrashCommand {
    #[command(about = tr("List deleted images, the last deleted first", "列出已删除的镜像，最近删除的在前"))]
    List,
    #[command(about = tr("Bring a deleted image back", "恢复一个已删除的镜像"))]
    Restore {
        #[arg(help = tr("Its id, such as compshareImage-1minbz219ceq", "镜像 ID，如 compshareImage-1minbz219ceq"))]
        image_id: String,
        #[arg(long, help = tr("Another name for it, when its own is taken by now", "改用另一个名称（原名已被占用时）"))]
        name: Option<String>,
    },
    #[command(about = tr("Forget deleted images for good", "彻底清除已删除的镜像"))]
    Empty {
        #[arg(value_name = "IMAGE_ID", help = tr("These only [default: all]", "仅这些镜像 [默认：全部]"))]
        image_ids: Vec<String>,
        #[arg(long, value_name = "TIME", value_parser = crate::trash::age, help = tr("Only those deleted that long ago, such as 7d or 12h", "仅清除删除已满该时间的，如 7d、12h"))]
        older_than: Option<i64>,
        #[arg(long, help = tr("Only tell what would go", "只显示将清除的内容"))]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    #[command(about = tr("Declare a VM disk as an instance", "把一块虚拟机磁盘登记为实例"))]
    Add {
        #[arg(long, help = tr("Its id, such as uhost-lab1", "实例 ID，如 uhost-lab1"))]
        id: String,
        #[arg(long, value_name = "FILE", help = tr("Its disk, raw or qcow2; never written to", "磁盘文件，raw 或 qcow2；只读不写"))]
        disk: PathBuf,
        #[arg(long, value_name = "raw|qcow2", help = tr("What the disk is [default: told by its content]", "磁盘格式 [默认：按内容判断]"))]
        format: Option<DiskFormat>,
        #[arg(long, help = tr("The zone it is in [default: the first one]", "所在可用区 [默认：第一个]"))]
        zone: Option<String>,
        #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true, help = tr("Account number [default: 1]", "账号编号 [默认：1]"))]
        account: i64,
        #[arg(long, help = tr("Its name [default: the id]", "名称 [默认：同 ID]"))]
        name: Option<String>,
        #[arg(long, value_name = "MODEL", default_value = "", hide_default_value = true, help = tr("Its GPU model", "GPU 型号"))]
        gpu_type: String,
        #[arg(long, value_name = "IMAGE_ID", help = tr("The image it was started from, which counts it", "启动该实例所用的镜像，用于统计"))]
        image: Option<String>,
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", help = tr("The server's configuration file, which may name zones", "服务的配置文件，其中可能定义了可用区"))]
        config: Option<PathBuf>,
    },
    #[command(about = tr("List instances", "列出实例"))]
    List,
    #[command(about = tr("Forget an instance; its disk and its images stay", "移除实例登记；磁盘和镜像保留"))]
    Remove {
        #[arg(help = tr("Its id", "实例 ID"))]
        id: String,
    },
}

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
pub(crate) enum PlatformCommand {
    #[command(about = tr("Operator: offer an image to everybody as one of the platform's", "运维：把镜像提供给所有人，作为平台镜像"))]
    Promote {
        #[arg(help = tr("Its id, of any account", "镜像 ID，可属于任何账号"))]
        image_id: String,
        #[arg(long = "type", value_name = "TYPE", value_parser = platform_type, help = tr("System, App, Game or Other", "System、App、Game 或 Other"))]
        image_type: PlatformType,
        #[arg(long, help = tr("Its name there [default: its name]", "平台上的名称 [默认：原名]"))]
        name: Option<String>,
    },
    #[command(about = tr("Operator: take an image away from the platform", "运维：移除一个平台镜像"))]
    Demote {
        #[arg(help = tr("The id that promoting it printed", "提升时输出的镜像 ID"))]
        image_id: String,
    },
}

fn platform_type(word: &str) -> Result<PlatformType, String> {
    let known = PlatformType::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(word));
    known
        .copied()
        .ok_or_else(|| tr("use System, App, Game or Other", "可用 System、App、Game 或 Other").to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    #[command(about = tr("List the account's own images, newest first", "列出账号的自制镜像，新的在前"))]
    List(ListArgs),
    #[command(about = tr("Show one image", "查看一个镜像"))]
    Show(OneImage),
    #[command(about = tr("Make an image of an instance", "用实例制作镜像"))]
    Create(CreateArgs),
    #[command(about = tr("Show how far the making of an image is", "查看镜像制作进度"))]
    Progress {
        #[arg(long, help = tr("Follow until it is done", "一直等到完成"))]
        wait: bool,
        #[command(flatten)]
        one: OneImage,
    },
    #[command(about = tr("Change facts about an image", "修改镜像信息"))]
    Update(UpdateArgs),
    #[command(about = tr("Delete an image", "删除镜像"))]
    Delete(OneImage),
    #[command(about = tr("Write an image's disk to a file", "把镜像的磁盘导出为文件"))]
    Export(ExportArgs),
    #[command(about = tr("Print a link that downloads an image without a key pair", "输出免密钥的镜像下载链接"))]
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
            Self::Url(args) => &args.one.connection,
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

#[derive(Debug, Args)]
pub(crate) struct OneImage {
    #[arg(help = tr("Its id, such as compshareImage-1minbz219ceq", "镜像 ID，如 compshareImage-1minbz219ceq"))]
    pub(crate) image_id: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[arg(long, value_name = "INSTANCE_ID", help = tr("The instance", "实例 ID"))]
    pub(crate) instance: String,
    #[arg(long, help = tr("The image's name, unique in the account", "镜像名称，账号内唯一"))]
    pub(crate) name: String,
    #[arg(long, value_name = "TEXT", help = tr("Free text", "描述"))]
    pub(crate) description: Option<String>,
    #[arg(long, help = tr("Follow until it is done", "一直等到完成"))]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[arg(long, help = tr("A new name", "新名称"))]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "TEXT", help = tr("Free text; empty clears", "描述；留空表示清除"))]
    pub(crate) description: Option<String>,
    #[arg(long, value_name = "TEXT", help = tr("Markdown; empty clears", "Markdown 说明；留空表示清除"))]
    pub(crate) readme: Option<String>,
    #[arg(long, value_name = "FILE", help = tr("A picture; empty clears", "封面图片；留空表示清除"))]
    pub(crate) cover: Option<OsString>,
    #[arg(long = "tag", value_name = "TAG", help = tr("A tag; repeat for up to three; empty clears", "标签，可重复，最多三个；留空表示清除"))]
    pub(crate) tags: Vec<String>,
    #[arg(long, value_name = "private|public", hide_possible_values = true, help = tr("Who sees it", "可见范围"))]
    pub(crate) visibility: Option<Visibility>,
    #[arg(long, value_name = "true|false", hide_possible_values = true, help = tr("Whether its software starts by itself", "软件是否自动启动"))]
    pub(crate) auto_start: Option<bool>,
    #[arg(long = "gpu-type", value_name = "MODEL", help = tr("A GPU model it is meant for; repeatable; empty clears", "适用的 GPU 型号，可重复；留空表示清除"))]
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
    #[arg(long, value_name = "raw|qcow2", default_value = "raw", hide_default_value = true, help = tr("What to write [default: raw]", "导出格式 [默认：raw]"))]
    pub(crate) format: DiskFormat,
    #[arg(short, long, value_name = "FILE", help = tr("The file, which must not exist; - for standard output", "导出到的文件，不能已存在；- 表示标准输出"))]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "1h", hide_default_value = true, help = tr("How long it is good for: 90s, 10m, 2h [default: 1h]", "有效期，如 90s、10m、2h [默认：1h]"))]
    pub(crate) expires: i64,
    #[command(flatten)]
    pub(crate) one: OneImage,
}

/// The life of a link, as people write it.
fn seconds(text: &str) -> Result<i64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let units = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let secs = units.and_then(|(number, secs)| number.parse::<i64>().ok()?.checked_mul(secs));
    secs.filter(|secs| (1..=MAX_LINK_SECS).contains(secs)).ok_or_else(|| {
        tr("write it like 90s, 10m or 2h; 24h at most", "请写成 90s、10m 或 2h 的形式，最长 24h").to_owned()
    })
}
