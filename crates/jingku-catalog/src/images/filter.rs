use super::order::ImageOrder;
use super::row::ImageStatus;
use crate::database::Params;

/// Which images are wanted, and in what order. What is not said does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageFilter<'a> {
    /// The one with this id.
    pub id: Option<&'a str>,
    /// Those held in one of these zones.
    pub zones: Option<&'a [&'a str]>,
    /// Those with this in their name, whatever its case.
    pub name: Option<&'a str>,
    /// Those of the account with this name.
    pub author: Option<&'a str>,
    /// Those in one of these states; none for all.
    pub statuses: &'a [ImageStatus],
    /// Those with every one of these tags.
    pub tags: &'a [&'a str],
    /// Those of this type of the platform's.
    pub platform_type: Option<&'a str>,
    /// Those created then or later.
    pub created_from: Option<i64>,
    /// Those created earlier.
    pub created_before: Option<i64>,
    /// Those this large or larger.
    pub bytes_from: Option<i64>,
    /// Those that are smaller.
    pub bytes_below: Option<i64>,
    /// What comes first.
    pub order: ImageOrder,
    /// Whether [`Image::readme`](super::Image::readme) is wanted: it may be long.
    pub with_readme: bool,
}

/// The conditions that a filter sets beside the zones: the texts that they need are kept here.
pub(super) struct FilterTerms {
    name: Option<String>,
    tags: Vec<String>,
}

impl FilterTerms {
    pub(super) fn new(filter: &ImageFilter<'_>) -> Self {
        // Of a list in JSON, a member that is not the first follows a comma.
        let tag = |tag: &&str| format!(",{}", serde_json::to_string(tag).expect("a text has a JSON form"));
        Self { name: filter.name.map(crate::fold::fold), tags: filter.tags.iter().map(tag).collect() }
    }

    /// Conditions on `images AS i`, to be put after others.
    pub(super) fn conditions<'a>(&'a self, filter: &ImageFilter<'a>, params: &mut Params<'a>) -> String {
        let mut all = Vec::new();
        all.extend(filter.id.map(|id| format!("i.id = {}", params.add(id))));
        all.extend(self.name.as_deref().map(|name| contains("LOWER(i.name)", &params.add(name))));
        all.extend(filter.author.map(|author| {
            format!("i.account_id IN (SELECT id FROM accounts WHERE name = {})", params.add(author))
        }));
        if !filter.statuses.is_empty() {
            let statuses: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
            all.push(format!("i.status IN ({})", params.add_all(&statuses)));
        }
        // The bracket that opens the list becomes the comma before its first member.
        all.extend(self.tags.iter().map(|tag| contains("(',' || SUBSTR(i.tags, 2))", &params.add(tag))));
        all.extend(filter.platform_type.map(|word| format!("i.platform_type = {}", params.add(word))));
        for (bound, condition) in [
            (filter.created_from, "i.create_time >="),
            (filter.created_before, "i.create_time <"),
            (filter.bytes_from, "i.size_bytes >="),
            (filter.bytes_below, "i.size_bytes <"),
        ] {
            all.extend(bound.map(|bound| format!("{condition} {}", params.add(bound))));
        }
        all.iter().flat_map(|condition| [" AND ", condition]).collect()
    }
}

/// Whether a text, which is not empty, is in a column. Unlike LIKE it means the same on both engines and knows no
/// special characters.
fn contains(column: &str, text: &str) -> String {
    format!("REPLACE({column}, {text}, '') <> {column}")
}
