use super::row::ImageStatus;
use crate::answers::{ANSWER_SECS, Answer};
use crate::audit::scope::note_created;
use crate::database::{Transaction, row};
use crate::ordinals::Position;
use crate::{AccountId, Catalog, ImageEvent, Limit, OverLimit, Result, Scope};

/// The data of a copy that differs from the original.
#[derive(Clone, Copy)]
pub struct NewCopy<'a> {
    /// Its unique id.
    pub id: &'a str,
    /// Its owner: that of the original, whose content counts for it already, or the platform, which has no limits.
    pub owner: AccountId,
    /// Generates the names to try from the name of the original and 0, 1, …; `None` ends them.
    pub name: &'a (dyn Fn(&str, u32) -> Option<String> + Send + Sync),
    /// Its description; `None` for that of the original.
    pub description: Option<&'a str>,
    /// The region and zone it is stored in; `None` for those of the original.
    pub place: Option<(&'a str, &'a str)>,
    /// `System`, `App`, `Game` or `Other` for a platform image, else empty.
    pub platform_type: &'a str,
    /// Identifies the request. Repeating it within [`ANSWER_SECS`](crate::ANSWER_SECS) makes no other copy while this one
    /// exists.
    pub request: Option<&'a str>,
}

/// The outcome of [`Catalog::copy_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyImage {
    /// The copy was made, with this name.
    Copied(String),
    /// The same request made this copy before.
    AlreadyCopied(String),
    /// There is no such image in the scope that the owner may copy.
    NotFound,
    /// The image is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`].
    NotAvailable,
    /// Other images of the owner have all the names.
    NameTaken,
    /// The owner would exceed a limit.
    OverLimit(OverLimit),
}

row! {
    /// The original of a copy, and the status of the copy.
    pub struct CopySource {
        /// The id of the original, which may be deleted.
        pub image_id: String = "i.copied_from",
        /// The status of the copy.
        pub status: ImageStatus = "i.status",
    }
}

row! {
    struct Original {
        account: AccountId = "i.account_id",
        name: String = "i.name",
        status: ImageStatus = "i.status",
        zone: String = "i.zone",
        cover: String = "i.cover",
    }
}

impl Catalog {
    /// Makes another image with the same content, without reading or writing it. The copy keeps the facts about the
    /// original, but not its shares, group, price and counters.
    pub async fn copy_image(&self, scope: Scope, id: &str, new: NewCopy<'_>, now: i64) -> Result<CopyImage> {
        // The original may be deleted after the same request copied it.
        let source = self.image(scope, id).await?.map(|image| image.account);
        if source.is_none() && new.request.is_none() {
            return Ok(CopyImage::NotFound);
        }
        let target = Scope::own(new.owner);
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revisions(source.into_iter().chain([new.owner])).await?;
            if let Some(copy) = transaction.find_earlier_copy(target, new.request, now).await? {
                return transaction.discard(CopyImage::AlreadyCopied(copy)).await;
            }
            let original = scope.select_image(Original::COLUMNS);
            let rows = transaction.query(&original, &scope.image_params(id)).await?;
            let original = rows.first_after_key::<Original>("images")?;
            let is_allowed = |one: &Original| [one.account, AccountId::PLATFORM].contains(&new.owner);
            let Some(original) = original.filter(is_allowed) else {
                return transaction.discard(CopyImage::NotFound).await;
            };
            if !matches!(original.status, ImageStatus::Available | ImageStatus::Offline) {
                return transaction.discard(CopyImage::NotAvailable).await;
            }
            let Some(name) = transaction.free_name(target, &original.name, new).await? else {
                return transaction.discard(CopyImage::NameTaken).await;
            };
            let more = [(Limit::Images, 1), (Limit::Trashed, 1)];
            if let Some(over) = self.check_limits(&mut transaction, new.owner, &more).await? {
                return transaction.discard(CopyImage::OverLimit(over)).await;
            }
            transaction.lock_cover(&original.cover).await?;
            let position = transaction.next_position(new.owner, now).await?;
            transaction.insert_copy(id, &name, new, position).await?;
            if let Some(request) = new.request {
                let (ordinal, secs) = (position.ordinal, ANSWER_SECS);
                let answer = Answer { request, text: new.id, ordinal, secs };
                transaction.store_answer(new.owner, answer, now).await?;
            }
            let zone = new.place.map_or(original.zone.as_str(), |(_, zone)| zone);
            transaction.count_images(new.owner, zone, 1).await?;
            transaction.announce(ImageEvent::Available, new.id, now).await?;
            transaction.commit(CopyImage::Copied(name)).await
        };
        self.database.write(change).await
    }

    /// Returns the original of a copy; `None` if there is no such image in the scope, or it is not a copy.
    pub async fn copy_source(&self, scope: Scope, id: &str) -> Result<Option<CopySource>> {
        let sql = scope.select_image(CopySource::COLUMNS) + " AND i.copied_from <> ''";
        self.database.query(&sql, &scope.image_params(id)).await?.first_after_key("images")
    }
}

impl Transaction {
    /// Returns the copy that the same request made, if it exists.
    async fn find_earlier_copy(
        &mut self,
        target: Scope,
        request: Option<&str>,
        now: i64,
    ) -> Result<Option<String>> {
        let Some(copy) = self.find_answer(target.owner(), request, now).await? else { return Ok(None) };
        let exists = self.exists(&target.select_image("i.id"), &target.image_params(&copy)).await?;
        Ok(exists.then_some(copy))
    }

    async fn free_name(&mut self, target: Scope, original: &str, new: NewCopy<'_>) -> Result<Option<String>> {
        let mut number = 0;
        while let Some(name) = (new.name)(original, number) {
            if !self.name_taken(target, &name, new.id).await? {
                return Ok(Some(name));
            }
            number += 1;
        }
        Ok(None)
    }

    async fn insert_copy(
        &mut self,
        id: &str,
        name: &str,
        new: NewCopy<'_>,
        position: Position,
    ) -> Result<()> {
        note_created(new.id);
        let sql = "INSERT INTO images (
                 account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
                 softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                 created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                 version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes,
                 manifest, data_bytes, container, platform_type, copied_from, readme, seq, ordinal,
                 oci, left_out, changed
             )
             SELECT
                 $2, $3, $4, 'Available', COALESCE($5, description), tags, cover, 0, 0, auto_start,
                 softwares, supported_gpu_types, software_ports, firewall_ports, 0,
                 0, 0, '', $6, $6, 0, '',
                 '', '', source_gpu_type, COALESCE($7, region), COALESCE($8, zone), source_instance_id, size_bytes,
                 manifest, data_bytes, container, $9, id, readme, $10, $11, oci, left_out, $12
             FROM images WHERE id = $1";
        let params = [
            id.into(),
            new.owner.into(),
            new.id.into(),
            name.into(),
            new.description.into(),
            position.create_time.into(),
            new.place.map(|(region, _)| region).into(),
            new.place.map(|(_, zone)| zone).into(),
            new.platform_type.into(),
            position.seq.into(),
            position.ordinal.into(),
            position.revision.into(),
        ];
        self.execute(sql, &params).await.map(drop)
    }
}
