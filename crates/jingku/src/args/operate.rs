//! The command lines of the operator's commands: accounts, keys, instances, reviews, trash, checks and backups.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use jingku_library::{DiskFormat, KEPT_GENERATIONS, KEPT_GENERATIONS_MAX, PlatformType};

use super::value::{self, LimitTo};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    Create {
        name: String,
    },
    List {
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    Limit(AccountLimitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AccountLimitArgs {
    pub(crate) account: i64,
    #[arg(long, value_name = "N|default", value_parser = value::count_limit)]
    pub(crate) images: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = value::count_limit)]
    pub(crate) trashed: Option<LimitTo>,
    #[arg(long = "bytes", value_name = "SIZE|default", value_parser = value::size_limit)]
    pub(crate) stored_bytes: Option<LimitTo>,
    #[arg(long, value_name = "SIZE|default", value_parser = value::size_limit)]
    pub(crate) unique_bytes: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = value::count_limit)]
    pub(crate) uploads: Option<LimitTo>,
    #[arg(long, value_name = "SIZE|default", value_parser = value::size_limit)]
    pub(crate) upload_bytes: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = value::count_limit)]
    pub(crate) jobs: Option<LimitTo>,
    #[arg(long, value_name = "N|default", value_parser = value::count_limit)]
    pub(crate) transfers: Option<LimitTo>,
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    Create {
        #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true)]
        account: i64,
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        #[arg(long)]
        read_only: bool,
        #[arg(long = "from", value_name = "CIDR")]
        addresses: Vec<String>,
    },
    List {
        #[arg(long, value_name = "NUMBER")]
        account: Option<i64>,
    },
    #[command(group = ArgGroup::new("limits").required(true).multiple(true))]
    Restrict {
        public_key: String,
        #[arg(long, group = "limits")]
        read_only: bool,
        #[arg(long = "from", value_name = "CIDR", group = "limits")]
        addresses: Vec<String>,
        #[arg(long, group = "limits", conflicts_with_all = ["read_only", "addresses"])]
        none: bool,
    },
    Revoke {
        public_key: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    List,
    Approve {
        image_id: String,
    },
    Refuse {
        image_id: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    Recommend {
        group_id: String,
        #[arg(long, value_name = "N")]
        count: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrashCommand {
    List,
    Restore {
        image_id: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    Empty {
        #[arg(value_name = "IMAGE_ID")]
        image_ids: Vec<String>,
        #[arg(long, value_name = "TIME", value_parser = value::age)]
        older_than: Option<i64>,
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[arg(long)]
    pub(crate) read_data: bool,
    #[arg(long, value_name = "N/M", requires = "read_data", value_parser = value::subset)]
    pub(crate) subset: Option<(u64, u64)>,
    #[arg(long, conflicts_with_all = ["read_data", "subset"])]
    pub(crate) status: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct BackupArgs {
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[arg(long)]
    pub(crate) verify: bool,
    #[arg(long)]
    pub(crate) with_master_key: bool,
    #[arg(long, value_name = "N", default_value_t = KEPT_GENERATIONS, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(KEPT_GENERATIONS_MAX)))]
    pub(crate) keep: u32,
    #[arg(long)]
    pub(crate) force: bool,
    #[arg(long, conflicts_with_all = ["verify", "with_master_key", "keep", "force"])]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[arg(long, value_name = "GENERATION")]
    pub(crate) at: Option<u64>,
    #[arg(long)]
    pub(crate) skip_damaged: bool,
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateDatabaseArgs {
    #[arg(long, value_name = "URL|sqlite")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateStorageArgs {
    #[arg(long, value_name = "s3://BUCKET/PREFIX|disk")]
    pub(crate) to: String,
    #[arg(long)]
    pub(crate) skip_damaged: bool,
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    Status,
    Forget {
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    Add {
        #[arg(long)]
        id: String,
        #[arg(long, value_name = "FILE")]
        disk: PathBuf,
        #[arg(long, value_name = "raw|qcow2")]
        format: Option<DiskFormat>,
        #[arg(long)]
        zone: Option<String>,
        #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true)]
        account: i64,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, value_name = "MODEL", default_value = "", hide_default_value = true)]
        gpu_type: String,
        #[arg(long, value_name = "IMAGE_ID")]
        image: Option<String>,
        #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
        config: Option<PathBuf>,
    },
    List,
    Remove {
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlatformCommand {
    Promote {
        image_id: String,
        #[arg(long = "type", value_name = "TYPE", value_parser = value::platform_type)]
        image_type: PlatformType,
        #[arg(long)]
        name: Option<String>,
    },
    Demote {
        image_id: String,
    },
}
