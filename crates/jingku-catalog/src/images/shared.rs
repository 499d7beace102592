//! The images that are shared with an account, newest first: a page of row versions, found with the order of all of them in
//! memory (ADR 26).

use std::collections::HashMap;
use std::sync::Arc;

use super::newest::{RowVersion, TRIES_MAX};
use super::order::ImageOrder;
use super::row::Image;
use super::shared_order::{ListKey, Place, SharedOrder};
use crate::database::{Params, Row, json_list};
use crate::{AccountId, Catalog, Cursor, Paging, Result, Scope};

/// Places read by one statement.
const READ_MAX: u32 = 20_000;

/// A page of images shared with an account, without their rows.
#[derive(Clone, Debug)]
pub struct SharedImages {
    /// The length of the whole list.
    pub total: i64,
    /// The rows, newest first.
    pub rows: Vec<SharedRow>,
    /// Where the list continues; `None` at its end.
    pub next: Option<Cursor>,
}

/// An image that is shared with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedRow {
    /// Its id.
    pub id: String,
    /// Its owner.
    pub owner: AccountId,
    /// The version of its row.
    pub version: RowVersion,
}

impl Catalog {
    /// Returns a page of the images shared with an account, perhaps only those of some zones, newest first. `None` if there
    /// is no such account, if what is shared with it changes too fast, or for a page token of an old format.
    ///
    /// The first page after a change of what is shared reads the places of all shared images, in steps on threads for
    /// scans. Other pages cost the same at any offset.
    pub async fn shared_images(
        &self,
        account: AccountId,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<SharedImages>> {
        let key = (account, zones.map(json_list).unwrap_or_default());
        let Some(order) = self.shared_order(&key, zones).await? else { return Ok(None) };
        let mut order = order;
        for _ in 0..TRIES_MAX {
            let Some(end) = order.end(paging) else { return Ok(None) };
            let start = end.saturating_sub(paging.limit() as usize);
            let places = &order.places[start..end];
            let Some((changed, rows)) = self.shared_versions(account, places).await? else { return Ok(None) };
            if changed == order.changed {
                let next = places.first().filter(|_| start > 0);
                let next = next.map(|(time, ordinal, _)| cursor(account, *time, *ordinal));
                let total = i64::try_from(order.places.len()).unwrap_or(i64::MAX);
                return Ok(Some(SharedImages { total, rows, next }));
            }
            let Some(newer) = self.read_shared_order(account, zones).await? else { return Ok(None) };
            order = Arc::new(newer);
            self.shared_orders.0.insert(key.clone(), Arc::clone(&order));
        }
        Ok(None)
    }

    /// Returns images shared with an account, by id, in no order. Images that are not shared with it are left out.
    pub async fn shared_rows(&self, account: AccountId, ids: &[&str]) -> Result<Vec<(RowVersion, Image)>> {
        self.images_with(Scope::shared_with(account), "id", ids).await
    }

    async fn shared_order(&self, key: &ListKey, zones: Option<&[&str]>) -> Result<Option<Arc<SharedOrder>>> {
        let read = async {
            match self.read_shared_order(key.0, zones).await {
                Ok(order) => order.map(Arc::new).ok_or(None),
                Err(error) => Err(Some(error)),
            }
        };
        match self.shared_orders.0.get_or_insert_async(key, read).await {
            Ok(order) => Ok(Some(order)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// Reads the order. `None` if there is no such account.
    async fn read_shared_order(
        &self,
        account: AccountId,
        zones: Option<&[&str]>,
    ) -> Result<Option<SharedOrder>> {
        // First: if the order changes while it is read, it is older than the account, and read again.
        let sql = "SELECT shares_changed FROM accounts WHERE id = $1";
        let Some(changed) = self.database.query(sql, &[account.into()]).await?.first("accounts")? else {
            return Ok(None);
        };
        let mut places: Vec<Place> = Vec::new();
        loop {
            let (sql, params) = places_statement(account, zones, places.last());
            let rows = self.database.scan(account, &sql, params.as_slice()).await?;
            let read: Vec<(i64, (i64, String))> = rows.all("shares")?;
            if read.is_empty() {
                places.shrink_to_fit();
                return Ok(Some(SharedOrder { changed, places }));
            }
            places.extend(read.into_iter().map(|(time, (ordinal, id))| (time, ordinal, id.into_boxed_str())));
        }
    }

    /// Returns `accounts.shares_changed`, and the versions of the images at some places, newest first.
    async fn shared_versions(
        &self,
        account: AccountId,
        places: &[Place],
    ) -> Result<Option<(i64, Vec<SharedRow>)>> {
        let (sql, params) = versions_statement(account, places);
        let rows = self.database.query(&sql, params.as_slice()).await?.all_with("accounts", |cells| {
            let (changed, id) = <(i64, Option<String>)>::read(cells)?;
            let Some(id) = id else { return Ok((changed, None)) };
            let (owner, seq, changed_image, ordinal) = <(AccountId, i64, i64, i64)>::read(cells)?;
            let version = RowVersion { seq, changed: changed_image };
            Ok((changed, Some((ordinal, SharedRow { id, owner, version }))))
        })?;
        let Some(&(changed, _)) = rows.first() else { return Ok(None) };
        let mut found: HashMap<i64, SharedRow> = rows.into_iter().filter_map(|(_, row)| row).collect();
        let rows = places.iter().rev().filter_map(|(_, ordinal, _)| found.remove(ordinal)).collect();
        Ok(Some((changed, rows)))
    }
}

fn cursor(account: AccountId, time: i64, ordinal: i64) -> Cursor {
    ImageOrder::default().order(Scope::shared_with(account)).cursor(vec![time.into(), ordinal.into()])
}

/// Selects places after one, in ascending order.
fn places_statement<'a>(
    account: AccountId,
    zones: Option<&'a [&'a str]>,
    after: Option<&'a Place>,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    let account = params.add(account);
    let zones = zones.map(|zones| format!(" AND zone IN ({})", params.add_all(zones))).unwrap_or_default();
    let after = after.map_or_else(String::new, |(time, ordinal, _)| {
        format!(" AND (image_time, image_ordinal) > ({}, {})", params.add(*time), params.add(*ordinal))
    });
    let limit = params.add(i64::from(READ_MAX));
    let sql = format!(
        "SELECT image_time, image_ordinal, image_id FROM shares WHERE account_id = {account}{zones}{after}
         ORDER BY image_time, image_ordinal LIMIT {limit}"
    );
    (sql, params)
}

fn versions_statement(account: AccountId, places: &[Place]) -> (String, Params<'_>) {
    let mut params = Params::default();
    let account = params.add(account);
    let ids: Vec<&str> = places.iter().map(|(.., id)| &**id).collect();
    let sql = format!(
        "SELECT a.shares_changed, i.id, i.account_id, i.seq, i.changed, i.ordinal
         FROM accounts a LEFT JOIN images i ON i.id IN ({}) WHERE a.id = {account}",
        params.add_several(&ids)
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn plan((sql, params): (String, Params<'_>)) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        catalog.database.plan(&sql, params.as_slice()).await
    }

    #[tokio::test]
    async fn places_are_read_from_an_index_only() {
        let place = (1, 2, "image-a".into());
        for (zones, after) in [(None, None), (None, Some(&place)), (Some(&["a"][..]), Some(&place))] {
            let plan = plan(places_statement(AccountId(1), zones, after)).await;
            assert!(plan.contains("USING COVERING INDEX shares_newest (account_id=?"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    #[tokio::test]
    async fn versions_are_found_by_id() {
        let places = [(1, 2, "image-a".into()), (1, 3, "image-b".into())];
        let plan = plan(versions_statement(AccountId(1), &places)).await;
        assert!(plan.contains("SEARCH i USING INDEX sqlite_autoindex_images_1 (id=?)"), "{plan}");
    }
}
