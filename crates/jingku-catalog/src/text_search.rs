//! Conditions that search in texts and lists of tags, with the same result on both engines.

use unicode_normalization::UnicodeNormalization;

use crate::database::Params;

/// Normalizes a text for searches that ignore case, width and composition.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The condition that a column contains a non-empty text. Unlike LIKE it has no wildcards, and is case-sensitive on SQLite
/// too.
pub(crate) fn contains(column: &str, text: &str) -> String {
    format!("REPLACE({column}, {text}, '') <> {column}")
}

/// Tags in the form in which [`TagTerms::conditions`] compares them.
pub(crate) struct TagTerms(Vec<String>);

impl TagTerms {
    pub(crate) fn new(tags: &[&str]) -> Self {
        let term = |tag: &&str| format!(",{}", serde_json::to_string(tag).expect("a text has a JSON form"));
        Self(tags.iter().map(term).collect())
    }

    /// The conditions that a column, a JSON list of tags, has every tag.
    pub(crate) fn conditions<'a>(&'a self, column: &str, params: &mut Params<'a>) -> Vec<String> {
        // Replacing the opening bracket by a comma puts one before every member.
        let list = format!("(',' || SUBSTR({column}, 2))");
        self.0.iter().map(|term| contains(&list, &params.add(term))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_width_make_no_difference() {
        for (text, folded) in
            [("PyTorch", "pytorch"), ("ＰｙＴｏｒｃｈ　２", "pytorch 2"), ("ÉTÉ", "été"), ("镜库", "镜库")]
        {
            assert_eq!(fold(text), folded);
        }
    }
}
