//! Pages of all images of an account, newest first, made of serialised rows.
//!
//! One statement returns the versions of the rows of a page. Rows whose version is in memory are not read.

use std::sync::Arc;

use bytes::Bytes;
use jingku_catalog::{AccountId, ImageOrder, NewestImages, RowVersion};
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest as Query, ImageQuery, ImageRows, MAX_LIMIT,
};
use serde_json::value::{RawValue, to_raw_value};

use crate::call::Call;
use crate::error::Error;
use crate::pages::Key;
use crate::reply::Reply;
use crate::view;

/// How often a page is read again because rows changed in between, before it is read with one statement.
const TRIES_MAX: u32 = 4;

/// Whether a request lists all images, perhaps of some zones, in the default order.
pub(crate) fn is_whole(request: &Query) -> bool {
    request.image_id.is_none() && request.query == ImageQuery::default()
}

/// Answers such a request. `None` if the account has disappeared, or its images change too fast.
pub(crate) async fn page(call: &Call<'_>, key: &Key) -> Result<Option<Reply>, Error> {
    let (account, Query { place, paging, .. }) = key;
    let (pages, catalog, scope) = (&call.context.pages, &call.library.catalog, call.own());
    let zones = call.library.zones.resolve(place)?;
    let cursor = view::cursor(paging, |token| ImageOrder::default().cursor(scope, token))?;
    let paging = view::rows(paging, cursor.as_ref());
    for _ in 0..TRIES_MAX {
        let Some(found) = catalog.newest_images(scope, zones.as_deref(), paging).await? else {
            return Ok(None);
        };
        if let Some(reply) = pages.confirmed(key, found.revision, call.generation) {
            return Ok(Some(reply));
        }
        let Some(rows) = rows(call, *account, zones.as_deref(), &found).await? else { continue };
        let next_token = view::next_token(found.next);
        let image_set: Vec<&RawValue> = rows.iter().map(|row| &**row).collect();
        let page = ImageRows { total_count: found.total, image_set: &image_set, next_token: &next_token };
        let members = Bytes::from(page.to_json());
        if !rows.is_empty() {
            pages.keep(key.clone(), members.clone(), found.revision, call.generation);
        }
        return Ok(Some(Reply::Object(members)));
    }
    Ok(None)
}

/// Returns the rows of a page, from memory if possible. `None` if a row has changed since its version was read.
async fn rows(
    call: &Call<'_>,
    account: AccountId,
    zones: Option<&[&str]>,
    page: &NewestImages,
) -> Result<Option<Vec<Arc<RawValue>>>, Error> {
    let cache = &call.context.rows;
    let mut rows: Vec<_> = page.rows.iter().map(|version| cache.get(account, *version)).collect();
    let is_missing = |row: &Option<Arc<RawValue>>| row.is_none();
    if let (Some(newest), Some(oldest)) =
        (rows.iter().position(is_missing), rows.iter().rposition(is_missing))
    {
        let range = page.rows[oldest].seq..=page.rows[newest].seq;
        // At most the rows of a page, unless some were restored from the trash since.
        let read = call.library.catalog.images_between(call.own(), zones, range, MAX_LIMIT).await?;
        for (version, image) in read {
            let json: Arc<RawValue> =
                to_raw_value(&view::image(image, call.context, false)?).expect("an image serialises").into();
            cache.keep(account, version, &json);
            if let Some(place) = place_of(&page.rows, version) {
                rows[place] = Some(json);
            }
        }
    }
    Ok(rows.into_iter().collect())
}

/// Finds a version in a page, which is sorted by descending number.
fn place_of(page: &[RowVersion], version: RowVersion) -> Option<usize> {
    let place = page.binary_search_by(|row| version.seq.cmp(&row.seq)).ok()?;
    (page[place] == version).then_some(place)
}
