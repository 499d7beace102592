use super::event::ImageEvent;
use crate::audit::scope::note_created;
use crate::database::{Transaction, json_list, row};
use crate::{AccountId, Catalog, Result};

/// Maximum number of webhooks of one account.
pub const WEBHOOKS_MAX: i64 = 8;

row! {
    /// A URL of an account that gets events of its images.
    pub struct Webhook {
        /// Its id.
        pub id: String = "w.id",
        /// The account it belongs to.
        pub account: AccountId = "w.account_id",
        /// Where events are sent.
        pub url: String = "w.url",
        /// The events that are sent to it.
        pub events: Vec<ImageEvent> = "w.events",
        /// The sealed key that signs its requests.
        pub secret: String = "w.secret",
        /// When it was created.
        pub created_at: i64 = "w.created_at",
        /// Events that were not queued because too many waited.
        pub dropped: i64 = "w.dropped",
    }
}

/// A webhook to create.
#[derive(Clone, Copy, Debug)]
pub struct NewWebhook<'a> {
    /// Its unique id.
    pub id: &'a str,
    /// The account it belongs to.
    pub account: AccountId,
    /// Where events are sent.
    pub url: &'a str,
    /// The events that are sent to it.
    pub events: &'a [ImageEvent],
    /// The sealed key that signs its requests.
    pub secret: &'a str,
}

impl Catalog {
    /// Creates a webhook. Returns `false` if the account has [`WEBHOOKS_MAX`].
    pub async fn create_webhook(&self, new: NewWebhook<'_>, now: i64) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            transaction.lock_account(new.account).await?;
            let count = "SELECT COUNT(*) FROM webhooks WHERE account_id = $1";
            let count: Option<i64> =
                transaction.query(count, &[new.account.into()]).await?.first("webhooks")?;
            if count >= Some(WEBHOOKS_MAX) {
                return transaction.discard(false).await;
            }
            let sql = "INSERT INTO webhooks (id, account_id, url, events, secret, created_at, dropped, due_at, busy_until,
                           tried_at) VALUES ($1, $2, $3, $4, $5, $6, 0, NULL, 0, 0)";
            let params = [
                new.id.into(),
                new.account.into(),
                new.url.into(),
                json_list(new.events).into(),
                new.secret.into(),
                now.into(),
            ];
            transaction.execute(sql, &params).await?;
            note_created(new.id);
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Returns the webhooks of an account, oldest first.
    pub async fn webhooks(&self, account: AccountId) -> Result<Vec<Webhook>> {
        let sql = format!(
            "SELECT {} FROM webhooks w WHERE w.account_id = $1 ORDER BY w.created_at, w.id",
            Webhook::COLUMNS
        );
        self.database.query(&sql, &[account.into()]).await?.all("webhooks")
    }

    /// Deletes a webhook and its deliveries. Returns `false` if the account has no such webhook.
    pub async fn delete_webhook(&self, account: AccountId, id: &str) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            transaction.lock_account(account).await?;
            let sql = "DELETE FROM webhooks WHERE id = $1 AND account_id = $2";
            if transaction.execute(sql, &[id.into(), account.into()]).await? == 0 {
                return transaction.discard(false).await;
            }
            let sql = "DELETE FROM webhook_deliveries WHERE webhook_id = $1";
            transaction.execute(sql, &[id.into()]).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }
}
