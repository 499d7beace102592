//! Sends queued events once, or says what became of them.

use super::event::ImageEvent;
use super::webhook::Webhook;
use crate::database::{Cell, FromCell, Transaction, row};
use crate::{AccountId, Catalog, Result};

/// Maximum number of ended deliveries that are kept for one webhook.
pub const ENDED_DELIVERIES_MAX: i64 = 1000;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent.
    Waiting,
    /// The receiver has accepted it.
    Delivered,
    /// It was tried too often.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Delivered => "Delivered",
            Self::Dead => "Dead",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl FromCell for DeliveryState {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        Self::from_name(&String::from_cell(cell)?).ok_or_else(|| "is not a state".to_owned())
    }
}

row! {
    /// An event for a webhook.
    pub struct Delivery {
        /// Its number, unique in the catalogue.
        pub id: i64 = "d.id",
        /// The webhook.
        pub webhook: String = "d.webhook_id",
        /// What happened.
        pub event: ImageEvent = "d.event",
        /// When it happened.
        pub occurred_at: i64 = "d.occurred_at",
        /// The image.
        pub image_id: String = "d.image_id",
        /// Its name at the event.
        pub image_name: String = "d.image_name",
        /// Its status at the event.
        pub image_status: String = "d.image_status",
        /// Why it failed, or empty.
        pub failed_reason: String = "d.failed_reason",
        /// Its unpacked size.
        pub size_bytes: i64 = "d.size_bytes",
        /// The accounts it was shared with by this event.
        pub accounts: Vec<i64> = "d.accounts",
        /// What became of the delivery.
        pub state: DeliveryState = "d.state",
        /// How often it was tried.
        pub attempts: i64 = "d.attempts",
        /// When it is due, while it waits; otherwise when it ended.
        pub time: i64 = "d.time",
        /// What the last attempt led to: an HTTP status or an error.
        pub answer: String = "d.answer",
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The receiver has accepted it.
    Delivered,
    /// Try again at this time.
    Retry(i64),
    /// Do not try again.
    Dead,
}

impl Catalog {
    /// Claims the webhook whose oldest due delivery has waited longest for its turn, for `secs`, and returns both. Nobody else
    /// sends a delivery of this webhook until [`end_attempt`](Self::end_attempt).
    pub async fn claim_delivery(&self, now: i64, secs: i64) -> Result<Option<(Webhook, Delivery)>> {
        let lease_now = self.lease_time(now).await?;
        let due =
            "SELECT id FROM webhooks WHERE due_at <= $1 AND busy_until <= $2 ORDER BY tried_at, id LIMIT 1";
        let due = self.database.query(due, &[now.into(), lease_now.into()]).await?;
        // Most often none is due; that needs no transaction.
        let Some(webhook) = due.first::<String>("webhooks")? else { return Ok(None) };
        let change = |mut transaction: Transaction| {
            let webhook = &webhook;
            async move {
                let sql = "UPDATE webhooks SET busy_until = $3, tried_at = $2
                           WHERE id = $1 AND busy_until <= $4 AND due_at <= $2";
                let busy_until = lease_now + secs;
                let params = [webhook.into(), now.into(), busy_until.into(), lease_now.into()];
                if transaction.execute(sql, &params).await? == 0 {
                    return transaction.discard(None).await;
                }
                let sql = format!(
                    "SELECT {}, {} FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
                     WHERE d.webhook_id = $1 AND d.state = 'Waiting' AND d.time <= $2 ORDER BY d.time, d.id LIMIT 1",
                    Webhook::COLUMNS,
                    Delivery::COLUMNS
                );
                let rows = transaction.query(&sql, &[webhook.into(), now.into()]).await?;
                let claimed = rows.first::<(Webhook, Delivery)>("webhooks")?;
                if claimed.is_none() {
                    transaction.release_webhook(webhook).await?;
                }
                transaction.commit(claimed).await
            }
        };
        self.database.write(change).await
    }

    /// Ends an attempt and the claim of its webhook.
    pub async fn end_attempt(
        &self,
        delivery: &Delivery,
        end: AttemptEnd,
        answer: &str,
        now: i64,
    ) -> Result<()> {
        let (state, time) = match end {
            AttemptEnd::Delivered => (DeliveryState::Delivered, now),
            AttemptEnd::Retry(time) => (DeliveryState::Waiting, time),
            AttemptEnd::Dead => (DeliveryState::Dead, now),
        };
        let change = |mut transaction: Transaction| async move {
            let sql =
                "UPDATE webhook_deliveries SET state = $2, time = $3, answer = $4, attempts = attempts + 1
                       WHERE id = $1 AND state = 'Waiting'";
            let params = [delivery.id.into(), state.name().into(), time.into(), answer.into()];
            transaction.execute(sql, &params).await?;
            if state != DeliveryState::Waiting {
                transaction.keep_ended(&delivery.webhook).await?;
            }
            transaction.release_webhook(&delivery.webhook).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Returns the deliveries of a webhook, the newest first: of one state or all, before a number if there is one. `None` if
    /// the account has no such webhook.
    pub async fn deliveries(
        &self,
        account: AccountId,
        webhook: &str,
        state: Option<DeliveryState>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Vec<Delivery>>> {
        let owned = "SELECT id FROM webhooks WHERE id = $1 AND account_id = $2";
        if self.database.query(owned, &[webhook.into(), account.into()]).await?.is_empty() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT {} FROM webhook_deliveries d
             WHERE d.webhook_id = $1 AND ($2 = '' OR d.state = $2) AND d.id < $3 ORDER BY d.id DESC LIMIT $4",
            Delivery::COLUMNS
        );
        let params = [
            webhook.into(),
            state.map_or("", DeliveryState::name).into(),
            before.unwrap_or(i64::MAX).into(),
            i64::from(limit).into(),
        ];
        self.database.query(&sql, &params).await?.all("webhook_deliveries").map(Some)
    }

    /// Sends a delivery again, as if it had not been tried. Returns `false` if the account has no such delivery.
    pub async fn retry_delivery(&self, account: AccountId, id: i64, now: i64) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            transaction.lock_account(account).await?;
            let sql = "UPDATE webhook_deliveries SET state = 'Waiting', attempts = 0, time = $3
                       WHERE id = $1 AND webhook_id IN (SELECT id FROM webhooks WHERE account_id = $2)";
            if transaction.execute(sql, &[id.into(), account.into(), now.into()]).await? == 0 {
                return transaction.discard(false).await;
            }
            let sql = "UPDATE webhooks SET due_at = CASE WHEN due_at < $2 THEN due_at ELSE $2 END
                       WHERE id = (SELECT webhook_id FROM webhook_deliveries WHERE id = $1)";
            transaction.execute(sql, &[id.into(), now.into()]).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Removes up to `limit` deliveries that ended before a time. Returns how many it removed.
    pub async fn prune_deliveries(&self, before: i64, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM webhook_deliveries WHERE id IN (
                       SELECT id FROM webhook_deliveries WHERE state <> 'Waiting' AND time < $1 LIMIT $2)";
        self.database.execute(sql, &[before.into(), i64::from(limit).into()]).await
    }
}

impl Transaction {
    /// Removes what ended first, above the maximum.
    async fn keep_ended(&mut self, webhook: &str) -> Result<()> {
        let sql = "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND state <> 'Waiting' AND id <= (
                       SELECT id FROM webhook_deliveries WHERE webhook_id = $1 AND state <> 'Waiting'
                       ORDER BY id DESC LIMIT 1 OFFSET $2)";
        self.execute(sql, &[webhook.into(), ENDED_DELIVERIES_MAX.into()]).await.map(drop)
    }

    async fn release_webhook(&mut self, webhook: &str) -> Result<()> {
        let sql = "UPDATE webhooks SET busy_until = 0, due_at = (
                       SELECT MIN(d.time) FROM webhook_deliveries d
                       WHERE d.webhook_id = webhooks.id AND d.state = 'Waiting')
                   WHERE id = $1";
        self.execute(sql, &[webhook.into()]).await.map(drop)
    }
}
