use super::row::ImageStatus;
use crate::database::row;
use crate::{AccountId, Catalog, Result, Scope};

row! {
    /// An image, in the trash or not, that uses a manifest.
    pub struct ManifestUse {
        /// The id of the image.
        pub image_id: String = "i.id",
        /// Its owner.
        pub account: AccountId = "i.account_id",
        /// Its name.
        pub name: String = "i.name",
        /// Its status.
        pub status: ImageStatus = "i.status",
        /// Its unpacked size.
        pub size_bytes: i64 = "i.size_bytes",
        /// The manifest, if there is one.
        pub manifest: Option<String> = "i.manifest",
        /// Whether it is in the trash.
        pub trashed: bool = "CAST(CASE WHEN i.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
    }
}

const COLUMNS: &str = ManifestUse::COLUMNS;

impl Catalog {
    /// Returns images of all accounts, in the trash or not, in order of id, after an id, at most `limit`.
    pub async fn manifest_uses(&self, after: &str, limit: u32) -> Result<Vec<ManifestUse>> {
        let sql = format!("SELECT {COLUMNS} FROM images i WHERE i.id > $1 ORDER BY i.id LIMIT $2");
        let params = [after.into(), i64::from(limit).into()];
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("images")
    }

    /// Returns images of one account, in the trash or not, in order of id, after an id, at most `limit`.
    pub async fn manifest_uses_of(
        &self,
        account: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ManifestUse>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM images i WHERE i.account_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3"
        );
        let params = [account.into(), after.into(), i64::from(limit).into()];
        self.database.scan(account, &sql, &params).await?.all("images")
    }

    /// Returns one image, in the trash or not.
    pub async fn manifest_use(&self, image_id: &str) -> Result<Option<ManifestUse>> {
        let sql = format!("SELECT {COLUMNS} FROM images i WHERE i.id = $1");
        self.database.query(&sql, &[image_id.into()]).await?.first("images")
    }

    /// Returns the distinct manifests of all images, including the trash, in order, after a manifest, at most `limit`.
    ///
    /// Reading page by page returns every manifest that was in use from the first page to the last: an image never changes
    /// its manifest, and a copy uses that of an existing image.
    pub async fn manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT i.manifest FROM images i
                   WHERE i.manifest IS NOT NULL AND i.manifest > $1 ORDER BY i.manifest LIMIT $2";
        let params = [after.into(), i64::from(limit).into()];
        self.database.scan(AccountId::PLATFORM, sql, &params).await?.all("images")
    }

    /// Returns distinct manifests of images whose data was not counted, in order, after a manifest, at most `limit`. Old
    /// versions did not count it.
    pub async fn uncounted_manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT manifest FROM images
                   WHERE manifest IS NOT NULL AND data_bytes IS NULL AND manifest > $1 ORDER BY manifest LIMIT $2";
        self.database.query(sql, &[after.into(), i64::from(limit).into()]).await?.all("images")
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
        let mut manifests: Vec<String> = rows.all("images")?;
        manifests.sort_unstable();
        manifests.dedup();
        Ok(manifests)
    }
}
