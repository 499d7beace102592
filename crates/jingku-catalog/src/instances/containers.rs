use super::{AddInstance, NewInstance};
use crate::database::row;
use crate::pods::row::Pod;
use crate::{AccountId, Catalog, Result};

row! {
    /// An instance that is a container.
    pub struct KnownContainer {
        /// The id of the instance.
        pub id: String = "n.id",
        /// Its account.
        pub account: AccountId = "n.account_id",
        /// The location of its content, as JSON.
        pub disk: String = "n.disk",
        /// The most bytes its image has; 0 until the engine counted them.
        pub size_bytes: i64 = "n.size_bytes",
        /// What the engine said about it, as JSON.
        pub container: String = "n.container",
        /// The image for which it is paused, or empty.
        pub paused_for: String = "n.paused_for",
        /// What the API keeps of it, if it created it.
        pub pod: Option<Pod>,
    }
}

/// The outcome of [`Catalog::put_container`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutContainer {
    /// The instance is new.
    Added,
    /// The instance was as described, or is now.
    Kept,
    /// The id belongs to an instance of another account or server, or to a VM.
    Taken,
}

impl Catalog {
    /// Records a container of this server's engine as an instance, or updates it.
    pub async fn put_container(&self, new: NewInstance<'_>, now: i64) -> Result<PutContainer> {
        let sql = "UPDATE instances
                   SET name = $3, region = $4, zone = $5, disk = $6, size_bytes = $7, gpu_type = $8, container = $9,
                       seen_at = $10
                   WHERE id = $1 AND account_id = $2 AND container IS NOT NULL AND host = $11";
        let params = [
            new.id.into(),
            new.account.into(),
            new.name.into(),
            new.region.into(),
            new.zone.into(),
            new.disk.into(),
            new.size_bytes.into(),
            new.gpu_type.into(),
            new.container.into(),
            now.into(),
            (&*self.host).into(),
        ];
        if self.database.execute(sql, &params).await? == 1 {
            return Ok(PutContainer::Kept);
        }
        Ok(match self.add_instance(new, None, now).await? {
            AddInstance::Added => PutContainer::Added,
            AddInstance::Exists | AddInstance::ImageNotFound | AddInstance::ImageNotAvailable => {
                PutContainer::Taken
            }
        })
    }

    /// Records that this server's engine was seen with all containers.
    pub async fn see_containers(&self, now: i64) -> Result<()> {
        let sql = "UPDATE instances SET seen_at = $1 WHERE container IS NOT NULL AND host = $2";
        self.database.execute(sql, &[now.into(), (&*self.host).into()]).await.map(drop)
    }

    /// Lists the instances that are containers of this server.
    pub async fn containers(&self) -> Result<Vec<KnownContainer>> {
        let sql = format!(
            "SELECT {}, {} FROM instances n LEFT JOIN pods p ON p.instance_id = n.id
             WHERE n.container IS NOT NULL AND n.host = $1 ORDER BY n.id",
            KnownContainer::COLUMNS,
            Pod::COLUMNS
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[(&*self.host).into()]).await?.all("instances")
    }

    /// Records for which image a container is paused, before it is; empty once it is resumed.
    pub async fn set_paused_for(&self, instance_id: &str, image_id: &str) -> Result<()> {
        let sql = "UPDATE instances SET paused_for = $2 WHERE id = $1";
        self.database.execute(sql, &[instance_id.into(), image_id.into()]).await.map(drop)
    }
}
