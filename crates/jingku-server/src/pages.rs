//! Caches of serialised pages: of `DescribeCompShareCustomImages`, and of the lists of groups.
//!
//! A page is current while the catalogue's generation is unchanged, that is, nothing was committed. After a commit it is
//! still current if its revision is unchanged, which costs one short read. Otherwise the rows are read again. Pages are
//! replaced, never updated. A page of images is made of cached rows: see `newest.rs`.

use std::hash::Hash;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jingku_catalog::{AccountId, Generation};
use jingku_library::lock;
use jingku_protocol::actions::{
    Action, CommunityQuery, DescribeCompShareCustomImagesRequest as Query, ImageQuery, Paging, Place,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::reply::Reply;

/// Maximum of the pages in one cache, in bytes.
pub(crate) const KEPT_BYTES_MAX: u64 = 8 << 20;
/// Approximate size of a page of 20 rows. The cache sizes its tables by it.
const PAGE_BYTES: u64 = 16 << 10;
/// Weight of an entry besides its texts, key and page: allocations.
const ENTRY_BYTES: usize = 256;
const ALLOCATION_BYTES: usize = 32;

pub(crate) type Key = (AccountId, Query);

/// Pages by the account that requests them and its query. `R` is what changes with every change of the page.
pub(crate) struct PageCache<Q, R>(Cache<(AccountId, Q), Arc<Page<R>>, Weight>);

/// Pages of own images, each with the account's revision.
pub(crate) type ImagePages = PageCache<Query, i64>;
/// Pages of groups and of favourites, each with the account's revision and the last change of any group.
pub(crate) type GroupPages = PageCache<GroupQuery, (i64, i64)>;

/// The action, the account whose groups are listed (the platform's for those of all and for favourites), and which of them.
pub(crate) type GroupQuery = (Action, AccountId, CommunityQuery);

/// A part of the key of a page.
pub(crate) trait PageQuery: Clone + Eq + Hash {
    /// Its heap bytes. Clients choose how long its texts are.
    fn allocated(&self) -> usize;
}

struct Page<R> {
    members: Bytes,
    /// The revision before the rows were read. The rows are at least that new.
    revision: R,
    /// The last generation for which the page was known to be current.
    current_at: Mutex<Option<Generation>>,
}

#[derive(Clone)]
struct Weight;

impl<Q: PageQuery, R> Weighter<(AccountId, Q), Arc<Page<R>>> for Weight {
    fn weight(&self, (_, query): &(AccountId, Q), page: &Arc<Page<R>>) -> u64 {
        // In the tables of the cache, and on the heap.
        let sizes = 2 * (size_of::<(AccountId, Q)>() + size_of::<Page<R>>());
        (ENTRY_BYTES + sizes + ALLOCATION_BYTES + page.members.len() + query.allocated()) as u64
    }
}

impl PageQuery for GroupQuery {
    fn allocated(&self) -> usize {
        // Destructured, so that a new field is not forgotten.
        let CommunityQuery {
            place: Place { region, zone },
            image_id,
            group_id,
            name,
            author,
            fuzzy_search,
            tags,
            is_free: _,
            is_official: _,
            auto_start: _,
            sort: _,
            ascending: _,
            exclude_readme: _,
            paging: Paging { offset: _, limit: _, next_token },
        } = &self.2;
        let texts = [
            region.as_deref(),
            zone.as_deref(),
            image_id.as_deref(),
            group_id.as_deref(),
            name.as_deref(),
            author.as_deref(),
            fuzzy_search.as_deref(),
            next_token.as_deref(),
        ];
        let texts = texts.into_iter().flatten().chain(tags.iter().map(|tag| &**tag));
        let texts: usize = texts.map(|text| ALLOCATION_BYTES + text.len()).sum();
        texts + size_of_val::<[_]>(tags) + ALLOCATION_BYTES
    }
}

impl PageQuery for Query {
    fn allocated(&self) -> usize {
        // Destructured, so that a new field is not forgotten.
        let Query { place: Place { region, zone }, image_id, query, paging } = self;
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
}

impl<Q: PageQuery, R> Default for PageCache<Q, R> {
    fn default() -> Self {
        let expected = usize::try_from(KEPT_BYTES_MAX / PAGE_BYTES).expect("hundreds");
        Self(Cache::with_weighter(expected, KEPT_BYTES_MAX, Weight))
    }
}

impl<Q: PageQuery, R: Copy + PartialEq> PageCache<Q, R> {
    /// Answers from the cache if the page is known to be current at `generation`.
    pub(crate) fn current(&self, key: &(AccountId, Q), generation: Option<Generation>) -> Option<Reply> {
        let page = self.0.get(key).filter(|_| generation.is_some())?;
        let is_current = *lock(&page.current_at) == generation;
        is_current.then(|| Reply::Object(page.members.clone()))
    }

    /// Answers from the cache if the page has this revision, which was read after `generation`.
    pub(crate) fn confirmed(
        &self,
        key: &(AccountId, Q),
        revision: R,
        generation: Option<Generation>,
    ) -> Option<Reply> {
        let page = self.0.get(key).filter(|page| page.revision == revision)?;
        *lock(&page.current_at) = generation;
        Some(Reply::Object(page.members.clone()))
    }

    /// Keeps a page, which has no more spare capacity than a few hundred bytes. `generation` was taken before `revision`,
    /// and that not after the rows: a change in between makes the page look older than it is.
    pub(crate) fn keep(
        &self,
        key: (AccountId, Q),
        members: Bytes,
        revision: R,
        generation: Option<Generation>,
    ) {
        self.0.insert(key, Arc::new(Page { members, revision, current_at: Mutex::new(generation) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long queries of a client count against the limit.
    #[test]
    fn keys_count_towards_the_limit() {
        let pages = ImagePages::default();
        let tag = "x".repeat(64);
        let (most, each) = (usize::try_from(KEPT_BYTES_MAX).expect("8 MiB"), 32 * (64 + size_of::<String>()));
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
