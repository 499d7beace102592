//! Pages of an account's list, serialised, kept while they are current.
//!
//! A page is current while the catalogue's generation stands: nothing at all was committed. When it has moved, a page
//! is current still if the account's own revision has not, which is one short read. Only then the rows are read again.
//! Pages are never updated, so there is nothing to get out of step.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jingku_catalog::{AccountId, Generation};
use jingku_protocol::actions::DescribeCompShareCustomImagesRequest as Query;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::context::Context;
use crate::error::Error;
use crate::gateway::Caller;
use crate::lock::lock;
use crate::reply::Reply;

/// The most bytes of pages kept in memory.
const KEPT_BYTES_MAX: u64 = 16 << 20;
/// What a page of 20 rows weighs, roughly: the cache sizes its tables by it.
const PAGE_BYTES: u64 = 16 << 10;

type Key = (AccountId, Query);

/// The pages kept in memory.
pub(crate) struct Pages(Cache<Key, Arc<Page>, Weight>);

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
    fn weight(&self, _key: &Key, page: &Arc<Page>) -> u64 {
        page.members.len() as u64 + size_of::<Key>() as u64
    }
}

impl Default for Pages {
    fn default() -> Self {
        let expected = usize::try_from(KEPT_BYTES_MAX / PAGE_BYTES).expect("a thousand");
        Self(Cache::with_weighter(expected, KEPT_BYTES_MAX, Weight))
    }
}

impl Context {
    /// The page of the caller's account that answers `query`: from memory if it is current, else from `read`.
    pub(crate) async fn page(
        &self,
        caller: &Caller,
        query: Query,
        read: impl Future<Output = Result<Reply, Error>>,
    ) -> Result<Reply, Error> {
        // Generation, revision, rows, in this order: whatever changes in between makes the page look older than it is.
        let (account, generation) = (caller.account().id, caller.generation);
        let key = (account, query);
        let kept = self.pages.0.get(&key);
        if let Some(page) = &kept
            && generation.is_some()
            && *lock(&page.current_at) == generation
        {
            return Ok(Reply::Object(page.members.clone()));
        }
        let Some(revision) = self.catalog.account_revision(account).await? else { return read.await };
        if let Some(page) = kept.filter(|page| page.revision == revision) {
            *lock(&page.current_at) = generation;
            return Ok(Reply::Object(page.members.clone()));
        }
        let reply = read.await?;
        if let Reply::Object(members) = &reply {
            let page = Page { members: members.clone(), revision, current_at: Mutex::new(generation) };
            self.pages.0.insert(key, Arc::new(page));
        }
        Ok(reply)
    }
}
