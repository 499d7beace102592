use super::event::ImageEvent;
use crate::database::{Transaction, json_list};
use crate::{AccountId, Result};

/// Maximum number of deliveries that wait for one webhook. Further events are dropped and counted.
pub const WAITING_DELIVERIES_MAX: i64 = 1000;

impl Transaction {
    /// Queues an event of an image for the webhooks of its account. The transaction has changed the row of the image and
    /// has locked its account.
    pub(crate) async fn announce(&mut self, event: ImageEvent, image: &str, now: i64) -> Result<()> {
        self.announce_with(event, image, &[], now).await
    }

    /// Does the same, with the accounts that the image was shared with.
    pub(crate) async fn announce_with(
        &mut self,
        event: ImageEvent,
        image: &str,
        accounts: &[AccountId],
        now: i64,
    ) -> Result<()> {
        let sql = "SELECT w.id FROM images i JOIN webhooks w ON w.account_id = i.account_id
                   WHERE i.id = $1 AND w.events LIKE $2 ORDER BY w.id";
        let pattern = format!("%\"{}\"%", event.name());
        let webhooks: Vec<String> =
            self.query(sql, &[image.into(), pattern.into()]).await?.all("webhooks")?;
        let accounts = json_list(&accounts.iter().map(|account| account.0).collect::<Vec<_>>());
        for webhook in webhooks {
            if self.waiting_deliveries(&webhook).await? >= WAITING_DELIVERIES_MAX {
                let sql = "UPDATE webhooks SET dropped = dropped + 1 WHERE id = $1";
                self.execute(sql, &[webhook.into()]).await?;
                continue;
            }
            let sql =
                "UPDATE webhooks SET due_at = CASE WHEN due_at < $2 THEN due_at ELSE $2 END WHERE id = $1";
            self.execute(sql, &[(&webhook).into(), now.into()]).await?;
            let ordinal = self.next_ordinal().await?;
            let sql = "INSERT INTO webhook_deliveries (id, webhook_id, event, occurred_at, image_id, image_name,
                           image_status, failed_reason, size_bytes, accounts, state, attempts, time, answer)
                       SELECT $1, $2, $3, $4, id, name, status, failed_reason, size_bytes, $5, 'Waiting', 0, $4, ''
                       FROM images WHERE id = $6";
            let params = [
                ordinal.into(),
                webhook.into(),
                event.name().into(),
                now.into(),
                (&accounts).into(),
                image.into(),
            ];
            self.execute(sql, &params).await?;
        }
        Ok(())
    }

    async fn waiting_deliveries(&mut self, webhook: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'Waiting'";
        Ok(self.query(sql, &[webhook.into()]).await?.first("webhook_deliveries")?.unwrap_or(0))
    }
}
