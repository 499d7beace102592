//! The command line of `jingku config`.

use clap::Subcommand;

use super::serve::SettingArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Show {
        #[arg(long)]
        origin: bool,
        #[command(flatten)]
        settings: SettingArgs,
    },
    Check {
        #[command(flatten)]
        settings: SettingArgs,
    },
}
