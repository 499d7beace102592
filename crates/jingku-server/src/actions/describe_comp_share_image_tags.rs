use std::collections::HashSet;

use jingku_catalog::Scope;
use jingku_library::OTHERS;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Maximum number of tags besides the configured ones. Keeps a reply below 1 MiB.
const OTHERS_MAX: usize = 1000;

/// Lists the configured tags and the other tags of public images.
pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::DescribeCompShareImageTagsRequest,
) -> Result<api::DescribeCompShareImageTagsResponse, Error> {
    let mut reply = api::DescribeCompShareImageTagsResponse::default();
    let mut known = HashSet::new();
    let mut add = |category: &str, tags: Vec<String>| {
        if !reply.tag_index.iter().any(|name| name == category) {
            reply.tag_index.push(category.to_owned());
        }
        // A tag may be in two categories.
        reply.tags.extend(tags.iter().filter(|tag| known.insert((*tag).clone())).cloned());
        reply.tags_map.entry(category.to_owned()).or_default().extend(tags);
    };
    for category in &call.library.config.community.categories {
        add(&category.name, category.tags.clone());
    }
    let mut others =
        call.library.catalog.tags_in_use(Scope::published().requested_by(call.account().id)).await?;
    let configured: HashSet<&String> =
        call.library.config.community.categories.iter().flat_map(|category| &category.tags).collect();
    others.retain(|tag| !tag.is_empty() && !configured.contains(tag));
    others.truncate(OTHERS_MAX);
    if !others.is_empty() {
        add(OTHERS, others);
    }
    Ok(reply)
}
