use super::row::ImageStatus;
use crate::audit::scope::note_created;
use crate::database::{Transaction, json_list, row};
use crate::jobs::row::NewJob;
use crate::ordinals::Position;
use crate::{Catalog, Limit, OverLimit, Result, Scope, Source};

/// The data of a new image. Region, zone, GPU and size come from the instance.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Image`")]
pub struct NewImage<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    /// The instance to make it from.
    pub instance_id: &'a str,
    pub softwares: Option<&'a str>,
    pub software_ports: &'a str,
    pub firewall_ports: &'a [i64],
    /// How its container is to be saved, as JSON that the catalogue does not interpret; empty for a disk.
    pub options: &'a str,
}

/// The outcome of [`Catalog::create_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateImage {
    /// The image was created in status `Making`, and its job waits for a worker.
    Created,
    /// Another image of the account has the name.
    NameTaken,
    /// Another image is being made from the instance.
    InstanceBusy,
    /// An operation on the instance runs.
    OperationRuns,
    /// The account has no such instance.
    InstanceNotFound,
    /// The account would exceed a limit.
    OverLimit(OverLimit),
}

row! {
    /// The fields of an image that come from its instance.
    pub(crate) struct Origin {
        pub(crate) region: String = "region",
        pub(crate) zone: String = "zone",
        pub(crate) gpu_type: String = "gpu_type",
        pub(crate) size_bytes: i64 = "size_bytes",
    }
}

impl Catalog {
    /// Creates an image and the job that makes it, with a unique id.
    pub async fn create_image(
        &self,
        scope: Scope,
        new: NewImage<'_>,
        job_id: &str,
        now: i64,
    ) -> Result<CreateImage> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(scope.owner()).await?;
            let sql =
                format!("SELECT id, {} FROM instances WHERE account_id = $1 AND id = $2", Origin::COLUMNS);
            let rows = transaction.query(&sql, &scope.image_params(new.instance_id)).await?;
            let Some(origin) = rows.first_after_key::<Origin>("instances")? else {
                return transaction.discard(CreateImage::InstanceNotFound).await;
            };
            let busy = "SELECT id FROM jobs WHERE instance_id = $1 AND finished_at IS NULL";
            if transaction.exists(busy, &[new.instance_id.into()]).await? {
                return transaction.discard(CreateImage::InstanceBusy).await;
            }
            let operated = "SELECT instance_id FROM pods WHERE instance_id = $1 AND operation IS NOT NULL";
            if transaction.exists(operated, &[new.instance_id.into()]).await? {
                return transaction.discard(CreateImage::OperationRuns).await;
            }
            if transaction.name_taken(scope, new.name, new.id).await? {
                return transaction.discard(CreateImage::NameTaken).await;
            }
            let more = [(Limit::Images, 1), (Limit::Trashed, 1), (Limit::Jobs, 1), (Limit::StoredBytes, 1)];
            if let Some(over) = self.check_limits(&mut transaction, scope.owner(), &more).await? {
                return transaction.discard(CreateImage::OverLimit(over)).await;
            }
            transaction.insert_image(scope, &new, &origin, ImageStatus::Making, now).await?;
            let source = Source::Instance(new.instance_id.to_owned());
            let job = NewJob {
                id: job_id,
                image_id: new.id,
                source: &source,
                options: new.options,
                total_bytes: origin.size_bytes,
            };
            transaction.insert_job(scope, job, now).await?;
            transaction.commit(CreateImage::Created).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    /// Inserts an image, private and without content.
    pub(crate) async fn insert_image(
        &mut self,
        scope: Scope,
        new: &NewImage<'_>,
        origin: &Origin,
        status: ImageStatus,
        now: i64,
    ) -> Result<Position> {
        note_created(new.id);
        let position = self.next_position(scope.owner(), now).await?;
        let sql = "INSERT INTO images (
                account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
                softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes, readme,
                seq, ordinal, changed
            ) VALUES (
                $1, $2, $3, $4, $5, '[]', '', 0, 0, 0,
                $6, '[]', $7, $8, 0,
                0, 0, '', $9, $9, 0, '',
                '', '', $10, $11, $12, $13, $14, '',
                $15, $16, $17
            )";
        let params = [
            scope.param(),
            new.id.into(),
            new.name.into(),
            status.as_str().into(),
            new.description.into(),
            new.softwares.into(),
            new.software_ports.into(),
            json_list(new.firewall_ports).into(),
            position.create_time.into(),
            (&origin.gpu_type).into(),
            (&origin.region).into(),
            (&origin.zone).into(),
            new.instance_id.into(),
            origin.size_bytes.into(),
            position.seq.into(),
            position.ordinal.into(),
            position.revision.into(),
        ];
        self.execute(sql, &params).await?;
        self.count_images(scope.owner(), &origin.zone, 1).await?;
        Ok(position)
    }
}
