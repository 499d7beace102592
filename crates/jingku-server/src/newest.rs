//! Pages of images of an account or shared with one, newest first, made of serialised rows.
//!
//! One statement returns the versions of the rows of a page. Rows whose version is in memory are not read.

use std::sync::Arc;

use bytes::Bytes;
use jingku_catalog::{
    AccountId, ImageFilter, ImageOrder, NewestImages, Paging as RowPaging, RowVersion, Scope, SharedImages,
    SharedRow,
};
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest as Query, ImageQuery, ImageRows, MAX_LIMIT, Paging,
};
use serde_json::value::{RawValue, to_raw_value};

use crate::call::Call;
use crate::error::Error;
use crate::pages::Key;
use crate::reply::Reply;
use crate::view;

/// How often a page is read again because rows changed in between, before it is read with one statement.
const TRIES_MAX: u32 = 4;

type Row = Arc<RawValue>;

/// A page of serialised images.
pub(crate) struct RowPage {
    pub(crate) total: i64,
    pub(crate) rows: Vec<Row>,
    /// Empty on the last page.
    pub(crate) next_token: String,
}

impl RowPage {
    /// The members of the response of each list of images.
    pub(crate) fn members(&self) -> Bytes {
        let image_set: Vec<&RawValue> = self.rows.iter().map(|row| &**row).collect();
        let page = ImageRows { total_count: self.total, image_set: &image_set, next_token: &self.next_token };
        page.to_json().into()
    }
}

/// Answers a request without an image id for images of the caller that match a filter. `None` if the account has
/// disappeared, its images change too fast, or the order is another one.
pub(crate) async fn page(
    call: &Call<'_>,
    key: &Key,
    filter: &ImageFilter<'_>,
) -> Result<Option<Reply>, Error> {
    let (_, Query { paging, .. }) = key;
    let (pages, scope) = (&call.context.pages, call.own());
    let cursor = view::cursor(paging, |token| filter.order.cursor(scope, token))?;
    let paging = view::rows(paging, cursor.as_ref());
    let reach = if key.1.query == ImageQuery::default() { Reach::All } else { Reach::Matches };
    for _ in 0..TRIES_MAX {
        let Some(found) = reach.find(call, scope, filter, paging).await? else { return Ok(None) };
        if let Some(reply) = pages.confirmed(key, found.revision, call.generation) {
            return Ok(Some(reply));
        }
        let Some(rows) = reach.rows(call, scope, filter, &found).await? else { continue };
        let page = RowPage { total: found.total, rows, next_token: view::next_token(found.next) };
        let members = page.members();
        if !page.rows.is_empty() {
            pages.keep(key.clone(), members.clone(), found.revision, call.generation);
        }
        return Ok(Some(Reply::Object(members)));
    }
    Ok(None)
}

/// Returns a page of the images of an account that match a filter without an id, newest first. `None` if they change too
/// fast.
pub(crate) async fn matching(
    call: &Call<'_>,
    scope: Scope,
    filter: &ImageFilter<'_>,
    paging: &Paging,
) -> Result<Option<RowPage>, Error> {
    let cursor = view::cursor(paging, |token| filter.order.cursor(scope, token))?;
    let paging = view::rows(paging, cursor.as_ref());
    for _ in 0..TRIES_MAX {
        let Some(found) = Reach::Matches.find(call, scope, filter, paging).await? else { return Ok(None) };
        if let Some(rows) = Reach::Matches.rows(call, scope, filter, &found).await? {
            return Ok(Some(RowPage { total: found.total, rows, next_token: view::next_token(found.next) }));
        }
    }
    Ok(None)
}

/// Returns a page of the images that others share with the caller. `None` if the account has disappeared, or the images
/// change too fast.
pub(crate) async fn shared(
    call: &Call<'_>,
    zones: Option<&[&str]>,
    paging: &Paging,
) -> Result<Option<RowPage>, Error> {
    let (catalog, account) = (&call.library.catalog, call.account().id);
    let scope = Scope::shared_with(account);
    let cursor = view::cursor(paging, |token| ImageOrder::default().cursor(scope, token))?;
    let paging = view::rows(paging, cursor.as_ref());
    for _ in 0..TRIES_MAX {
        let Some(found) = catalog.shared_images(account, zones, paging).await? else { return Ok(None) };
        if let Some(rows) = shared_rows(call, &found).await? {
            return Ok(Some(RowPage { total: found.total, rows, next_token: view::next_token(found.next) }));
        }
    }
    Ok(None)
}

async fn shared_rows(call: &Call<'_>, page: &SharedImages) -> Result<Option<Vec<Row>>, Error> {
    let cache = &call.context.rows;
    let mut rows: Vec<_> = page.rows.iter().map(|row| cache.get(row.owner, row.version)).collect();
    let missing = |(row, known): (&SharedRow, &Option<Row>)| known.is_none().then(|| row.id.clone());
    let missing: Vec<String> = page.rows.iter().zip(&rows).filter_map(missing).collect();
    if !missing.is_empty() {
        let ids: Vec<&str> = missing.iter().map(String::as_str).collect();
        for (version, image) in call.library.catalog.shared_rows(call.account().id, &ids).await? {
            let (id, owner) = (image.id.clone(), image.account);
            let json = render(call, owner, version, image)?;
            let is_this = |row: &SharedRow| row.id == id && row.version == version;
            if let Some(place) = page.rows.iter().position(is_this) {
                rows[place] = Some(json);
            }
        }
    }
    Ok(rows.into_iter().collect())
}

/// Which images of an account a page is of, and so how it is found.
#[derive(Clone, Copy)]
enum Reach {
    /// All, perhaps of some zones.
    All,
    /// Those that match a filter.
    Matches,
}

impl Reach {
    async fn find(
        self,
        call: &Call<'_>,
        scope: Scope,
        filter: &ImageFilter<'_>,
        paging: RowPaging<'_>,
    ) -> Result<Option<NewestImages>, Error> {
        let catalog = &call.library.catalog;
        Ok(match self {
            Self::All => catalog.newest_images(scope, filter.zones, paging).await?,
            Self::Matches => catalog.matching_images(scope, filter, paging).await?,
        })
    }

    /// Returns the rows of a page, from memory if possible. `None` if a row has changed since its version was read.
    async fn rows(
        self,
        call: &Call<'_>,
        scope: Scope,
        filter: &ImageFilter<'_>,
        page: &NewestImages,
    ) -> Result<Option<Vec<Row>>, Error> {
        let (cache, catalog, account) = (&call.context.rows, &call.library.catalog, scope.account());
        let mut rows: Vec<_> = page.rows.iter().map(|version| cache.get(account, *version)).collect();
        let missing = |(row, known): (&RowVersion, &Option<Row>)| known.is_none().then_some(row.seq);
        let missing: Vec<i64> = page.rows.iter().zip(&rows).filter_map(missing).collect();
        if let (Some(newest), Some(oldest)) = (missing.first(), missing.last()) {
            let read = match self {
                // At most the rows of a page, unless some were restored from the trash since.
                Self::All => {
                    catalog.images_between(scope, filter.zones, *oldest..=*newest, MAX_LIMIT).await?
                }
                Self::Matches => catalog.images_numbered(scope, &missing).await?,
            };
            for (version, image) in read {
                let json = render(call, account, version, image)?;
                if let Some(place) = place_of(&page.rows, version) {
                    rows[place] = Some(json);
                }
            }
        }
        Ok(rows.into_iter().collect())
    }
}

/// Serialises a row and keeps it.
fn render(
    call: &Call<'_>,
    owner: AccountId,
    version: RowVersion,
    image: jingku_catalog::Image,
) -> Result<Row, Error> {
    let json: Row =
        to_raw_value(&view::image(image, call.context, false)?).expect("an image serialises").into();
    call.context.rows.keep(owner, version, &json);
    Ok(json)
}

/// Finds a version in a page, which is sorted by descending number.
fn place_of(page: &[RowVersion], version: RowVersion) -> Option<usize> {
    let place = page.binary_search_by(|row| version.seq.cmp(&row.seq)).ok()?;
    (page[place] == version).then_some(place)
}
