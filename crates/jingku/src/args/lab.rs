//! The command line of `jingku lab`.

use clap::{Args, Subcommand};

use super::value;

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    #[arg(long, global = true, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    Reset,
    Snapshot {
        name: Option<String>,
    },
    Return {
        name: Option<String>,
    },
    #[command(subcommand)]
    Clock(ClockCommand),
    Hold {
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100), required_unless_present = "release")]
        percent: Option<u8>,
        #[arg(long, conflicts_with = "percent")]
        release: bool,
    },
    Fail {
        action: String,
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        ret_code: i64,
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true)]
        times: u32,
    },
    Delay {
        action: String,
        #[arg(long, value_name = "N")]
        ms: u64,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true)]
        times: u32,
    },
    Drop {
        action: String,
        #[arg(long)]
        half: bool,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true)]
        times: u32,
    },
    Clear,
    Trace {
        #[arg(long)]
        follow: bool,
        #[arg(long, conflicts_with = "follow")]
        clear: bool,
    },
    State,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    Set {
        #[arg(value_name = "TIME", allow_negative_numbers = true)]
        time: String,
    },
    Advance {
        #[arg(value_name = "SECONDS", value_parser = value::seconds, allow_negative_numbers = true)]
        seconds: i64,
    },
    Free,
}
