use super::login::NewLogin;
use super::row::{Operation, PodState, USED_DEVICES};
use crate::database::Transaction;
use crate::{AccountId, Catalog, Result};

/// An operation to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewOperation<'a> {
    /// The account that asks.
    pub account: AccountId,
    /// The id of the pod.
    pub id: &'a str,
    /// What to do.
    pub operation: Operation,
    /// The states in which it may begin.
    pub allowed: &'a [PodState],
    /// Operations that it takes the place of.
    pub replaces: &'a [Operation],
    /// What it is asked to do, as JSON.
    pub options: &'a str,
    /// The tier of a start without GPUs; `None` leaves it.
    pub without_gpu: Option<&'a str>,
}

/// The outcome of [`Catalog::begin_operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginOperation {
    /// It runs from now on.
    Begun,
    /// The same operation runs already.
    Runs,
    /// Another operation runs.
    Busy,
    /// An image is being made from the instance.
    MakingImage,
    /// The pod is in a state that does not allow it.
    NotAllowed(PodState),
    /// Another pod uses one of its GPUs.
    DeviceUsed,
    /// The account has no such pod.
    NotFound,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
pub struct OperationEnd<'a> {
    /// The state from now on.
    pub state: PodState,
    /// Why it failed, for the owner; empty if it did not.
    pub failed_reason: &'a str,
    /// What the engine last said about the container, as JSON; `None` leaves it.
    pub container: Option<&'a str>,
    /// The location of its content, as JSON; `None` leaves it.
    pub disk: Option<&'a str>,
}

/// The row that decides whether an operation may begin.
type Current = (String, PodState, Option<Operation>, Vec<String>, String, String);

impl Catalog {
    /// Begins an operation, of which a pod has one at most. The same pod shows its passing state from now on.
    pub async fn begin_operation(&self, new: NewOperation<'_>, now: i64) -> Result<BeginOperation> {
        let change = |mut transaction: Transaction| async move {
            transaction.lock_account(new.account).await?;
            let refused = transaction.check_operation(&new).await?;
            if let Some(refused) = refused {
                return transaction.discard(refused).await;
            }
            let sql = "UPDATE pods SET operation = $2, options = $3, since = $4, failed_reason = '',
                           without_gpu = COALESCE($5, without_gpu)
                       WHERE instance_id = $1";
            let params = [
                new.id.into(),
                new.operation.as_str().into(),
                new.options.into(),
                now.into(),
                new.without_gpu.into(),
            ];
            transaction.execute(sql, &params).await?;
            transaction.commit(BeginOperation::Begun).await
        };
        self.database.write(change).await
    }

    /// Begins to remove a pod: its instance is gone from now on, and its use of its image counts until `now`.
    pub async fn terminate_pod(&self, account: AccountId, id: &str, now: i64) -> Result<BeginOperation> {
        let image = match self.instance(Some(account), id).await?.and_then(|row| row.started_from) {
            Some(from) => self.image_owner(&from.image_id).await?.map(|owner| (owner, from.image_id)),
            None => None,
        };
        let image = image.as_ref();
        let change = |mut transaction: Transaction| async move {
            match image {
                Some((owner, image)) => transaction.bump_viewers_and(*owner, image, account).await?,
                None => transaction.bump_revision(account).await?,
            }
            let new = NewOperation {
                account,
                id,
                operation: Operation::Terminate,
                allowed: &[PodState::Stopped, PodState::InstallFail],
                replaces: &[],
                options: "",
                without_gpu: None,
            };
            let refused = transaction.check_operation(&new).await?;
            if let Some(refused) = refused {
                return transaction.discard(refused).await;
            }
            transaction.count_rest(id, now).await?;
            transaction.execute("DELETE FROM instances WHERE id = $1", &[id.into()]).await?;
            let sql =
                "UPDATE pods SET operation = 'terminate', since = $2, stop_at = 0 WHERE instance_id = $1";
            transaction.execute(sql, &[id.into(), now.into()]).await?;
            transaction.commit(BeginOperation::Begun).await
        };
        self.database.write(change).await
    }

    /// Begins to replace the container of a pod by one from an image, which must be visible to the account and complete.
    /// Its use of the former image counts until `now`.
    pub async fn begin_reinstall(
        &self,
        new: NewOperation<'_>,
        image_id: &str,
        login: NewLogin<'_>,
        now: i64,
    ) -> Result<BeginOperation> {
        let Some(owner) = self.image_owner(image_id).await? else { return Ok(BeginOperation::NotFound) };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_viewers_and(owner, image_id, new.account).await?;
            let refused = transaction.check_operation(&new).await?;
            if let Some(refused) = refused {
                return transaction.discard(refused).await;
            }
            transaction.count_rest(new.id, now).await?;
            transaction.add_to_counter("created_count", image_id, 1).await?;
            let sql = "UPDATE instances SET image_id = $2, use_counted_until = $3 WHERE id = $1";
            transaction.execute(sql, &[new.id.into(), image_id.into(), now.into()]).await?;
            let sql = "UPDATE pods SET operation = $2, options = $3, since = $4, failed_reason = '',
                           password = COALESCE($5, password), password_pending = 1
                       WHERE instance_id = $1";
            let params = [
                new.id.into(),
                new.operation.as_str().into(),
                new.options.into(),
                now.into(),
                login.password.into(),
            ];
            transaction.execute(sql, &params).await?;
            if let Some(ssh_keys) = login.ssh_keys {
                transaction.set_ssh_keys(new.id, ssh_keys).await?;
            }
            transaction.commit(BeginOperation::Begun).await
        };
        self.database.write(change).await
    }

    /// Ends an operation. Does nothing, and returns `false`, if it does not run any more.
    pub async fn end_operation(
        &self,
        id: &str,
        operation: Operation,
        end: OperationEnd<'_>,
        now: i64,
    ) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let sql =
                "UPDATE pods SET operation = NULL, options = '', state = $3, since = $4, failed_reason = $5,
                           started_at = CASE WHEN $3 = 'Running' THEN $4 ELSE started_at END,
                           stopped_at = CASE WHEN $3 = 'Running' THEN stopped_at ELSE $4 END
                       WHERE instance_id = $1 AND operation = $2";
            let params = [
                id.into(),
                operation.as_str().into(),
                end.state.as_str().into(),
                now.into(),
                end.failed_reason.into(),
            ];
            if transaction.execute(sql, &params).await? == 0 {
                return transaction.discard(false).await;
            }
            let sql = "UPDATE instances SET container = COALESCE($2, container), disk = COALESCE($3, disk) WHERE id = $1";
            transaction.execute(sql, &[id.into(), end.container.into(), end.disk.into()]).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Forgets a terminated pod, whose container is removed. Its ports are free from now on.
    pub async fn forget_pod(&self, id: &str) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            transaction.execute("DELETE FROM pod_ports WHERE instance_id = $1", &[id.into()]).await?;
            transaction.set_ssh_keys(id, "").await?;
            let sql = "DELETE FROM pods WHERE instance_id = $1 AND operation = 'terminate'";
            transaction.execute(sql, &[id.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    /// Checks whether an operation may begin.
    async fn check_operation(&mut self, new: &NewOperation<'_>) -> Result<Option<BeginOperation>> {
        let sql = "SELECT p.instance_id, p.state, p.operation, p.devices, COALESCE($3, p.without_gpu), p.host
                   FROM pods p JOIN instances n ON n.id = p.instance_id
                   WHERE p.instance_id = $1 AND n.account_id = $2";
        let params = [new.id.into(), new.account.into(), new.without_gpu.into()];
        let current: Option<Current> = self.query(sql, &params).await?.first("pods")?;
        let Some((_, state, running, devices, without_gpu, host)) = current else {
            return Ok(Some(BeginOperation::NotFound));
        };
        let refused = match running {
            Some(running) if running == new.operation => Some(BeginOperation::Runs),
            Some(running) if new.replaces.contains(&running) => None,
            Some(_) => Some(BeginOperation::Busy),
            None if new.allowed.contains(&state) => None,
            None => Some(BeginOperation::NotAllowed(state)),
        };
        if refused.is_some() {
            return Ok(refused);
        }
        let making = "SELECT id FROM jobs WHERE instance_id = $1 AND finished_at IS NULL";
        if self.exists(making, &[new.id.into()]).await? {
            return Ok(Some(BeginOperation::MakingImage));
        }
        let needs_devices = without_gpu.is_empty()
            && matches!(new.operation, Operation::Start | Operation::Reboot | Operation::Reinstall);
        if needs_devices && self.are_devices_used(new.id, &devices, &host).await? {
            return Ok(Some(BeginOperation::DeviceUsed));
        }
        Ok(None)
    }

    /// Tells whether a pod of a server other than `id` uses one of its GPUs. Stays true until the transaction ends.
    pub(super) async fn are_devices_used(
        &mut self,
        id: &str,
        devices: &[String],
        host: &str,
    ) -> Result<bool> {
        if devices.is_empty() {
            return Ok(false);
        }
        // Its lock keeps others from choosing the same ones meanwhile.
        self.next_ordinal().await?;
        let used: Vec<(String, Vec<String>)> =
            self.query(USED_DEVICES, &[id.into(), host.into()]).await?.all("pods")?;
        Ok(used.iter().any(|(_, used)| used.iter().any(|device| devices.contains(device))))
    }
}

impl Catalog {
    /// Takes back the size of a pod that could not be resized.
    pub async fn restore_pod_size(&self, id: &str, cpu: i64, memory_mb: i64) -> Result<()> {
        let sql = "UPDATE pods SET cpu = $2, memory_mb = $3 WHERE instance_id = $1 AND operation = 'resize'";
        self.database.execute(sql, &[id.into(), cpu.into(), memory_mb.into()]).await.map(drop)
    }

    /// Changes the size of a stopped pod, while no operation runs. Returns `false` if it is not.
    pub async fn set_pod_size(&self, id: &str, cpu: i64, memory_mb: i64) -> Result<bool> {
        let sql = "UPDATE pods SET cpu = $2, memory_mb = $3
                   WHERE instance_id = $1 AND operation IS NULL AND state = 'Stopped'";
        let params = [id.into(), cpu.into(), memory_mb.into()];
        Ok(self.database.execute(sql, &params).await? == 1)
    }
}
