//! What the page of images lists: a kind of images, filters, an order, and a page.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use jingku_protocol::actions::{
    CommunityQuery, CommunitySort, DescribeCommunityImagesRequest, DescribeCompShareCustomImagesRequest,
    DescribeCompShareImagesRequest, DescribeCompShareSharingImagesRequest, ImageQuery, ImageSort, Paging,
    Place,
};
use jingku_protocol::{Image, ImageStatus};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::tags::split;

/// The start page of the console.
pub(crate) const IMAGES: &str = "/console/images";
/// The platform's images have no pages of their own kind: as many of each type as a call can list.
const MAX_PLATFORM_IMAGES: u32 = 100;
/// MB, the unit of sizes in the API.
const GB: u32 = 1024;

/// What the query of the page asks for. Values that cannot be used are empty.
#[derive(Default)]
pub(crate) struct Filters {
    pub(crate) tab: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) tag: String,
    pub(crate) zone: String,
    /// At least this size, in GB.
    pub(crate) size_from: String,
    /// Below this size, in GB.
    pub(crate) size_below: String,
    /// Created on this day or later, in UTC.
    pub(crate) from: String,
    /// Created on this day or earlier, in UTC.
    pub(crate) until: String,
    pub(crate) sort: String,
    pub(crate) token: String,
}

/// Images, their number on all pages, and the token of the next page.
pub(crate) type Listed = (Vec<Image>, i64, String);

impl Filters {
    pub(crate) fn read(query: Vec<(String, String)>) -> Self {
        let mut filters = Self { tab: "own".to_owned(), ..Self::default() };
        for (name, value) in query {
            let value = value.trim().to_owned();
            match name.as_str() {
                "tab" if ["own", "shared", "community", "platform"].contains(&value.as_str()) => {
                    filters.tab = value;
                }
                "name" => filters.name = value,
                "status" => filters.status = value,
                "tag" => filters.tag = value,
                "zone" => filters.zone = value,
                "size_from" if value.parse::<u32>().is_ok() => filters.size_from = value,
                "size_below" if value.parse::<u32>().is_ok() => filters.size_below = value,
                "from" if value.parse::<Date>().is_ok() => filters.from = value,
                "until" if value.parse::<Date>().is_ok() => filters.until = value,
                "sort" => filters.sort = value,
                "token" => filters.token = value,
                _ => {}
            }
        }
        filters
    }

    pub(crate) fn is(&self, tab: &str) -> bool {
        self.tab == tab
    }

    pub(crate) fn has_status(&self, status: &str) -> bool {
        self.status == status
    }

    pub(crate) fn has_zone(&self, zone: &str) -> bool {
        self.zone == zone
    }

    pub(crate) fn has_sort(&self, sort: &str) -> bool {
        self.sort == sort
    }

    pub(crate) fn are_set(&self) -> bool {
        !self.name.is_empty() || !self.status.is_empty() || self.has_more()
    }

    /// Whether a filter is set that the page shows only on request.
    pub(crate) fn has_more(&self) -> bool {
        [&self.tag, &self.zone, &self.size_from, &self.size_below, &self.from, &self.until]
            .iter()
            .any(|value| !value.is_empty())
    }

    /// The address of a page of this list.
    pub(crate) fn url(&self, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("tab", &*self.tab),
            ("name", &self.name),
            ("status", &self.status),
            ("tag", &self.tag),
            ("zone", &self.zone),
            ("size_from", &self.size_from),
            ("size_below", &self.size_below),
            ("from", &self.from),
            ("until", &self.until),
            ("sort", &self.sort),
            ("token", token),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("{IMAGES}?{}", query.finish())
    }

    pub(crate) async fn list(&self, caller: &Caller) -> Result<Listed, Refusal> {
        match self.tab.as_str() {
            "shared" => {
                let request =
                    DescribeCompShareSharingImagesRequest { paging: self.paging(), ..Default::default() };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, page.next_token))
            }
            "community" => {
                let page = caller.call(&DescribeCommunityImagesRequest { query: self.community() }).await?;
                // The newest version stands for its group, whose name people know.
                let newest = page.groups.into_iter().filter_map(|group| {
                    let image = group.data.into_iter().next()?;
                    Some(Image { name: group.image_name, description: group.image_desc, ..image })
                });
                Ok((newest.collect(), page.total_count, page.next_token))
            }
            "platform" => {
                let request = DescribeCompShareImagesRequest {
                    place: self.place(),
                    name: filled(&self.name).map(Into::into),
                    tags: split(&self.tag).collect(),
                    paging: Paging { limit: Some(MAX_PLATFORM_IMAGES.into()), ..Paging::default() },
                    ..Default::default()
                };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, String::new()))
            }
            _ => {
                let request = DescribeCompShareCustomImagesRequest {
                    place: self.place(),
                    query: self.own(),
                    paging: self.paging(),
                    ..Default::default()
                };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, page.next_token))
            }
        }
    }

    fn paging(&self) -> Paging {
        Paging { next_token: filled(&self.token).map(Into::into), ..Paging::default() }
    }

    fn place(&self) -> Place {
        Place { zone: filled(&self.zone).map(Into::into), ..Place::default() }
    }

    fn own(&self) -> ImageQuery {
        let all = [
            ImageStatus::Making,
            ImageStatus::Available,
            ImageStatus::UnAvailable,
            ImageStatus::Reviewing,
            ImageStatus::Offline,
        ];
        let megabytes = |gigabytes: &str| Some(gigabytes.parse::<u32>().ok()?.saturating_mul(GB));
        let sort = match self.sort.as_str() {
            "name" => ImageSort::Name,
            "size" => ImageSort::Size,
            "updated" => ImageSort::UpdateTime,
            _ => ImageSort::CreateTime,
        };
        ImageQuery {
            name: filled(&self.name).map(Into::into),
            statuses: all.into_iter().filter(|status| status.as_str() == self.status).collect(),
            tags: split(&self.tag).collect(),
            created_from: start_of(&self.from, Span::new()),
            created_before: start_of(&self.until, 1.day()),
            size_from: megabytes(&self.size_from),
            size_below: megabytes(&self.size_below),
            sort,
            // Names begin with A; everything else with the largest or newest.
            ascending: sort == ImageSort::Name,
        }
    }

    fn community(&self) -> CommunityQuery {
        let sort = match self.sort.as_str() {
            "published" => Some(CommunitySort::PubTime),
            "favorites" => Some(CommunitySort::FavoritesCount),
            "used" => Some(CommunitySort::CreatedCount),
            _ => None,
        };
        CommunityQuery {
            place: self.place(),
            fuzzy_search: filled(&self.name).map(Into::into),
            tags: split(&self.tag).collect(),
            sort,
            exclude_readme: true,
            paging: self.paging(),
            ..CommunityQuery::default()
        }
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The first second of a day in UTC, or of a later one.
fn start_of(day: &str, later: Span) -> Option<i64> {
    let date = day.parse::<Date>().ok()?.checked_add(later).ok()?;
    Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Filters {
        Filters::read(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    #[test]
    fn the_last_day_is_included() {
        let query = read("from=2024-04-08&until=2024-04-08").own();
        assert_eq!((query.created_from, query.created_before), (Some(1_712_534_400), Some(1_712_620_800)));
    }

    #[test]
    fn what_cannot_be_used_is_not_set() {
        let filters = read("size_from=-1&size_below=x&from=2024-02-30&until=soon");
        assert!(!filters.are_set() && filters.own() == ImageQuery::default());
        assert_eq!(read("until=9999-12-31&size_from=4294967295").own().size_from, Some(u32::MAX));
    }

    #[test]
    fn an_address_keeps_every_filter() {
        let url =
            read("name=a&status=Making&tag=b,c&zone=d&size_from=1&size_below=9&from=2024-04-08&sort=size");
        let again = read(url.url("t").split_once('?').unwrap().1);
        assert_eq!(again.url("t"), url.url("t"));
        assert_eq!(again.own(), url.own());
    }
}
