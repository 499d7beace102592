//! Error texts inside sentences.

use std::fmt::Display;

/// The text of an error without its final full stop, for use inside a sentence.
pub fn clause(error: &dyn Display) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_has_no_full_stop() {
        for (text, clause_of_it) in
            [("It broke. ", "It broke"), ("no stop", "no stop"), ("坏了。", "坏了"), (".", "")]
        {
            assert_eq!(clause(&text), clause_of_it);
        }
    }
}
