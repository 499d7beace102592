use super::row::ImageStatus;
use crate::database::row;
use crate::{AccountId, Catalog, Result, Scope};

row! {
    /// What only the image of a container has.
    pub struct ContainerImage {
        /// The id of the image.
        pub image_id: String = "i.id",
        /// Its owner.
        pub account: AccountId = "i.account_id",
        /// Its name.
        pub name: String = "i.name",
        /// Its status.
        pub status: ImageStatus = "i.status",
        /// The name of its version in the community; empty if it has none.
        pub version_name: String = "i.version_name",
        /// The name of its manifest.
        pub manifest: String = "COALESCE(i.manifest, '')",
        /// Its OCI documents, as JSON that the catalogue does not interpret.
        pub oci: String = "i.oci",
        /// What was left out of it, likewise.
        pub left_out: String = "COALESCE(i.left_out, '{}')",
    }
}

/// How a client names the image of an account.
#[derive(Clone, Copy, Debug)]
pub enum ImageKey<'a> {
    /// By its id.
    Id(&'a str),
    /// By its name, which another image gets once this one is deleted.
    Name(&'a str),
}

const COLUMNS: &str = ContainerImage::COLUMNS;

impl Catalog {
    /// Returns the complete image of a container, of one account; `None` for the image of a disk.
    pub async fn container_image(
        &self,
        scope: Scope,
        owner: AccountId,
        key: ImageKey<'_>,
    ) -> Result<Option<ContainerImage>> {
        let (condition, value) = match key {
            ImageKey::Id(id) => ("i.id = $3", id),
            ImageKey::Name(name) => ("i.name = $3 AND i.status <> 'UnAvailable'", name),
        };
        let scope_images = scope.found_images();
        let sql = format!(
            "SELECT {COLUMNS} FROM images i
             WHERE {scope_images} AND i.account_id = $2 AND {condition} AND i.oci IS NOT NULL"
        );
        self.database.query(&sql, &[scope.param(), owner.into(), value.into()]).await?.first("images")
    }

    /// Returns what was left out of the image of a container, as JSON; `None` for the image of a disk.
    pub async fn left_out(&self, scope: Scope, image_id: &str) -> Result<Option<String>> {
        let sql = scope.select_image("i.left_out") + " AND i.left_out IS NOT NULL";
        self.database.query(&sql, &scope.image_params(image_id)).await?.first_after_key("images")
    }

    /// Lists the account's own images of containers in order of their ids, after one, at most `limit`.
    pub async fn container_images(
        &self,
        owner: AccountId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ContainerImage>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM images i
             WHERE i.account_id = $1 AND i.deleted_at IS NULL AND i.oci IS NOT NULL AND i.id > $2
             ORDER BY i.id LIMIT $3"
        );
        let params = [owner.into(), after.into(), i64::from(limit).into()];
        self.database.scan(owner, &sql, &params).await?.all("images")
    }
}
