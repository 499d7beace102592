//! Pages of community groups, for `DescribeCommunityImages`, `DescribeSelfCommunityImages` and
//! `DescribeUserCommunityImages`: two statements per page, and a reply of bounded size.

use std::collections::HashMap;

use bytes::Bytes;
use jingku_catalog::{Group as Row, GroupFilter, GroupOrder, GroupSort, Scope, VersionFilter};
use jingku_protocol::Image;
use jingku_protocol::actions::{Action, CommunityQuery, CommunitySort, GroupStatus, ImageGroup};
use serde::Serialize;

use crate::call::Call;
use crate::error::Error;
use crate::pages::GroupQuery;
use crate::reply::Reply;
use crate::view::{self, cursor, next_token, rows, texts};

/// Maximum reply size, in bytes: some clients read no more.
const REPLY_BYTES_MAX: usize = 1 << 20;
/// Size of a reply without its groups, in bytes.
const FRAME_BYTES: usize = 1 << 10;
/// How often a reply contains each version: see the response types.
const COPIES: usize = 2;
/// Maximum number of versions of a group in a list.
const VERSIONS_MAX: u32 = 10;
/// Maximum number of versions of a group requested by id.
const VERSIONS_OF_ONE_MAX: u32 = 100;
/// The most versions of the groups of a page that are read without waiting for a thread for scans.
const FEW_VERSIONS_MAX: i64 = 1000;
/// Maximum length of a readme in a list, in characters. A longer one is omitted.
const README_CHARS_MAX: u32 = 10_000;

pub(crate) struct GroupPage {
    /// Number of matching groups on all pages.
    pub(crate) total: i64,
    /// Number of groups on this page with an available version.
    pub(crate) available: i64,
    pub(crate) groups: Vec<ImageGroup>,
    /// Empty on the last page.
    pub(crate) next_token: String,
}

/// Answers a request for a page of groups, from memory if it is current there.
pub(crate) async fn reply<T: Serialize>(
    call: &Call<'_>,
    action: Action,
    scope: Scope,
    query: CommunityQuery,
    response: impl Fn(GroupPage) -> T,
) -> Result<Reply, Error> {
    let key = (action, scope.account(), query);
    let read = async {
        let page = page(call, scope, &key.2).await?;
        let is_empty = page.groups.is_empty();
        Ok((Reply::object(&response(page)), is_empty))
    };
    remembered(call, &key, read).await
}

/// Answers from memory if the page of groups or of their versions is current there; otherwise with what `read` returns, and
/// keeps that unless it is empty.
pub(crate) async fn remembered(
    call: &Call<'_>,
    query: &GroupQuery,
    read: impl Future<Output = Result<(Reply, bool), Error>>,
) -> Result<Reply, Error> {
    let (pages, viewer) = (&call.context.group_pages, call.account().id);
    let key = (viewer, query.clone());
    if let Some(reply) = pages.current(&key, call.generation) {
        return Ok(reply);
    }
    // Pages contain what other accounts published, and drafts and favourites of the viewer.
    let revision = call.library.catalog.groups_revision(viewer).await?;
    if let Some(reply) = revision.and_then(|revision| pages.confirmed(&key, revision, call.generation)) {
        return Ok(reply);
    }
    let (reply, is_empty) = read.await?;
    if let (Reply::Object(members), Some(revision), false) = (&reply, revision, is_empty) {
        // A copy without spare capacity.
        pages.keep(key, Bytes::copy_from_slice(members), revision, call.generation);
    }
    Ok(reply)
}

async fn page(call: &Call<'_>, scope: Scope, query: &CommunityQuery) -> Result<GroupPage, Error> {
    let zones = call.library.zones.resolve(&query.place)?;
    let order = order(query);
    let cursor = cursor(&query.paging, |token| order.cursor(token))?;
    let tags = texts(&query.tags);
    let filter = GroupFilter {
        id: query.group_id.as_deref(),
        image_id: query.image_id.as_deref(),
        zones: zones.as_deref(),
        name: query.name.as_deref(),
        author: query.author.as_deref(),
        words: query.fuzzy_search.as_deref(),
        tags: &tags,
        free: query.is_free,
        official: query.is_official,
        auto_start: query.auto_start,
    };
    let viewer = call.account().id;
    let paging = rows(&query.paging, cursor.as_ref());
    let page = call.library.catalog.groups_page(scope, viewer, filter, order, paging).await?;
    if let Some(id) = &query.image_id
        && page.total == 0
    {
        return Err(Error::ResourceNotFound(id.to_string()));
    }
    let ids: Vec<&str> = page.items.iter().map(|group| group.id.as_str()).collect();
    let version_filter = VersionFilter {
        image_id: query.image_id.as_deref(),
        zones: zones.as_deref(),
        are_few: page.items.iter().map(|group| group.versions).sum::<i64>() <= FEW_VERSIONS_MAX,
        versions_max: if query.group_id.is_some() { VERSIONS_OF_ONE_MAX } else { VERSIONS_MAX },
        readme_chars_max: match (query.exclude_readme, &query.image_id) {
            (true, _) => 0,
            (false, Some(_)) => u32::MAX,
            (false, None) => README_CHARS_MAX,
        },
    };
    let mut versions: HashMap<String, Vec<Image>> = HashMap::new();
    for row in call.library.catalog.versions(scope.requested_by(viewer), &ids, version_filter).await? {
        let group = row.group_id.clone();
        let image = view::community_image(row, call.context, !query.exclude_readme)?;
        versions.entry(group).or_default().push(image);
    }
    // A group without versions lost its last one between the two statements.
    let groups = page.items.into_iter().filter_map(|row| Some((versions.remove(&row.id)?, row)));
    let mut groups: Vec<ImageGroup> = groups.map(|(data, row)| group(row, data)).collect();
    fit(&mut groups, (REPLY_BYTES_MAX - FRAME_BYTES) / COPIES);
    let available = groups.iter().filter(|group| group.status == GroupStatus::Available).count();
    Ok(GroupPage {
        total: page.total,
        available: i64::try_from(available).unwrap_or(i64::MAX),
        groups,
        next_token: next_token(page.next),
    })
}

fn order(query: &CommunityQuery) -> GroupOrder {
    let by = match query.sort {
        None => GroupSort::Recommended,
        Some(CommunitySort::Favor) => GroupSort::Favor,
        Some(CommunitySort::PubTime) => GroupSort::PubTime,
        Some(CommunitySort::Price) => GroupSort::Price,
        Some(CommunitySort::CreatedCount) => GroupSort::CreatedCount,
        Some(CommunitySort::ImageUseTime) => GroupSort::ImageUseTime,
        Some(CommunitySort::FavoritesCount) => GroupSort::FavoritesCount,
    };
    GroupOrder { by, ascending: query.ascending }
}

fn group(row: Row, data: Vec<Image>) -> ImageGroup {
    ImageGroup {
        group_id: row.id,
        image_name: row.name,
        image_desc: row.description,
        created_count: row.created_count,
        favorites_count: row.favorites_count,
        recommend_count: row.recommend_count,
        image_use_time: row.image_use_time_hours,
        is_favorite: row.is_favorite,
        status: if row.public_versions > 0 { GroupStatus::Available } else { GroupStatus::UnAvailable },
        data,
    }
}

/// Shortens groups to a maximum of JSON bytes. Drops readmes first, then older versions, then descriptions, then the
/// newest versions, each from the last group backwards. Typical pages are far below the limit.
fn fit(groups: &mut [ImageGroup], bytes_max: usize) {
    let versions_max = groups.iter().map(|group| group.data.len()).max().unwrap_or(0);
    let older = (1..versions_max).rev().map(Part::Version);
    let parts = [Part::Readme].into_iter().chain(older).chain([Part::Description, Part::Version(0)]);
    let mut bytes = json_bytes(groups);
    for part in parts {
        for group in groups.iter_mut().rev() {
            if bytes <= bytes_max {
                return;
            }
            bytes -= match part {
                // Only the newest version has a readme.
                Part::Readme => {
                    group.data.first_mut().and_then(|image| image.readme.as_mut()).map_or(0, clear)
                }
                Part::Description => clear(&mut group.image_desc),
                Part::Version(index) if index < group.data.len() => {
                    let comma = usize::from(index > 0);
                    json_bytes(&group.data.remove(index)) + comma
                }
                Part::Version(_) => 0,
            };
        }
    }
}

/// A part of each group to drop; a version by its index.
enum Part {
    Readme,
    Version(usize),
    Description,
}

/// Clears a text. Returns the JSON bytes that it had.
fn clear(text: &mut String) -> usize {
    json_bytes(&std::mem::take(text)) - json_bytes("")
}

fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    serde_json::to_vec(value).expect("response types serialise").len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups with texts of maximum length.
    fn longest(groups: usize, versions: usize) -> Vec<ImageGroup> {
        let image = Image {
            description: "镜".repeat(1000),
            version_desc: "库".repeat(1000),
            supported_gpu_types: vec!["卡".repeat(64); 32],
            readme: Some("读".repeat(10_000)),
            ..Image::default()
        };
        let description = "\u{1}".repeat(1000);
        let group =
            ImageGroup { image_desc: description, data: vec![image; versions], ..ImageGroup::default() };
        vec![group; groups]
    }

    fn bytes(groups: &[ImageGroup]) -> usize {
        serde_json::to_vec(groups).unwrap().len()
    }

    #[test]
    fn the_longest_page_is_shortened_to_the_limit() {
        for (groups, versions) in [(100, 10), (100, 1), (1, 100), (20, 10)] {
            let mut page = longest(groups, versions);
            fit(&mut page, 500_000);
            assert!(bytes(&page) < 500_000, "{} bytes", bytes(&page));
            assert!(bytes(&page) > 300_000, "{} bytes", bytes(&page));
            assert_eq!(page.len(), groups);
        }
    }

    #[test]
    fn a_page_within_the_limit_is_unchanged() {
        let mut page = longest(3, 2);
        for group in &mut page {
            group.data[1].readme = Some(String::new());
        }
        let whole = page.clone();
        fit(&mut page, 500_000);
        assert_eq!(page, whole);
    }

    #[test]
    fn every_group_keeps_its_newest_version_before_any_keeps_a_second() {
        let mut page = longest(20, 10);
        fit(&mut page, 500_000);
        let shown: Vec<usize> = page.iter().map(|group| group.data.len()).collect();
        assert!(shown.iter().max().unwrap() - shown.iter().min().unwrap() <= 1, "{shown:?}");
    }
}
