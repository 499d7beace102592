use super::ports::PodPort;
use crate::audit::scope::note_created;
use crate::database::{Transaction, json_list};
use crate::{AddInstance, Catalog, NewInstance, Result};

/// The data of a new pod.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Pod`")]
pub struct NewPod<'a> {
    /// The instance, whose `container` must not be `None`.
    pub instance: NewInstance<'a>,
    pub options: &'a str,
    pub remark: &'a str,
    pub password: &'a str,
    /// As lines of an `authorized_keys` file; empty for none.
    pub ssh_keys: &'a str,
    pub cpu: i64,
    pub memory_mb: i64,
    pub gpus: i64,
    pub devices: &'a [String],
    pub disk_gb: i64,
    pub charge_type: &'a str,
    pub ports: &'a [PodPort],
}

/// The outcome of [`Catalog::create_pods`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatePods {
    /// All pods were created.
    Created,
    /// The account cannot see the image.
    ImageNotFound,
    /// The image has no content: it is being made, or could not be made.
    ImageNotAvailable,
    /// An id, a port of the machine or a GPU belongs to another pod: choose again.
    Taken,
    /// The account would have more pods than it may.
    TooMany,
}

impl Catalog {
    /// Creates pods of this server from one image, all or none. All belong to one account, which has at most `pods_max` afterwards.
    pub async fn create_pods(
        &self,
        pods: &[NewPod<'_>],
        image_id: &str,
        pods_max: i64,
        now: i64,
    ) -> Result<CreatePods> {
        let (Some(first), Some(owner)) = (pods.first(), self.image_owner(image_id).await?) else {
            return Ok(CreatePods::ImageNotFound);
        };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_viewers_and(owner, image_id, first.instance.account).await?;
            note_created(first.instance.id);
            let sql = "SELECT COUNT(*) FROM pods p JOIN instances n ON n.id = p.instance_id WHERE n.account_id = $1";
            let count: Option<i64> =
                transaction.query(sql, &[first.instance.account.into()]).await?.first("pods")?;
            let more = i64::try_from(pods.len()).unwrap_or(i64::MAX);
            if count.unwrap_or(0).saturating_add(more) > pods_max {
                return transaction.discard(CreatePods::TooMany).await;
            }
            for pod in pods {
                let added =
                    transaction.insert_instance(pod.instance, &self.host, Some(image_id), now).await?;
                let refused = match added {
                    AddInstance::Added => None,
                    AddInstance::ImageNotFound => Some(CreatePods::ImageNotFound),
                    AddInstance::ImageNotAvailable => Some(CreatePods::ImageNotAvailable),
                    AddInstance::Exists => Some(CreatePods::Taken),
                };
                if let Some(refused) = refused {
                    return transaction.discard(refused).await;
                }
                if !transaction.insert_pod(pod, &self.host, now).await? {
                    return transaction.discard(CreatePods::Taken).await;
                }
                transaction.set_ssh_keys(pod.instance.id, pod.ssh_keys).await?;
            }
            transaction.commit(CreatePods::Created).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    /// Inserts the row of a pod that is being created. Returns `false` if something belongs to another pod.
    async fn insert_pod(&mut self, pod: &NewPod<'_>, host: &str, now: i64) -> Result<bool> {
        let (id, devices) = (pod.instance.id, json_list(pod.devices));
        if self.are_devices_used(id, pod.devices, host).await? {
            return Ok(false);
        }
        let sql = "INSERT INTO pods
                       (instance_id, account_id, state, operation, options, since, failed_reason, remark, password,
                        password_pending, cpu, memory_mb, gpus, devices, without_gpu, disk_gb, charge_type, stop_at,
                        started_at, stopped_at, loaded_image, host)
                   VALUES ($1, $2, 'Stopped', 'create', $3, $4, '', $5, $6, 1, $7, $8, $9, $10, '', $11, $12, 0, 0, 0, '', $13)
                   ON CONFLICT (instance_id) DO NOTHING";
        let params = [
            id.into(),
            pod.instance.account.into(),
            pod.options.into(),
            now.into(),
            pod.remark.into(),
            pod.password.into(),
            pod.cpu.into(),
            pod.memory_mb.into(),
            pod.gpus.into(),
            devices.into(),
            pod.disk_gb.into(),
            pod.charge_type.into(),
            host.into(),
        ];
        Ok(self.execute(sql, &params).await? == 1 && self.insert_ports(pod.ports).await?)
    }
}
