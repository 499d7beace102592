use super::row::CHANGED;
use crate::database::{Transaction, json_list};
use crate::{CoverChange, Publication, Result, Scope};

/// The changes to an image; `None` leaves a field unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Image`")]
pub struct ImageChanges<'a> {
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub tags: Option<&'a [&'a str]>,
    pub cover: Option<&'a CoverChange>,
    pub readme: Option<&'a str>,
    pub publication: Option<Publication<'a>>,
    pub price_cents: Option<i64>,
    pub auto_start: Option<bool>,
    pub softwares: Option<&'a str>,
    pub supported_gpu_types: Option<&'a [&'a str]>,
    pub software_ports: Option<&'a str>,
    pub firewall_ports: Option<&'a [i64]>,
    pub group_id: Option<&'a str>,
    pub version_name: Option<&'a str>,
    pub version_desc: Option<&'a str>,
}

impl Transaction {
    /// Writes the changes that need no check: all but publication, group and version name.
    pub(crate) async fn update_facts(
        &mut self,
        scope: Scope,
        id: &str,
        changes: &ImageChanges<'_>,
        now: i64,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE images SET
                       {CHANGED},
                       update_time = $3,
                       name = COALESCE($4, name),
                       description = COALESCE($5, description),
                       tags = COALESCE($6, tags),
                       readme = COALESCE($7, readme),
                       price_cents = COALESCE($8, price_cents),
                       auto_start = COALESCE($9, auto_start),
                       softwares = COALESCE($10, softwares),
                       supported_gpu_types = COALESCE($11, supported_gpu_types),
                       software_ports = COALESCE($12, software_ports),
                       firewall_ports = COALESCE($13, firewall_ports),
                       version_desc = COALESCE($14, version_desc)
                   WHERE account_id = $1 AND id = $2"
        );
        let params = [
            scope.param(),
            id.into(),
            now.into(),
            changes.name.into(),
            changes.description.into(),
            changes.tags.map(json_list).into(),
            changes.readme.into(),
            changes.price_cents.into(),
            changes.auto_start.into(),
            changes.softwares.into(),
            changes.supported_gpu_types.map(json_list).into(),
            changes.software_ports.into(),
            changes.firewall_ports.map(json_list).into(),
            changes.version_desc.into(),
        ];
        self.execute(&sql, &params).await?;
        match changes.cover {
            Some(cover) => self.set_cover(scope, id, cover).await,
            None => Ok(()),
        }
    }
}
