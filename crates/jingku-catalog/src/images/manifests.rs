use super::row::ImageStatus;
use crate::database::{Cells, Read};
use crate::{AccountId, Catalog, Result, Scope};

/// An image, in the trash or not, as the user of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestUse {
    /// The id of the image.
    pub image_id: String,
    /// Whose it is.
    pub account: AccountId,
    /// What it is called.
    pub name: String,
    /// How far it is.
    pub status: ImageStatus,
    /// How large it is when unpacked.
    pub size_bytes: i64,
    /// The manifest; `None` while there is none.
    pub manifest: Option<String>,
    /// Whether it is in the trash.
    pub trashed: bool,
}

/// What every query of this file reads.
const USES: &str = "SELECT i.id, i.account_id, i.name, i.status, i.size_bytes, i.manifest,
                           CAST(CASE WHEN i.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT)
                    FROM images i";

/// The operator's view: no scope narrows it.
impl Catalog {
    /// Returns every image of the catalogue, in the trash or not, in order of their ids, after one of them, at most
    /// `limit`.
    pub async fn manifest_uses(&self, after: &str, limit: u32) -> Result<Vec<ManifestUse>> {
        let sql = format!("{USES} WHERE i.id > $1 ORDER BY i.id LIMIT $2");
        let rows =
            self.database.scan(AccountId::PLATFORM, &sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.into_iter().map(|row| row.decode("images", cells)).collect()
    }

    /// Returns one image, in the trash or not.
    pub async fn manifest_use(&self, image_id: &str) -> Result<Option<ManifestUse>> {
        let rows = self.database.query(&format!("{USES} WHERE i.id = $1"), &[image_id.into()]).await?;
        rows.into_iter().next().map(|row| row.decode("images", cells)).transpose()
    }

    /// Returns the manifests that images need, those of the trash too, each once, in order, after one of them, at most
    /// `limit`.
    ///
    /// Asked for page by page, every manifest is among them that some image needed from the first page to the last: an
    /// image never changes its manifest, and a copy has that of an image that is still there.
    pub async fn manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT i.manifest FROM images i
                   WHERE i.manifest IS NOT NULL AND i.manifest > $1 ORDER BY i.manifest LIMIT $2";
        let rows =
            self.database.scan(AccountId::PLATFORM, sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.into_iter().map(|row| row.decode("images", Cells::text)).collect()
    }
}

impl Catalog {
    /// Returns the manifests of the account's newest images, of at most `limit` images.
    pub async fn own_manifests(&self, account: AccountId, limit: u32) -> Result<Vec<String>> {
        let scope = Scope::own(account);
        let sql = format!(
            "SELECT i.manifest FROM images i WHERE {} AND i.manifest IS NOT NULL ORDER BY i.seq DESC LIMIT $2",
            scope.images()
        );
        let rows = self.database.query(&sql, &[scope.param(), i64::from(limit).into()]).await?;
        let mut manifests =
            rows.into_iter().map(|row| row.decode("images", Cells::text)).collect::<Result<Vec<_>>>()?;
        manifests.sort_unstable();
        manifests.dedup();
        Ok(manifests)
    }
}

fn cells(cells: &mut Cells) -> Read<ManifestUse> {
    Ok(ManifestUse {
        image_id: cells.text()?,
        account: AccountId(cells.integer()?),
        name: cells.text()?,
        status: cells.word(ImageStatus::parse)?,
        size_bytes: cells.integer()?,
        manifest: cells.optional_text()?,
        trashed: cells.integer()? != 0,
    })
}
