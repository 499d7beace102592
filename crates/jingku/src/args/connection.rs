//! The options of every command that uses the API.

use clap::Args;
use serde::Deserialize;

#[derive(Debug, Args)]
#[command(next_help_heading = "help-heading-connection")]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[arg(long, env = "JINGKU_PROFILE", hide_env_values = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// The address of the API and the key pair: options, a section of `profiles.toml`, or a data directory's
/// `credentials.toml`.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    #[arg(long, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    #[arg(long, env = "JINGKU_PUBLIC_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) public_key: Option<String>,
    #[arg(long, env = "JINGKU_PRIVATE_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) private_key: Option<String>,
    #[arg(long, env = "JINGKU_REGION", hide_env_values = true)]
    pub(crate) region: Option<String>,
    #[arg(long, env = "JINGKU_ZONE", hide_env_values = true)]
    pub(crate) zone: Option<String>,
}
