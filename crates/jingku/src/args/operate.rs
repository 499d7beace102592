//! The command lines of those who run a library: accounts, keys, instances, and what becomes of images.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jingku_library::{ByteSize, DiskFormat, KEPT_GENERATIONS, KEPT_GENERATIONS_MAX, PlatformType};

use crate::image::name;
use crate::lang::tr;

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    #[command(about = tr("Create an account with a key pair", "新建账号及其密钥对"))]
    Create {
        #[arg(help = tr("Its name", "账号名"))]
        name: String,
    },
    #[command(about = tr("List accounts, what they have and what they may have", "列出账号及其用量与限额"))]
    List {
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", help = tr("The server's configuration file, which may set limits", "服务的配置文件，其中可能设置了限额"))]
        config: Option<PathBuf>,
    },
    #[command(about = tr("Show or set the limits of one account", "查看或设置一个账号的限额"))]
    Limit(AccountLimitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AccountLimitArgs {
    #[arg(help = tr("Account number", "账号编号"))]
    pub(crate) account: i64,
    #[arg(long, value_name = "N|default", value_parser = count_limit, help = tr("The most images, the trash not counted", "镜像数上限，不含回收站"))]
    pub(crate) images: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = count_limit, help = tr("The most deleted images that are still kept", "回收站中的镜像数上限"))]
    pub(crate) trashed: Option<LimitTo>,
    #[arg(long = "bytes", value_name = "SIZE|default", value_parser = size_limit, help = tr("The most data of its images, the trash counted: 500GB, 2TB", "镜像数据总量上限，含回收站，如 500GB、2TB"))]
    pub(crate) stored_bytes: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = count_limit, help = tr("The most unfinished uploads", "未完成的上传数上限"))]
    pub(crate) uploads: Option<LimitTo>,
    #[arg(long, value_name = "SIZE|default", value_parser = size_limit, help = tr("The most bytes of uploaded files that wait for their image", "等待制成镜像的上传文件总量上限"))]
    pub(crate) upload_bytes: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = count_limit, help = tr("The most images that wait or are being made", "等待或正在制作的镜像数上限"))]
    pub(crate) jobs: Option<LimitTo>,
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", help = tr("The server's configuration file, which may set defaults", "服务的配置文件，其中可能设置了默认限额"))]
    pub(crate) config: Option<PathBuf>,
}

/// What to set a limit to; nothing for the server's default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitTo(pub(crate) Option<i64>);

fn count_limit(text: &str) -> Result<LimitTo, String> {
    if text == "default" {
        return Ok(LimitTo(None));
    }
    let count = text.parse::<u32>().map(|count| LimitTo(Some(count.into())));
    count.map_err(|_| tr("write a whole number or `default`", "请写整数或 default").to_owned())
}

fn size_limit(text: &str) -> Result<LimitTo, String> {
    if text == "default" {
        return Ok(LimitTo(None));
    }
    let size = text.parse::<ByteSize>().map(|size| LimitTo(Some(size.0)));
    size.map_err(|_| {
        let advice = tr("write a size such as 500GB, or `default`", "请写大小，如 500GB，或 default");
        advice.to_owned()
    })
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
        #[arg(long, help = name::help(tr("Another name for it, when its own is taken by now", "改用另一个名称（原名已被占用时）")))]
        name: Option<String>,
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", help = tr("The server's configuration file, which may set limits", "服务的配置文件，其中可能设置了限额"))]
        config: Option<PathBuf>,
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

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[arg(long, help = tr("Read and check every byte", "读取并校验每个字节"))]
    pub(crate) read_data: bool,
    #[arg(long, value_name = "N/M", requires = "read_data", value_parser = crate::check::subset, help = tr("Every byte of one part of M only; the parts from 1 to M are everything", "只校验 M 份中的第 N 份；1 到 M 份合起来即全部"))]
    pub(crate) subset: Option<(u64, u64)>,
    #[arg(long, conflicts_with_all = ["read_data", "subset"], help = tr("Only tell how far the server is with reading every byte in the background", "只显示后台巡检的进度"))]
    pub(crate) status: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct BackupArgs {
    #[arg(value_name = "DIR", help = tr("Where to; what is there already is not copied again", "备份目录；已有的内容不再复制"))]
    pub(crate) folder: PathBuf,
    #[arg(long, help = tr("Look into what is there already too, and fix it", "同时检查已有的内容并修复"))]
    pub(crate) verify: bool,
    #[arg(long, help = tr("With the master key and the key pair of account 1, which makes the backup a secret", "包含主密钥和账号 1 的密钥对，备份须妥善保密"))]
    pub(crate) with_master_key: bool,
    #[arg(long, value_name = "N", default_value_t = KEPT_GENERATIONS, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(KEPT_GENERATIONS_MAX)), help = tr("How many generations to keep [default: 7]", "保留几代备份 [默认：7]"))]
    pub(crate) keep: u32,
    #[arg(long, help = tr("Go ahead although most images are gone since the last backup", "即使大部分镜像已不存在也继续备份"))]
    pub(crate) force: bool,
    #[arg(long, conflicts_with_all = ["verify", "with_master_key", "keep", "force"], help = tr("Only list the generations of the backup", "只列出已有的各代备份"))]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[arg(value_name = "DIR", help = tr("The backup", "备份目录"))]
    pub(crate) folder: PathBuf,
    #[arg(long, value_name = "GENERATION", help = tr("Which generation, by its number in `jingku backup --list` [default: the newest]", "恢复第几代备份，编号见 `jingku backup --list` [默认：最新]"))]
    pub(crate) at: Option<u64>,
    #[arg(long, help = tr("Leave out images that are damaged in the backup", "跳过备份中已损坏的镜像"))]
    pub(crate) skip_damaged: bool,
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
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = super::any_path(), help = tr("The server's configuration file, which may name zones", "服务的配置文件，其中可能定义了可用区"))]
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

#[derive(Debug, Subcommand)]
pub(crate) enum PlatformCommand {
    #[command(about = tr("Operator: offer an image to everybody as one of the platform's", "运维：把镜像提供给所有人，作为平台镜像"))]
    Promote {
        #[arg(help = tr("Its id, of any account", "镜像 ID，可属于任何账号"))]
        image_id: String,
        #[arg(long = "type", value_name = "TYPE", value_parser = platform_type, help = tr("System, App, Game or Other", "System、App、Game 或 Other"))]
        image_type: PlatformType,
        #[arg(long, help = name::help(tr("Its name there [default: its name]", "平台上的名称 [默认：原名]")))]
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
