//! Pages of an account's list, serialised, kept while they are current.
//!
//! A page is current while the catalogue's generation stands: nothing at all was committed. When it has moved, a page
//! is current still if the account's own revision has not, which is one short read. Only then the rows are read again.
//! Pages are never updated, so there is nothing to get out of step.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jingku_catalog::{AccountId, Catalog, Generation};
use jingku_library::lock;
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest as Query, DescribeCompShareCustomImagesResponse as Response,
    ImageQuery, Paging, Place,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::Error;
use crate::reply::Reply;

/// The most bytes of pages kept in memory.
const KEPT_BYTES_MAX: u64 = 16 << 20;
/// What a page of 20 rows weighs, roughly: the cache sizes its tables by it.
const PAGE_BYTES: u64 = 16 << 10;
/// What an entry weighs beside its texts: key and page in the cache's tables, and the memory around them.
const ENTRY_BYTES: usize = 2 * (size_of::<Key>() + size_of::<Page>()) + 256;
/// What a piece of memory costs beside its content.
const ALLOCATION_BYTES: usize = 32;

type Key = (AccountId, Query);

/// The pages kept in memory.
pub(crate) struct PageCache(Cache<Key, Arc<Page>, Weight>);

struct Page {
    members: Bytes,
    /// The account's revision before the rows were read: they are that new or newer.
    revision: i64,
    /// The last generation at which the page was found to be current.
    current_at: Mutex<Option<Generation>>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Page>> for Weight {
    fn weight(&self, (_, query): &Key, page: &Arc<Page>) -> u64 {
        (ENTRY_BYTES + ALLOCATION_BYTES + page.members.len() + allocated(query)) as u64
    }
}

/// The bytes behind a query: clients choose how long its texts are.
fn allocated(query: &Query) -> usize {
    // Named one by one, so that a new field is not forgotten.
    let Query { place: Place { region, zone }, image_id, query, paging } = query;
    let Paging { offset: _, limit: _, next_token } = paging;
    let ImageQuery {
        name,
        statuses,
        tags,
        created_from: _,
        created_before: _,
        size_from: _,
        size_below: _,
        sort: _,
        ascending: _,
    } = query;
    let texts =
        [region.as_deref(), zone.as_deref(), image_id.as_deref(), next_token.as_deref(), name.as_deref()];
    let texts = texts.into_iter().flatten().chain(tags.iter().map(|tag| &**tag));
    let texts: usize = texts.map(|text| ALLOCATION_BYTES + text.len()).sum();
    let lists = size_of_val(statuses.as_slice()) + size_of_val::<[_]>(tags);
    texts + lists + 2 * ALLOCATION_BYTES
}

impl Default for PageCache {
    fn default() -> Self {
        let expected = usize::try_from(KEPT_BYTES_MAX / PAGE_BYTES).expect("a thousand");
        Self(Cache::with_weighter(expected, KEPT_BYTES_MAX, Weight))
    }
}

impl PageCache {
    /// The page of the caller's account that answers `query`: from memory if it is current, else from `read`.
    pub(crate) async fn page(
        &self,
        catalog: &Catalog,
        account: AccountId,
        generation: Option<Generation>,
        query: Query,
        read: impl Future<Output = Result<Response, Error>>,
    ) -> Result<Reply, Error> {
        // Generation, revision, rows, in this order: whatever changes in between makes the page look older than it is.
        let key = (account, query);
        let kept = self.0.get(&key);
        if let Some(page) = &kept
            && generation.is_some()
            && *lock(&page.current_at) == generation
        {
            return Ok(Reply::Object(page.members.clone()));
        }
        let Some(revision) = catalog.account_revision(account).await? else {
            return Ok(Reply::object(&read.await?));
        };
        if let Some(page) = kept.filter(|page| page.revision == revision) {
            *lock(&page.current_at) = generation;
            return Ok(Reply::Object(page.members.clone()));
        }
        let response = read.await?;
        let reply = Reply::object(&response);
        // An empty page is soon read again, and there are as many as there are ids that nothing has.
        if let Reply::Object(members) = &reply
            && !response.image_set.is_empty()
        {
            // A copy of its own, without the room that the text grew into.
            let members = Bytes::copy_from_slice(members);
            let page = Page { members, revision, current_at: Mutex::new(generation) };
            self.0.insert(key, Arc::new(page));
        }
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client makes as long as it may counts: only so many pages stay.
    #[test]
    fn keys_count_as_much_as_pages() {
        let pages = PageCache::default();
        let tag = "x".repeat(64);
        let (most, each) =
            (usize::try_from(KEPT_BYTES_MAX).expect("16 MiB"), 32 * (64 + size_of::<String>()));
        for number in 0..2 * most / each {
            let query = ImageQuery { tags: vec![tag.clone(); 32].into(), ..ImageQuery::default() };
            let query = Query { image_id: Some(number.to_string().into()), query, ..Query::default() };
            let page = Page { members: Bytes::from_static(b"{}"), revision: 0, current_at: Mutex::new(None) };
            pages.0.insert((AccountId(1), query), Arc::new(page));
        }
        let kept = pages.0.len();
        assert!(kept > 100 && kept * each < most, "{kept} pages with keys of {each} bytes");
    }
}
