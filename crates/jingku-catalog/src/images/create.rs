use super::change::{count, name_taken};
use crate::accounts::bump_revision;
use crate::database::{Transaction, json_list};
use crate::limits::{Limit, OverLimit, check_limits};
use crate::ordinals::next_position;
use crate::{Catalog, Result, Scope};

/// What an image is created from. Region, zone, GPU and size come from the instance.
#[derive(Clone, Copy, Debug)]
pub struct NewImage<'a> {
    /// Its id, which no image had before.
    pub id: &'a str,
    /// What a person calls it.
    pub name: &'a str,
    /// One paragraph for a reader.
    pub description: &'a str,
    /// The instance to make it from.
    pub instance_id: &'a str,
    /// What is installed, as a JSON object.
    pub softwares: Option<&'a str>,
    /// The ports of its software, as a JSON list.
    pub software_ports: &'a str,
    /// The ports to open.
    pub firewall_ports: &'a [i64],
}

/// The job that is to make an image.
#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    /// Its id, which no job had before.
    pub id: &'a str,
}

/// What came of [`Catalog::create_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateImage {
    /// The image is there, `Making`, and its job waits for a worker.
    Created,
    /// An image of the account holds the name.
    NameTaken,
    /// Another image is being made from the instance.
    InstanceBusy,
    /// The account has no such instance.
    InstanceNotFound,
    /// The account has as much as it may.
    OverLimit(OverLimit),
}

/// What an image takes over from its instance.
pub(crate) struct Origin {
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) gpu_type: String,
    pub(crate) size_bytes: i64,
}

impl Catalog {
    /// Creates an image and the job that makes it, both or neither.
    pub async fn create_image(
        &self,
        scope: Scope,
        new: NewImage<'_>,
        job: NewJob<'_>,
        now: i64,
    ) -> Result<CreateImage> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, scope.owner()).await?;
                let Some(origin) = origin(&mut transaction, scope, new.instance_id).await? else {
                    return transaction.discard(CreateImage::InstanceNotFound).await;
                };
                let busy = "SELECT id FROM jobs WHERE instance_id = $1 AND finished_at IS NULL";
                if transaction.exists(busy, &[new.instance_id.into()]).await? {
                    return transaction.discard(CreateImage::InstanceBusy).await;
                }
                if name_taken(&mut transaction, scope, new.name, new.id).await? {
                    return transaction.discard(CreateImage::NameTaken).await;
                }
                let more =
                    [(Limit::Images, 1), (Limit::Trashed, 1), (Limit::Jobs, 1), (Limit::StoredBytes, 1)];
                let over = check_limits(&mut transaction, self.account_limits, scope.owner(), &more).await?;
                if let Some(over) = over {
                    return transaction.discard(CreateImage::OverLimit(over)).await;
                }
                insert_image(&mut transaction, scope, &new, &origin, now).await?;
                count(&mut transaction, scope.owner(), &origin.zone, 1).await?;
                insert_job(&mut transaction, scope, new.id, new.instance_id, job, origin.size_bytes, now)
                    .await?;
                transaction.commit(CreateImage::Created).await
            })
            .await
    }
}

async fn origin(transaction: &mut Transaction, scope: Scope, id: &str) -> Result<Option<Origin>> {
    let sql =
        "SELECT id, region, zone, gpu_type, size_bytes FROM instances WHERE account_id = $1 AND id = $2";
    let row = transaction.query(sql, &[scope.param(), id.into()]).await?.into_iter().next();
    row.map(|row| {
        row.decode("instances", |cells| {
            cells.text()?;
            Ok(Origin {
                region: cells.text()?,
                zone: cells.text()?,
                gpu_type: cells.text()?,
                size_bytes: cells.integer()?,
            })
        })
    })
    .transpose()
}

pub(crate) async fn insert_image(
    transaction: &mut Transaction,
    scope: Scope,
    new: &NewImage<'_>,
    origin: &Origin,
    now: i64,
) -> Result<()> {
    let firewall_ports = json_list(new.firewall_ports);
    let position = next_position(transaction, scope.owner(), now).await?;
    transaction
        .execute(
            "INSERT INTO images (
                 account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
                 softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                 created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                 version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes, readme,
                 seq, ordinal
             ) VALUES (
                 $1, $2, $3, 'Making', $4, '[]', '', 0, 0, 0,
                 $5, '[]', $6, $7, 0,
                 0, 0, '', $8, $8, 0, '',
                 '', '', $9, $10, $11, $12, $13, '',
                 $14, $15
             )",
            &[
                scope.param(),
                new.id.into(),
                new.name.into(),
                new.description.into(),
                new.softwares.into(),
                new.software_ports.into(),
                (&firewall_ports).into(),
                position.create_time.into(),
                (&origin.gpu_type).into(),
                (&origin.region).into(),
                (&origin.zone).into(),
                new.instance_id.into(),
                origin.size_bytes.into(),
                position.seq.into(),
                position.ordinal.into(),
            ],
        )
        .await
        .map(drop)
}

/// Adds a job behind the others of the account, whose row the transaction holds.
pub(crate) async fn insert_job(
    transaction: &mut Transaction,
    scope: Scope,
    image_id: &str,
    instance_id: &str,
    job: NewJob<'_>,
    total_bytes: i64,
    now: i64,
) -> Result<()> {
    transaction
        .execute(
            "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, attempts, done_bytes, total_bytes, seq)
             SELECT $1, $2, $3, $4, $5, 0, 0, $6, COALESCE(MAX(seq), 0) + 1
             FROM jobs WHERE account_id = $2 AND finished_at IS NULL",
            &[
                job.id.into(),
                scope.param(),
                image_id.into(),
                instance_id.into(),
                now.into(),
                total_bytes.into(),
            ],
        )
        .await
        .map(drop)
}
