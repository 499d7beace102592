//! Conditions that search in texts and lists of tags, with the same result on both engines.

use unicode_normalization::UnicodeNormalization;

use crate::database::Params;

/// Normalizes a text for searches that ignore case, width and composition.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The condition that a column contains a non-empty text: without wildcards, and case-sensitive on SQLite too.
pub(crate) fn contains(column: &str, text: &str) -> String {
    format!("REPLACE({column}, {text}, '') <> {column}")
}

/// The conditions that a column, a JSON list of tags, has every tag.
pub(crate) fn has_tags(column: &str, tags: &[&str], params: &mut Params<'_>) -> Vec<String> {
    // Replacing the opening bracket by a comma puts one before every member.
    let list = format!("(',' || SUBSTR({column}, 2))");
    let term = |tag: &&str| format!(",{}", serde_json::to_string(tag).expect("a text has a JSON form"));
    tags.iter().map(|tag| contains(&list, &params.add(term(tag)))).collect()
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
