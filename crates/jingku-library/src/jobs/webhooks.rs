//! Sends events to webhooks, and removes old deliveries.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::CatalogError;
use tokio::task::JoinSet;

use super::supervisor::Loop;
use crate::webhooks::WEBHOOK_ANSWER_TIMEOUT;

/// How often the catalogue is asked for deliveries that are due.
const EVERY: Duration = Duration::from_secs(1);
/// Maximum number of requests to webhooks at once.
const WEBHOOK_REQUESTS_MAX: usize = 16;
/// How long a claim lasts if the server dies, in seconds: longer than any attempt.
const CLAIM_SECS: i64 = 60;
/// How long ended deliveries are kept, in seconds: 7 days.
const KEPT_SECS: i64 = 7 * 24 * 3600;
/// How often old deliveries are removed.
const PRUNE_EVERY: Duration = Duration::from_mins(10);
/// Deliveries removed by one statement.
const PRUNED: u32 = 1000;

const _: () = assert!(WEBHOOK_ANSWER_TIMEOUT.as_secs() * 2 < CLAIM_SECS.unsigned_abs());

pub(super) async fn send(task: Loop) {
    let mut requests = JoinSet::new();
    while !task.stop.is_cancelled() {
        task.note(&start_requests(&task, &mut requests).await);
        // The next delivery of a webhook is due when the one before has ended.
        tokio::select! {
            Some(ended) = requests.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a request to a webhook ended abnormally");
                }
            }
            () = task.rest(EVERY) => {}
        }
    }
    // What is under way is tried again when its claim ends.
    requests.shutdown().await;
}

async fn start_requests(task: &Loop, requests: &mut JoinSet<()>) -> Result<(), CatalogError> {
    while requests.len() < WEBHOOK_REQUESTS_MAX {
        let library = Arc::clone(&task.library);
        let now = library.clock.now();
        let Some((webhook, delivery)) = library.catalog.claim_delivery(now, CLAIM_SECS).await? else {
            break;
        };
        requests.spawn(async move {
            if let Err(error) = library.send_delivery(&webhook, &delivery).await {
                tracing::warn!(webhook = webhook.id, %error, "cannot record the result of a delivery");
            }
        });
    }
    Ok(())
}

pub(super) async fn prune(task: Loop) {
    let round = || async {
        let before = task.library.clock.now() - KEPT_SECS;
        while task.library.catalog.prune_deliveries(before, PRUNED).await? == u64::from(PRUNED) {}
        Ok::<(), CatalogError>(())
    };
    task.every(PRUNE_EVERY, round).await;
}
