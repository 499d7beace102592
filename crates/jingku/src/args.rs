//! The command line.

mod audit;
mod config;
mod connection;
mod help;
mod image;
mod lab;
mod operate;
mod serve;
pub(crate) mod value;
mod webhook;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub(crate) use self::audit::{AuditCommand, AuditListArgs};
pub(crate) use self::config::ConfigCommand;
pub(crate) use self::connection::{ConnectionArgs, Settings};
pub(crate) use self::image::{
    AnyImageCommand, CreateArgs, ExportArgs, ExportFormat, ImageCommand, ImageTrashCommand, ImportArgs,
    ListArgs, OneImage, UpdateArgs, UrlArgs, Visibility,
};
pub(crate) use self::lab::{ClockCommand, LabArgs, LabCommand};
pub(crate) use self::operate::{
    AccountCommand, AccountLimitArgs, BackupArgs, CheckArgs, ClusterCommand, InstanceCommand, KeyCommand,
    MigrateDatabaseArgs, MigrateStorageArgs, PlatformCommand, RestoreArgs, ReviewCommand, TrashCommand,
};
pub(crate) use self::serve::{LogFormat, ServeArgs, SettingArgs};
pub(crate) use self::webhook::WebhookCommand;
use crate::failure::{Exit, Failure};
use crate::lang::Lang;
use crate::messages::tr;

#[derive(Debug, Parser)]
#[command(name = "jingku", version)]
#[command(disable_help_subcommand = true, disable_help_flag = true, disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// The command line with its texts in the current language.
    pub(crate) fn described() -> clap::Command {
        help::localize(Self::command())
    }

    /// Parses the command line. Its texts are put in only when help is to be printed.
    pub(crate) fn read(args: &[OsString]) -> Result<Self, clap::Error> {
        Self::try_parse_from(args).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let localized = Self::described().try_get_matches_from(args);
                localized.err().unwrap_or(error)
            }
            _ => error,
        })
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "help-heading-global")]
pub(crate) struct Global {
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, global = true, value_name = "zh|en", hide_possible_values = true)]
    pub(crate) lang: Option<Lang>,
    #[arg(long, global = true, env = "JINGKU_DATA_DIR", hide_env_values = true, value_name = "DIR", value_parser = value::any_path())]
    pub(crate) data_dir: Option<PathBuf>,
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
}

impl Global {
    /// An empty variable counts as unset. An empty option is an error, such as a shell variable that is not set: the
    /// default directory was not meant.
    pub(crate) fn drop_empty_data_dir(&mut self) -> Result<(), Failure> {
        if self.data_dir.take_if(|path| path.as_os_str().is_empty()).is_some()
            && std::env::var_os("JINGKU_DATA_DIR").is_none_or(|value| !value.is_empty())
        {
            return Err(Failure::new(Exit::Usage, tr!("argument-data-dir-empty")));
        }
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(subcommand)]
    Image(AnyImageCommand),
    #[command(override_usage = "jingku run [OPTIONS] -- <COMMAND>...")]
    Run(RunArgs),
    Env(EnvArgs),
    Console(ConsoleArgs),
    #[command(subcommand)]
    Webhook(WebhookCommand),
    #[command(subcommand)]
    Instance(InstanceCommand),
    #[command(subcommand)]
    Account(AccountCommand),
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(subcommand)]
    Review(ReviewCommand),
    #[command(subcommand)]
    Trash(TrashCommand),
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Cluster(ClusterCommand),
    Usage,
    Check(CheckArgs),
    Health(HealthArgs),
    Sweep {
        #[arg(long)]
        dry_run: bool,
    },
    Backup(BackupArgs),
    Restore(RestoreArgs),
    MigrateDatabase(MigrateDatabaseArgs),
    MigrateStorage(MigrateStorageArgs),
    Lab(LabArgs),
    Completions {
        #[arg(value_name = "bash|zsh|fish", hide_possible_values = true)]
        shell: Shell,
    },
    Man {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

impl Command {
    /// Whether the command works on the data directory or a backup instead of the API.
    pub(crate) fn keeps_the_library(&self) -> bool {
        if let Self::Console(args) = self {
            return args.operator || args.sign_out_operators;
        }
        !matches!(
            self,
            Self::Image(AnyImageCommand::Api(_))
                | Self::Config(_)
                | Self::Run(_)
                | Self::Env(_)
                | Self::Webhook(_)
                | Self::Health(_)
                | Self::Lab(_)
                | Self::Completions { .. }
                | Self::Man { .. }
        )
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    #[arg(long, value_name = "python|go|js|java|php", hide_possible_values = true)]
    pub(crate) sdk: Option<Sdk>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    #[arg(long)]
    pub(crate) no_open: bool,
    #[arg(long)]
    pub(crate) operator: bool,
    #[arg(long, conflicts_with_all = ["operator", "no_open"])]
    pub(crate) sign_out_operators: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    #[arg(long, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sdk {
    Python,
    Go,
    Js,
    Java,
    Php,
}
