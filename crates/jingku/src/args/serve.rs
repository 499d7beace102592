//! The command line of `jingku serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value;

/// What changes the configuration of the server.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, env = "JINGKU_LISTEN", hide_env_values = true, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    #[arg(long, env = "JINGKU_TLS_CERT", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
    pub(crate) tls_cert: Option<PathBuf>,
    #[arg(long, env = "JINGKU_TLS_KEY", hide_env_values = true, value_name = "FILE", value_parser = value::any_path())]
    pub(crate) tls_key: Option<PathBuf>,
    #[arg(long)]
    pub(crate) plain_http_on_public_addresses: bool,
    #[arg(long, value_name = "URL")]
    pub(crate) engine: Option<String>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[arg(long)]
    pub(crate) demo: bool,
    #[arg(long, conflicts_with = "demo")]
    pub(crate) ephemeral: bool,
    #[arg(long, requires = "ephemeral", value_name = "FILE")]
    pub(crate) fixtures: Option<PathBuf>,
    #[arg(long, requires = "ephemeral")]
    pub(crate) lab: bool,
    #[arg(
        long,
        env = "JINGKU_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
    #[arg(long)]
    pub(crate) exit_with_parent: bool,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}
