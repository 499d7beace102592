//! Pages of groups in any order, found with the order of all groups of a list in memory (ADR 26).
//!
//! An order is read once and then follows the changes: every statement that uses it also returns the highest
//! `image_groups.changed`, and if that is another one, the groups that changed since are applied.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::group::{Group, GroupOrder, Place};
use super::groups::GroupFilter;
use super::ranking::{Change, Ranking, lock};
use crate::database::{Params, json_list};
use crate::{AccountId, Catalog, CatalogError, Page, Paging, Result, Scope};

/// Groups read by one statement.
const READ_MAX: u32 = 5000;
/// The most changed groups that are applied. After more, the order is read again.
const CHANGES_MAX: u32 = 1000;
/// How often a page is read again because groups changed in between, before all groups are read.
const TRIES_MAX: u32 = 8;

const NEWEST: &str = "SELECT COALESCE(MAX(changed), 0) FROM image_groups";

impl Catalog {
    /// Returns a page of groups. `None` if groups change too fast, if the filter has an id, or for a page token of an old
    /// format.
    pub(super) async fn ranked_groups(
        &self,
        scope: Scope,
        viewer: AccountId,
        filter: &GroupFilter<'_>,
        order: GroupOrder,
        paging: Paging<'_>,
    ) -> Result<Option<Page<Group>>> {
        if filter.id.is_some() || filter.image_id.is_some() {
            return Ok(None);
        }
        let mut params = Params::default();
        params.add(scope.param());
        let condition = filter.condition(scope, &mut params);
        let text = json_list(&[(order.numbers(), condition, params.as_slice())]);
        let key = self.group_orders.key(text);
        let read = self.read_ranking(scope, viewer, filter, order);
        let mut ranking = self.group_orders.kept.get_or_insert_async(&key, read).await?;
        for _ in 0..TRIES_MAX {
            let Some(page) = lock(&ranking).page(order, paging) else { return Ok(None) };
            let (newest, groups) = self.groups_by_id(scope, viewer, &page.rows).await?;
            if newest == page.changed {
                let next = page.rows.last().filter(|_| page.continues);
                let next = next.map(|place| order.order().cursor(order.values(place)));
                let total = i64::try_from(page.total).unwrap_or(i64::MAX);
                return Ok(Some(Page { items: groups, total, next }));
            }
            let changes = self.changed_groups(scope, filter, order, page.changed).await?;
            if changes.len() <= CHANGES_MAX as usize {
                lock(&ranking).apply(page.changed, changes);
            } else {
                ranking = self.read_ranking(scope, viewer, filter, order).await?;
                self.group_orders.kept.insert(key.clone(), Arc::clone(&ranking));
            }
        }
        Ok(None)
    }

    /// Returns two numbers, one of which increases with every change of what an account sees of groups: its revision, and
    /// the last change of any group. `None` if there is no such account.
    pub async fn groups_revision(&self, viewer: AccountId) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT revision, (SELECT COALESCE(MAX(changed), 0) FROM image_groups) FROM accounts WHERE id = $1";
        self.database.query(sql, &[viewer.into()]).await?.first("accounts")
    }

    /// Returns the highest `changed` of all groups, and the groups at some places, in this order.
    async fn groups_by_id(
        &self,
        scope: Scope,
        viewer: AccountId,
        places: &[Place],
    ) -> Result<(i64, Vec<Group>)> {
        let (sql, params) = groups_statement(scope, viewer, places);
        let rows = self.database.query(&sql, params.as_slice()).await?;
        let rows =
            rows.all_with("image_groups", |cells| Ok((cells.last_integer()?, cells.nullable::<Group>()?)))?;
        let newest = rows.first().map_or(0, |(newest, _)| *newest);
        let groups = rows.into_iter().filter_map(|(_, group)| group).map(|group| (group.id.clone(), group));
        let mut groups: HashMap<String, Group> = groups.collect();
        Ok((newest, places.iter().filter_map(|(_, id)| groups.remove(&**id)).collect()))
    }

    async fn changed_groups(
        &self,
        scope: Scope,
        filter: &GroupFilter<'_>,
        order: GroupOrder,
        since: i64,
    ) -> Result<Vec<Change>> {
        let mut params = Params::default();
        params.add(scope.param());
        let condition = filter.condition(scope, &mut params);
        let sql = format!(
            "SELECT g.id, g.changed, CAST(CASE WHEN {condition} THEN 1 ELSE 0 END AS BIGINT), {}
             FROM image_groups g WHERE g.changed > {} LIMIT {}",
            order.numbers(),
            params.add(since),
            params.add(i64::from(CHANGES_MAX + 1))
        );
        self.database.query(&sql, params.as_slice()).await?.all("image_groups")
    }

    async fn read_ranking(
        &self,
        scope: Scope,
        requester: AccountId,
        filter: &GroupFilter<'_>,
        order: GroupOrder,
    ) -> Result<Arc<Mutex<Ranking>>> {
        // First: what changes while the rest is read is applied later.
        let newest: Option<i64> = self.database.query(NEWEST, &[]).await?.first("image_groups")?;
        let mut groups: Vec<Change> = Vec::new();
        loop {
            let after = groups.last().map_or_else(String::new, |(id, ..)| id.clone());
            let (sql, params) = listed_statement(scope, filter, order, after);
            let read: Vec<Change> =
                self.database.scan(requester, &sql, params.as_slice()).await?.all("image_groups")?;
            if read.is_empty() {
                break;
            }
            groups.extend(read);
        }
        let rank = move || Ranking::new(newest.unwrap_or(0), groups);
        let ranking = tokio::task::spawn_blocking(rank).await;
        let ranking = ranking.map_err(|error| CatalogError::Unavailable(error.into()))?;
        Ok(Arc::new(Mutex::new(ranking)))
    }
}

/// Selects the groups of a list after an id, in order of id.
fn listed_statement<'a>(
    scope: Scope,
    filter: &GroupFilter<'a>,
    order: GroupOrder,
    after: String,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    params.add(scope.param());
    let condition = filter.condition(scope, &mut params);
    let sql = format!(
        "SELECT g.id, g.changed, CAST(1 AS BIGINT), {} FROM image_groups g
         WHERE {condition} AND g.id > {} ORDER BY g.id LIMIT {}",
        order.numbers(),
        params.add(after),
        params.add(i64::from(READ_MAX))
    );
    (sql, params)
}

fn groups_statement(scope: Scope, viewer: AccountId, places: &[Place]) -> (String, Params<'_>) {
    let mut params = Params::default();
    params.add(scope.param());
    let ids: Vec<&str> = places.iter().map(|(_, id)| &**id).collect();
    let sql = format!(
        "SELECT {}, m.newest FROM (SELECT COALESCE(MAX(changed), 0) AS newest FROM image_groups) m
         LEFT JOIN image_groups g ON g.id IN ({}) AND ({})
         LEFT JOIN favorites f ON f.group_id = g.id AND f.account_id = {}",
        Group::COLUMNS,
        params.add_several(&ids),
        scope.groups(),
        params.add(viewer)
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn groups_and_changes_are_found_by_index() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let places = [([1, 2, 3], Arc::from("a")), ([1, 2, 4], Arc::from("b"))];
        let (sql, params) = groups_statement(Scope::published(), AccountId(1), &places);
        let plan = catalog.database.plan(&sql, params.as_slice()).await;
        assert!(plan.contains("SEARCH image_groups USING COVERING INDEX image_groups_changed"), "{plan}");
        assert!(plan.contains("SEARCH g USING INDEX sqlite_autoindex_image_groups_1 (id=?)"), "{plan}");
    }
}
