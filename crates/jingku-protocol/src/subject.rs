//! What a call is about.

use crate::tree::Tree;

/// The parameters that name an object, the one that a call changes first.
const NAMES: [&str; 4] = ["UHostId", "CompShareImageId", "SourceCompShareImageId", "GroupId"];

/// The object that a call names: an instance, an image or a group; empty without one, or if its parameter is wrong.
pub fn subject(tree: &Tree) -> &str {
    let named = |name| tree.scalar(name).ok().flatten().filter(|text: &&str| !text.is_empty());
    NAMES.into_iter().find_map(named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    #[test]
    fn the_object_that_a_call_changes_comes_first() {
        let of = |names: &[&str]| {
            let params = names.iter().fold(Params::default(), |params, name| params.text(name, Some(name)));
            subject(&Tree::from(params)).to_owned()
        };
        assert_eq!(of(&["CompShareImageId", "UHostId"]), "UHostId");
        assert_eq!(of(&["GroupId", "CompShareImageId"]), "CompShareImageId");
        assert_eq!(of(&["SourceCompShareImageId"]), "SourceCompShareImageId");
        assert_eq!(of(&["UHostId.0", "Name"]), "");
    }
}
