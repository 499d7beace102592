//! Error texts inside sentences.

use std::error::Error;
use std::fmt::Display;
use std::iter;

/// The text of an error without its final full stop, for use inside a sentence.
pub fn clause(error: &dyn Display) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

/// An error and its causes, in one line, for use inside a sentence.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let chain: Vec<_> =
        iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect();
    clause(&chain.join(": "))
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
