use super::row::ImageStatus;
use crate::database::{Cells, Read};
use crate::{AccountId, Catalog, Result, Scope};

/// An image, in the trash or not, that uses a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestUse {
    /// The id of the image.
    pub image_id: String,
    /// Its owner.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: ImageStatus,
    /// Its unpacked size.
    pub size_bytes: i64,
    /// The manifest, if there is one.
    pub manifest: Option<String>,
    /// Whether it is in the trash.
    pub trashed: bool,
}

/// Selects [`ManifestUse`].
const USES: &str = "SELECT i.id, i.account_id, i.name, i.status, i.size_bytes, i.manifest,
                           CAST(CASE WHEN i.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT)
                    FROM images i";

impl Catalog {
    /// Returns images of all accounts, in the trash or not, in order of id, after an id, at most `limit`.
    pub async fn manifest_uses(&self, after: &str, limit: u32) -> Result<Vec<ManifestUse>> {
        let sql = format!("{USES} WHERE i.id > $1 ORDER BY i.id LIMIT $2");
        let rows =
            self.database.scan(AccountId::PLATFORM, &sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.all("images", use_cells)
    }

    /// Returns one image, in the trash or not.
    pub async fn manifest_use(&self, image_id: &str) -> Result<Option<ManifestUse>> {
        let rows = self.database.query(&format!("{USES} WHERE i.id = $1"), &[image_id.into()]).await?;
        rows.first("images", use_cells)
    }

    /// Returns the distinct manifests of all images, including the trash, in order, after a manifest, at most `limit`.
    ///
    /// Reading page by page returns every manifest that was in use from the first page to the last: an image never changes
    /// its manifest, and a copy uses that of an existing image.
    pub async fn manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT i.manifest FROM images i
                   WHERE i.manifest IS NOT NULL AND i.manifest > $1 ORDER BY i.manifest LIMIT $2";
        let rows =
            self.database.scan(AccountId::PLATFORM, sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.all("images", Cells::text)
    }

    /// Returns distinct manifests of images whose data was not counted, in order, after a manifest, at most `limit`. Old
    /// versions did not count it.
    pub async fn uncounted_manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT manifest FROM images
                   WHERE manifest IS NOT NULL AND data_bytes IS NULL AND manifest > $1 ORDER BY manifest LIMIT $2";
        let rows = self.database.query(sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.all("images", Cells::text)
    }

    /// Stores how much data the images of a manifest have.
    pub async fn set_data_bytes(&self, manifest: &str, data_bytes: i64) -> Result<()> {
        let sql = "UPDATE images SET data_bytes = $2 WHERE manifest = $1 AND data_bytes IS NULL";
        self.database.execute(sql, &[manifest.into(), data_bytes.into()]).await.map(drop)
    }

    /// Returns the distinct manifests of the account's newest images, at most `limit`.
    pub async fn own_manifests(&self, account: AccountId, limit: u32) -> Result<Vec<String>> {
        let scope = Scope::own(account);
        let sql = format!(
            "SELECT i.manifest FROM images i WHERE {} AND i.manifest IS NOT NULL ORDER BY i.seq DESC LIMIT $2",
            scope.images()
        );
        let rows = self.database.query(&sql, &[scope.param(), i64::from(limit).into()]).await?;
        let mut manifests = rows.all("images", Cells::text)?;
        manifests.sort_unstable();
        manifests.dedup();
        Ok(manifests)
    }
}

fn use_cells(cells: &mut Cells) -> Read<ManifestUse> {
    Ok(ManifestUse {
        image_id: cells.text()?,
        account: cells.account()?,
        name: cells.text()?,
        status: cells.word(ImageStatus::parse)?,
        size_bytes: cells.integer()?,
        manifest: cells.optional_text()?,
        trashed: cells.flag()?,
    })
}
