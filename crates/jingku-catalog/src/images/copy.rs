use super::change::{count, name_taken};
use super::row::ImageStatus;
use crate::accounts::bump_revisions;
use crate::answers::{ANSWER_SECS, Answer, find_answer, keep_answer};
use crate::database::Transaction;
use crate::limits::{Limit, OverLimit, added_bytes, check_limits};
use crate::ordinals::{Position, next_position};
use crate::{AccountId, Catalog, Result, Scope, covers};

/// What a copy is to be, where it is not as the image it is made from.
#[derive(Clone, Copy)]
pub struct NewCopy<'a> {
    /// Its id, which no image had before.
    pub id: &'a str,
    /// Whose it is to be.
    pub owner: AccountId,
    /// The names to try, from number 0 on, made from the name of the image; `None` ends them.
    pub name: &'a (dyn Fn(&str, u32) -> Option<String> + Send + Sync),
    /// One paragraph for a reader; `None` for that of the image.
    pub description: Option<&'a str>,
    /// The region and the zone it is to be held in; `None` for those of the image.
    pub place: Option<(&'a str, &'a str)>,
    /// `System`, `App`, `Game` or `Other` for one of the platform's, else nothing.
    pub platform_type: &'a str,
    /// Names the request for it. The same request within [`ANSWER_SECS`](crate::ANSWER_SECS) makes no other copy while
    /// this one is there.
    pub request: Option<&'a str>,
}

/// What came of [`Catalog::copy_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyImage {
    /// The copy is there, under this name.
    Copied(String),
    /// The same request made this copy before.
    AlreadyCopied(String),
    /// There is no such image in the scope.
    NotFound,
    /// The image is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`].
    NotAvailable,
    /// Every name is held by another image of the owner.
    NameTaken,
    /// The owner has as much as it may.
    OverLimit(OverLimit),
}

/// The image that a copy was made from, and how far the copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    /// The id of the image, which may be gone.
    pub image_id: String,
    /// How far the copy is.
    pub status: ImageStatus,
}

/// What a copy takes over and its making looks at first.
struct Original {
    name: String,
    status: ImageStatus,
    zone: String,
    cover: String,
    manifest: String,
    data_bytes: i64,
}

impl Catalog {
    /// Makes another image of the same bits, of which none is read or written. It has everything that is said about
    /// the image, and nothing that others did with it: no shares, no group, no price, no counters.
    pub async fn copy_image(&self, scope: Scope, id: &str, new: NewCopy<'_>, now: i64) -> Result<CopyImage> {
        // It may be gone, and the same request may have copied it before that.
        let source = self.image(scope, id).await?.map(|image| image.account);
        if source.is_none() && new.request.is_none() {
            return Ok(CopyImage::NotFound);
        }
        let target = Scope::own(new.owner);
        self.database
            .write(|mut transaction| async move {
                bump_revisions(&mut transaction, source.into_iter().chain([new.owner])).await?;
                if let Some(copy) = made_before(&mut transaction, target, new.request, now).await? {
                    return transaction.discard(CopyImage::AlreadyCopied(copy)).await;
                }
                let Some(original) = original(&mut transaction, scope, id).await? else {
                    return transaction.discard(CopyImage::NotFound).await;
                };
                if !matches!(original.status, ImageStatus::Available | ImageStatus::Offline) {
                    return transaction.discard(CopyImage::NotAvailable).await;
                }
                let Some(name) = free_name(&mut transaction, target, &original.name, new).await? else {
                    return transaction.discard(CopyImage::NameTaken).await;
                };
                if let Some(over) = self.over_limit(&mut transaction, &original, new.owner).await? {
                    return transaction.discard(CopyImage::OverLimit(over)).await;
                }
                covers::lock_cover(&mut transaction, &original.cover).await?;
                let position = next_position(&mut transaction, new.owner, now).await?;
                insert_copy(&mut transaction, id, &name, new, position).await?;
                if let Some(request) = new.request {
                    let (ordinal, secs) = (position.ordinal, ANSWER_SECS);
                    let answer = Answer { request, text: new.id, ordinal, secs };
                    keep_answer(&mut transaction, new.owner, answer, now).await?;
                }
                let zone = new.place.map_or(original.zone.as_str(), |(_, zone)| zone);
                count(&mut transaction, new.owner, zone, 1).await?;
                transaction.commit(CopyImage::Copied(name)).await
            })
            .await
    }

    async fn over_limit(
        &self,
        transaction: &mut Transaction,
        original: &Original,
        owner: AccountId,
    ) -> Result<Option<OverLimit>> {
        let bytes = added_bytes(transaction, owner, &original.manifest, original.data_bytes).await?;
        let more = [(Limit::Images, 1), (Limit::Trashed, 1), (Limit::StoredBytes, bytes)];
        check_limits(transaction, self.account_limits, owner, &more).await
    }

    /// Returns what an image was copied from; `None` when there is no such image in the scope, or it is no copy.
    pub async fn copy_source(&self, scope: Scope, id: &str) -> Result<Option<CopySource>> {
        let sql = format!(
            "SELECT i.id, i.copied_from, i.status FROM images i
             WHERE {} AND i.id = $2 AND i.copied_from <> ''",
            scope.images()
        );
        let row = self.database.query(&sql, &[scope.param(), id.into()]).await?.into_iter().next();
        row.map(|row| {
            row.decode("images", |cells| {
                cells.text()?;
                Ok(CopySource { image_id: cells.text()?, status: cells.word(ImageStatus::parse)? })
            })
        })
        .transpose()
    }
}

/// The copy that the same request made, if it is still there.
async fn made_before(
    transaction: &mut Transaction,
    target: Scope,
    request: Option<&str>,
    now: i64,
) -> Result<Option<String>> {
    let Some(request) = request else { return Ok(None) };
    let Some(copy) = find_answer(transaction, target.owner(), request, now).await? else { return Ok(None) };
    let sql = format!("SELECT i.id FROM images i WHERE {} AND i.id = $2", target.images());
    let there = transaction.exists(&sql, &[target.param(), (&copy).into()]).await?;
    Ok(there.then_some(copy))
}

async fn original(transaction: &mut Transaction, scope: Scope, id: &str) -> Result<Option<Original>> {
    let sql = format!(
        "SELECT i.id, i.name, i.status, i.zone, i.cover, COALESCE(i.manifest, ''), COALESCE(i.data_bytes, 0)
         FROM images i WHERE {} AND i.id = $2",
        scope.images()
    );
    let row = transaction.query(&sql, &[scope.param(), id.into()]).await?.into_iter().next();
    row.map(|row| {
        row.decode("images", |cells| {
            cells.text()?;
            Ok(Original {
                name: cells.text()?,
                status: cells.word(ImageStatus::parse)?,
                zone: cells.text()?,
                cover: cells.text()?,
                manifest: cells.text()?,
                data_bytes: cells.integer()?,
            })
        })
    })
    .transpose()
}

async fn free_name(
    transaction: &mut Transaction,
    target: Scope,
    original: &str,
    new: NewCopy<'_>,
) -> Result<Option<String>> {
    let mut number = 0;
    while let Some(name) = (new.name)(original, number) {
        if !name_taken(transaction, target, &name, new.id).await? {
            return Ok(Some(name));
        }
        number += 1;
    }
    Ok(None)
}

async fn insert_copy(
    transaction: &mut Transaction,
    id: &str,
    name: &str,
    new: NewCopy<'_>,
    position: Position,
) -> Result<()> {
    let sql = "INSERT INTO images (
             account_id, id, name, status, description, tags, cover, visibility, price_cents, auto_start,
             softwares, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
             created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
             version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes,
             manifest, data_bytes, container, platform_type, copied_from, readme, seq, ordinal
         )
         SELECT
             $2, $3, $4, 'Available', COALESCE($5, description), tags, cover, 0, 0, auto_start,
             softwares, supported_gpu_types, software_ports, firewall_ports, 0,
             0, 0, '', $6, $6, 0, '',
             '', '', source_gpu_type, COALESCE($7, region), COALESCE($8, zone), source_instance_id, size_bytes,
             manifest, data_bytes, container, $9, id, readme, $10, $11
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
    ];
    transaction.execute(sql, &params).await.map(drop)
}
