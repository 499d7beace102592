//! What a call is about.

use crate::tree::Tree;

/// The parameters that name an object, the one that a call changes first.
const NAMES: [&str; 5] = ["UHostId", "CompShareImageId", "SourceCompShareImageId", "GroupId", "WebhookId"];
/// The parameter that names several images.
const IMAGES: &str = "CompShareImageIds";

/// The object that a call names: an instance, an image, a group or a webhook, or several images, separated by commas. Empty
/// without one, or if its parameter is wrong.
pub fn subject(tree: &Tree) -> String {
    let named = |name| tree.scalar(name).ok().flatten().filter(|text: &&str| !text.is_empty());
    NAMES.into_iter().find_map(named).map_or_else(|| images(tree), str::to_owned)
}

fn images(tree: &Tree) -> String {
    let images = tree.find(IMAGES).ok().flatten().and_then(Tree::elements).unwrap_or_default();
    images.into_iter().filter_map(Tree::text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    #[test]
    fn the_object_that_a_call_changes_comes_first() {
        let of = |names: &[&str]| {
            let params = names.iter().fold(Params::default(), |params, name| params.text(name, Some(name)));
            subject(&Tree::from(params))
        };
        assert_eq!(of(&["CompShareImageId", "UHostId"]), "UHostId");
        assert_eq!(of(&["GroupId", "CompShareImageId"]), "CompShareImageId");
        assert_eq!(of(&["SourceCompShareImageId"]), "SourceCompShareImageId");
        assert_eq!(
            of(&["CompShareImageIds.1", "CompShareImageIds.0"]),
            "CompShareImageIds.0,CompShareImageIds.1"
        );
        assert_eq!(of(&["UHostId.0", "Name"]), "");
    }
}
