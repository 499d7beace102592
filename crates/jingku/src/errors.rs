//! Errors of the library crates, in the language asked for. Their English is their `Display`, which logs show too; their
//! Chinese is in `errors.ftl`.

mod backup;
mod client;
mod data_dir;
mod disk;
mod listen_address;
mod operator;

use std::error::Error;
use std::fmt::Display;

use crate::lang::Lang;

/// An error, or another text of a library crate, that exists in both languages.
pub(crate) trait Localized: Display {
    /// The Chinese, whatever language was asked for.
    fn chinese(&self) -> String;

    /// The text in the language asked for.
    fn localized(&self) -> String {
        match Lang::current() {
            Lang::En => self.to_string(),
            Lang::Zh => self.chinese(),
        }
    }
}

/// A sentence without its full stop, to be put into another one.
pub(crate) fn clause(error: &(impl Display + ?Sized)) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

/// The last error of a chain, without its full stop: the outer ones only say that something failed.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| (*error).source()).last();
    clause(last.unwrap_or(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One full stop at the end, in Chinese and in the English of the error itself.
    pub(super) fn assert_one_stop<E: Error + Localized>(error: &E) {
        let (english, chinese) = (error.to_string(), error.chinese());
        for text in [&english, &chinese] {
            let doubled = ["..", "。。", ".。", "。.", ". ."].into_iter().any(|stops| text.contains(stops));
            assert!(!doubled, "{text}");
        }
        assert!(english.trim_end().ends_with('.'), "{english}");
        assert!(!chinese.is_ascii(), "{chinese}");
    }
}
