//! Sentences that are put together of others.

use std::fmt::Display;

/// What an error says, for the middle of a sentence: without the full stop that some of them end in.
pub fn clause(error: &dyn Display) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_full_stop_is_enough() {
        for (text, clause_of_it) in
            [("It broke. ", "It broke"), ("no stop", "no stop"), ("坏了。", "坏了"), (".", "")]
        {
            assert_eq!(clause(&text), clause_of_it);
        }
    }
}
