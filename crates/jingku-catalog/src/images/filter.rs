use super::order::ImageOrder;
use super::row::ImageStatus;
use crate::database::{Params, json_list};
use crate::text_search::{contains, fold, has_tags};

/// A filter and order of images. An empty filter matches all.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageFilter<'a> {
    /// The id.
    pub id: Option<&'a str>,
    /// The zones, any of them.
    pub zones: Option<&'a [&'a str]>,
    /// Part of the name, ignoring case.
    pub name: Option<&'a str>,
    /// The name of the owner.
    pub author: Option<&'a str>,
    /// The statuses, any of them; empty for all.
    pub statuses: &'a [ImageStatus],
    /// The tags, all of them.
    pub tags: &'a [&'a str],
    /// The type of a platform image.
    pub platform_type: Option<&'a str>,
    /// The earliest creation time.
    pub created_from: Option<i64>,
    /// The creation time must be earlier.
    pub created_before: Option<i64>,
    /// The smallest size.
    pub bytes_from: Option<i64>,
    /// The size must be smaller.
    pub bytes_below: Option<i64>,
    /// The order.
    pub order: ImageOrder,
    /// Whether to return [`Image::readme`](crate::Image::readme), which may be long.
    pub with_readme: bool,
}

impl<'a> ImageFilter<'a> {
    /// Identifies the conditions except zones: the same text has the same matches. Empty if every image matches.
    pub(super) fn key(&self) -> String {
        let mut params = Params::default();
        let conditions = self.conditions(&mut params);
        if conditions.is_empty() { conditions } else { json_list(&[(conditions, params.as_slice())]) }
    }

    /// Returns the conditions on `images AS i`, except zones, to append to others.
    pub(super) fn conditions(&self, params: &mut Params<'a>) -> String {
        let mut all = Vec::new();
        all.extend(self.id.map(|id| format!("i.id = {}", params.add(id))));
        all.extend(self.name.map(|name| contains("LOWER(i.name)", &params.add(fold(name)))));
        all.extend(self.author.map(|author| {
            format!("i.account_id IN (SELECT id FROM accounts WHERE name = {})", params.add(author))
        }));
        if !self.statuses.is_empty() {
            let statuses: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
            all.push(format!("i.status IN ({})", params.add_all(&statuses)));
        }
        all.extend(has_tags("i.tags", self.tags, params));
        all.extend(self.platform_type.map(|word| format!("i.platform_type = {}", params.add(word))));
        for (bound, condition) in [
            (self.created_from, "i.create_time >="),
            (self.created_before, "i.create_time <"),
            (self.bytes_from, "i.size_bytes >="),
            (self.bytes_below, "i.size_bytes <"),
        ] {
            all.extend(bound.map(|bound| format!("{condition} {}", params.add(bound))));
        }
        all.iter().flat_map(|condition| [" AND ", condition]).collect()
    }
}
