use super::row::PodState;
use crate::database::Transaction;
use crate::{Catalog, Result};

/// What an engine says about the container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct SeenPod<'a> {
    /// The id of the pod.
    pub id: &'a str,
    /// What the engine says, as JSON.
    pub container: &'a str,
    /// The location of its content, as JSON.
    pub disk: &'a str,
    /// The maximum size of an image of it.
    pub size_bytes: i64,
    /// Its state, which is not recorded while an operation runs.
    pub state: PodState,
    /// What to tell the owner about the state; empty for nothing.
    pub failed_reason: &'a str,
    /// When it was last started and stopped.
    pub started_at: i64,
    /// Likewise.
    pub stopped_at: i64,
}

impl Catalog {
    /// Records what an engine says about the container of a pod.
    pub async fn see_pod(&self, seen: SeenPod<'_>, now: i64) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            let sql =
                "UPDATE instances SET container = $2, disk = $3, size_bytes = $4, seen_at = $5 WHERE id = $1";
            let params =
                [seen.id.into(), seen.container.into(), seen.disk.into(), seen.size_bytes.into(), now.into()];
            transaction.execute(sql, &params).await?;
            let sql = "UPDATE pods SET since = CASE WHEN state = $2 THEN since ELSE $3 END, state = $2,
                           failed_reason = CASE WHEN $4 = '' THEN failed_reason ELSE $4 END,
                           started_at = $5, stopped_at = $6
                       WHERE instance_id = $1 AND operation IS NULL";
            let params = [
                seen.id.into(),
                seen.state.as_str().into(),
                now.into(),
                seen.failed_reason.into(),
                seen.started_at.into(),
                seen.stopped_at.into(),
            ];
            transaction.execute(sql, &params).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Records the sealed password of a pod, which its container has.
    pub async fn set_pod_password(&self, id: &str, password: &str) -> Result<()> {
        let sql = "UPDATE pods SET password = $2, password_pending = 0 WHERE instance_id = $1";
        self.database.execute(sql, &[id.into(), password.into()]).await.map(drop)
    }

    /// Records which image was loaded into the engine for a pod, before it is loaded.
    pub async fn set_loaded_image(&self, id: &str, image: &str) -> Result<()> {
        let sql = "UPDATE pods SET loaded_image = $2 WHERE instance_id = $1";
        self.database.execute(sql, &[id.into(), image.into()]).await.map(drop)
    }

    /// Names a pod.
    pub async fn set_pod_name(&self, id: &str, name: &str) -> Result<()> {
        let sql = "UPDATE instances SET name = $2 WHERE id = $1";
        self.database.execute(sql, &[id.into(), name.into()]).await.map(drop)
    }

    /// Records how a pod is charged.
    pub async fn set_pod_charge_type(&self, id: &str, charge_type: &str) -> Result<()> {
        let sql = "UPDATE pods SET charge_type = $2 WHERE instance_id = $1";
        self.database.execute(sql, &[id.into(), charge_type.into()]).await.map(drop)
    }

    /// Records that a pod is not to be stopped at a time, unless its owner chose another meanwhile.
    pub async fn forget_stop_at(&self, id: &str, stop_at: i64) -> Result<()> {
        let sql = "UPDATE pods SET stop_at = 0 WHERE instance_id = $1 AND stop_at = $2";
        self.database.execute(sql, &[id.into(), stop_at.into()]).await.map(drop)
    }

    /// Records when a pod is to be stopped; 0 for never.
    pub async fn set_pod_stop_at(&self, id: &str, stop_at: i64) -> Result<()> {
        let sql = "UPDATE pods SET stop_at = $2 WHERE instance_id = $1";
        self.database.execute(sql, &[id.into(), stop_at.into()]).await.map(drop)
    }
}
