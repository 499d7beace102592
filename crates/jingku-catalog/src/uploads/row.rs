use crate::answers::{Answer, DELETED_SECS};
use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// An upload: its file is incomplete, or its job has not ended.
    pub struct Upload {
        /// The image to be made.
        pub image_id: String = "image_id",
        /// The account it belongs to.
        pub account: AccountId = "account_id",
        /// The size of the file, if known.
        pub size_bytes: Option<i64> = "size_bytes",
        /// The announced size without holes, if known.
        pub data_bytes: Option<i64> = "data_bytes",
        /// The hash of the file in hexadecimal, if known.
        pub blake3: Option<String> = "blake3",
        /// The format of the disk in the file; `None` to detect it.
        pub format: Option<String> = "format",
        /// Bytes received and durable.
        pub received_bytes: i64 = "received_bytes",
        /// Bytes that those occupy.
        pub stored_bytes: i64 = "stored_bytes",
        /// The state of their sparse hash, if known.
        pub sparse_state: Option<String> = "sparse_state",
        /// The sparse hash of the file in hexadecimal, if both sides agreed on it.
        pub sparse_hash: Option<String> = "sparse_hash",
        /// Whether the file is complete and its hash verified.
        pub finished: bool = "CAST(CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
        /// The server that has the file; empty for the only one.
        pub host: String = "host",
    }
}

impl Upload {
    /// Returns about how many bytes it will still occupy, if known.
    pub fn remaining_bytes(&self) -> Option<i64> {
        let size = self.size_bytes? - self.received_bytes;
        let data = self.data_bytes.map_or(size, |data| data - self.stored_bytes);
        Some(size.min(data).max(0))
    }

    /// Returns the hash of a finished file.
    pub fn agreed_hash(&self) -> Option<&str> {
        self.sparse_hash.as_deref().or(self.blake3.as_deref()).filter(|_| self.finished)
    }
}

/// The hash of a file that both sides agreed on, in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreedHash<'a> {
    /// Of all bytes.
    Plain(&'a str),
    /// Of the blocks that are not zero.
    Sparse(&'a str),
}

const COLUMNS: &str = Upload::COLUMNS;

impl Catalog {
    /// Returns the upload of an image of the account.
    pub async fn upload(&self, account: AccountId, image_id: &str) -> Result<Option<Upload>> {
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE account_id = $1 AND image_id = $2");
        self.database.query(&sql, &[account.into(), image_id.into()]).await?.first("uploads")
    }

    /// Returns the uploads of all accounts to this server. Each account has few.
    pub async fn uploads(&self) -> Result<Vec<Upload>> {
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE host = $1 ORDER BY image_id");
        self.database.scan(AccountId::PLATFORM, &sql, &[(&*self.host).into()]).await?.all("uploads")
    }

    /// Returns the unfinished uploads that were last active before `active_before`, if given, and those without any bytes
    /// that were last active before `started_before`: of this server, and of servers that do not live.
    pub async fn idle_uploads(&self, active_before: Option<i64>, started_before: i64) -> Result<Vec<Upload>> {
        let clock = self.database.clock();
        let sql = format!(
            "SELECT {COLUMNS} FROM uploads
             WHERE finished_at IS NULL
               AND (host = $3 OR NOT EXISTS (
                   SELECT 1 FROM hosts WHERE hosts.name = uploads.host AND hosts.lease_until > {clock}
               ))
               AND (heard_at < $1 OR (received_bytes = 0 AND heard_at < $2))
             ORDER BY image_id"
        );
        let params = [active_before.unwrap_or(i64::MIN).into(), started_before.into(), (&*self.host).into()];
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("uploads")
    }

    /// Returns whether an upload of the account that no longer exists finished with this size and hash. That is known for
    /// [`DELETED_SECS`] after its job ended.
    pub async fn was_upload_finished(
        &self,
        account: AccountId,
        image_id: &str,
        size_bytes: i64,
        hash: &str,
        now: i64,
    ) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let agreed = transaction.find_answer(account, Some(&agreed_request(image_id)), now).await?;
            transaction.discard(agreed == Some(agreed_text(size_bytes, hash))).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    pub(crate) async fn delete_upload(&mut self, image_id: &str) -> Result<()> {
        self.execute("DELETE FROM uploads WHERE image_id = $1", &[image_id.into()]).await.map(drop)
    }

    /// Deletes the upload of an image whose job has ended. Its size and hash are stored for [`DELETED_SECS`]: a client that
    /// lost the answer asks again, perhaps after a restart of the server.
    pub(crate) async fn end_upload(&mut self, image_id: &str, now: i64) -> Result<()> {
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE image_id = $1");
        let upload: Option<Upload> = self.query(&sql, &[image_id.into()]).await?.first("uploads")?;
        if let Some(upload) = upload
            && let Some(hash) = upload.agreed_hash()
        {
            let (request, text) = (agreed_request(image_id), agreed_text(upload.received_bytes, hash));
            let ordinal = self.next_ordinal().await?;
            let answer = Answer { request: &request, text: &text, ordinal, secs: DELETED_SECS };
            self.store_answer(upload.account, answer, now).await?;
        }
        self.delete_upload(image_id).await
    }
}

/// Identifies the agreement about a file among the answers of an account.
fn agreed_request(image_id: &str) -> String {
    format!("agreed {image_id}")
}

fn agreed_text(size_bytes: i64, hash: &str) -> String {
    format!("{size_bytes} {hash}")
}
