use super::row::CHANGED;
use crate::database::Transaction;
use crate::{ClaimState, ImageEvent, Result, UniqueBytes};

/// The stored content of an image.
#[derive(Clone, Copy, Debug)]
pub struct BuiltImage<'a> {
    /// The name of its manifest.
    pub manifest: &'a str,
    /// Its unpacked size.
    pub size_bytes: i64,
    /// Its size without zeros.
    pub data_bytes: i64,
    /// What only the image of a container has.
    pub container: Option<BuiltContainer<'a>>,
    /// The claim that protects the content from sweeps until now, if it can expire.
    pub claim: Option<ClaimState<'a>>,
    /// The count of its chunks, if it was asked for.
    pub unique: Option<UniqueBytes<'a>>,
}

/// The documents of an image of a container, as JSON that the catalogue does not interpret.
#[derive(Clone, Copy, Debug)]
pub struct BuiltContainer<'a> {
    /// Its OCI documents.
    pub oci: &'a str,
    /// What was left out of it.
    pub left_out: &'a str,
    /// The software that was found in it, shown unless its owner named any.
    pub softwares: Option<&'a str>,
    /// The ports that it says its software has, shown unless its owner named any.
    pub software_ports: &'a str,
}

impl<'a> BuiltImage<'a> {
    /// Content without zeros.
    pub fn dense(manifest: &'a str, size_bytes: i64) -> Self {
        Self { manifest, size_bytes, data_bytes: size_bytes, container: None, claim: None, unique: None }
    }
}

impl Transaction {
    pub(crate) async fn complete_image(&mut self, id: &str, built: BuiltImage<'_>, now: i64) -> Result<()> {
        let sql = format!(
            "UPDATE images
                   SET {CHANGED}, status = 'Available', manifest = $2, size_bytes = $3, data_bytes = $4, update_time = $5,
                       container = $6, oci = $7, left_out = $8, softwares = COALESCE(softwares, $9),
                       software_ports = CASE software_ports WHEN '[]' THEN $10 ELSE software_ports END
                   WHERE id = $1"
        );
        let BuiltImage { manifest, size_bytes, data_bytes, container, claim: _, unique: _ } = built;
        let params = [
            id.into(),
            manifest.into(),
            size_bytes.into(),
            data_bytes.into(),
            now.into(),
            container.is_some().into(),
            container.map(|container| container.oci).into(),
            container.map(|container| container.left_out).into(),
            container.and_then(|container| container.softwares).into(),
            container.map_or("[]", |container| container.software_ports).into(),
        ];
        self.execute(&sql, &params).await?;
        self.end_upload(id, now).await?;
        self.announce(ImageEvent::Available, id, now).await
    }

    pub(crate) async fn fail_image(&mut self, id: &str, reason: &str, now: i64) -> Result<()> {
        self.end_upload(id, now).await?;
        let sql = format!(
            "UPDATE images SET {CHANGED}, status = 'UnAvailable', failed_reason = $2, update_time = $3
             WHERE id = $1"
        );
        self.execute(&sql, &[id.into(), reason.into(), now.into()]).await?;
        self.announce(ImageEvent::Failed, id, now).await
    }
}
