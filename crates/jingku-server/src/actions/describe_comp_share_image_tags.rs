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
    let categories = &call.library.config.community.categories;
    let configured: HashSet<&String> = categories.iter().flat_map(|category| &category.tags).collect();
    let mut others =
        call.library.catalog.tags_in_use(Scope::published().requested_by(call.account().id)).await?;
    others.retain(|tag| !tag.is_empty() && !configured.contains(tag));
    others.truncate(OTHERS_MAX);
    let others = (!others.is_empty()).then_some((OTHERS, &others));
    let mut reply = api::DescribeCompShareImageTagsResponse::default();
    let mut known = HashSet::new();
    for (name, tags) in categories.iter().map(|category| (&*category.name, &category.tags)).chain(others) {
        if !reply.tag_index.iter().any(|known| known == name) {
            reply.tag_index.push(name.to_owned());
        }
        // A tag may be in two categories.
        reply.tags.extend(tags.iter().filter(|tag| known.insert(*tag)).cloned());
        reply.tags_map.entry(name.to_owned()).or_default().extend(tags.iter().cloned());
    }
    Ok(reply)
}
