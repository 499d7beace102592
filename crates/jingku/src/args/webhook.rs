//! The command line of `jingku webhook`.

use clap::Subcommand;
use compshare::{DeliveryState, WebhookEvent};

use super::connection::ConnectionArgs;
use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    Create {
        url: String,
        #[arg(long = "event", value_name = "EVENT", value_parser = value::webhook_event())]
        events: Vec<WebhookEvent>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    List {
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    Delete {
        webhook_id: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    Deliveries {
        webhook_id: String,
        #[arg(long, value_name = "STATE", value_parser = value::delivery_state())]
        state: Option<DeliveryState>,
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    Retry {
        delivery_id: i64,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

impl WebhookCommand {
    pub(crate) fn connection(&self) -> &ConnectionArgs {
        match self {
            Self::Create { connection, .. }
            | Self::List { connection }
            | Self::Delete { connection, .. }
            | Self::Deliveries { connection, .. }
            | Self::Retry { connection, .. } => connection,
        }
    }
}
