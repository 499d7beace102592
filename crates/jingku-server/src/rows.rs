//! A cache of serialised images, of the lists that show no readme.
//!
//! A row is current while its version is that of the catalogue, so a page is made of rows in memory and only those that
//! changed are read. One version is kept of each image. Nothing else than the row of the image and the name of its
//! account, which never changes, decides how an image is shown.

use std::sync::Arc;

use jingku_catalog::{AccountId, RowVersion};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::value::RawValue;

/// Maximum of cached rows, in bytes.
pub(crate) const KEPT_BYTES_MAX: u64 = 16 << 20;
/// Approximate size of a row. The cache sizes its tables by it.
const ROW_BYTES: u64 = 1 << 10;
/// Weight of an entry besides its text: key and row in the cache's tables, and the allocation.
const ENTRY_BYTES: usize = 2 * (size_of::<Key>() + size_of::<Row>()) + 128;

/// An account and the number of its image.
type Key = (AccountId, i64);

pub(crate) struct RowCache(Cache<Key, Row, Weight>);

#[derive(Clone)]
struct Row {
    changed: i64,
    json: Arc<RawValue>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Row> for Weight {
    fn weight(&self, _: &Key, row: &Row) -> u64 {
        (ENTRY_BYTES + row.json.get().len()) as u64
    }
}

impl Default for RowCache {
    fn default() -> Self {
        let expected = usize::try_from(KEPT_BYTES_MAX / ROW_BYTES).expect("some thousands");
        Self(Cache::with_weighter(expected, KEPT_BYTES_MAX, Weight))
    }
}

impl RowCache {
    pub(crate) fn get(&self, account: AccountId, version: RowVersion) -> Option<Arc<RawValue>> {
        let row = self.0.get(&(account, version.seq))?;
        (row.changed == version.changed).then_some(row.json)
    }

    pub(crate) fn keep(&self, account: AccountId, version: RowVersion, json: &Arc<RawValue>) {
        let row = Row { changed: version.changed, json: Arc::clone(json) };
        self.0.insert((account, version.seq), row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: usize) -> Arc<RawValue> {
        RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap().into()
    }

    #[test]
    fn a_row_is_found_by_its_version_only() {
        let (rows, account) = (RowCache::default(), AccountId(1));
        let version = RowVersion { seq: 7, changed: 3 };
        rows.keep(account, version, &json(3));
        assert_eq!(rows.get(account, version).unwrap().get(), "\"xxx\"");
        assert!(rows.get(account, RowVersion { changed: 4, ..version }).is_none());
        assert!(rows.get(account, RowVersion { seq: 8, ..version }).is_none());
        assert!(rows.get(AccountId(2), version).is_none());
        rows.keep(account, RowVersion { changed: 4, ..version }, &json(4));
        assert!(rows.get(account, version).is_none());
    }

    #[test]
    fn rows_are_bounded_by_their_bytes() {
        for bytes in [0, 1000, 100_000] {
            let rows = RowCache::default();
            let most = usize::try_from(KEPT_BYTES_MAX).unwrap() / bytes.max(1);
            for seq in 0..i64::try_from(2 * most.min(200_000)).unwrap() {
                rows.keep(AccountId(1), RowVersion { seq, changed: 0 }, &json(bytes));
            }
            assert!(rows.0.weight() <= KEPT_BYTES_MAX && rows.0.len() > 100, "{bytes}: {}", rows.0.len());
        }
    }
}
