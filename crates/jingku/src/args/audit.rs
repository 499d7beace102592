//! The command line of `jingku audit`.

use clap::{Args, Subcommand};
use jingku_library::{AuditNote, AuditResult};

use super::value;

/// Entries that are listed unless more are asked for.
const LISTED: u64 = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    List(AuditListArgs),
    Verify {
        #[arg(long, value_name = "HEAD", value_parser = value::audit_note)]
        from: Option<AuditNote>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AuditListArgs {
    #[arg(long, value_name = "NUMBER")]
    pub(crate) account: Option<i64>,
    #[arg(long, value_name = "NAME")]
    pub(crate) action: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) image: Option<String>,
    #[arg(long, value_name = "CODE|failed", value_parser = value::audit_result)]
    pub(crate) result: Option<AuditResult>,
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub(crate) since: Option<i64>,
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub(crate) until: Option<i64>,
    #[arg(long, value_name = "N", default_value_t = LISTED, hide_default_value = true)]
    pub(crate) limit: u64,
}
