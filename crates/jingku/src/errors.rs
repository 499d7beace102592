//! Errors of the library crates, as failures in the language asked for. Their English is their `Display`, which logs show
//! too; their Chinese is in `errors.ftl`.

mod backup;
mod client;
mod disk;
mod migrate;
mod operator;
mod start;

use std::error::Error;
use std::fmt::Display;

use jingku_library::CatalogError;

use crate::failure::{Exit, Failure, clause};
use crate::lang::Lang;
use crate::messages::tr;
pub(crate) use disk::caution;

/// An error of a library crate.
pub(crate) trait Explained: Display {
    /// The exit code, and the Chinese whatever language was asked for.
    fn explain(&self) -> (Exit, String);

    /// Adds what only some errors have.
    fn complete(&self, failure: Failure) -> Failure {
        failure
    }
}

impl<E: Explained> From<E> for Failure {
    fn from(error: E) -> Self {
        let (exit, chinese) = error.explain();
        // Errors of TOML end with a line break.
        error.complete(Self::new(exit, localized(&error, chinese).trim_end()))
    }
}

fn localized(english: &impl Display, chinese: String) -> String {
    match Lang::current() {
        Lang::En => english.to_string(),
        Lang::Zh => chinese,
    }
}

/// The last error of a chain, without its full stop: the outer ones only say that something failed.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| (*error).source()).last();
    clause(last.unwrap_or(error))
}

/// What the catalogue ended with. `what` names the failed operation.
fn catalog(what: &str, error: &CatalogError) -> String {
    let cause = root(error);
    if matches!(error, CatalogError::ReadOnly) {
        tr!("errors-catalog-read-only", what, error = cause)
    } else if matches!(error, CatalogError::AnotherStore) {
        tr!("errors-catalog-another-store", what)
    } else if let CatalogError::OlderServers(servers) = error {
        tr!("errors-catalog-older-servers", what, servers)
    } else if error.is_damage() {
        tr!("errors-catalog-damaged", what, error = cause)
    } else {
        tr!("errors-catalog", what, error = cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One full stop at the end, in Chinese and in the English of the error itself.
    pub(super) fn assert_one_stop<E: Error + Explained>(error: &E) {
        let (english, chinese) = (error.to_string(), error.explain().1);
        for text in [&english, &chinese] {
            let doubled = ["..", "。。", ".。", "。.", ". ."].into_iter().any(|stops| text.contains(stops));
            assert!(!doubled, "{text}");
        }
        assert!(english.trim_end().ends_with('.'), "{english}");
        assert!(!chinese.is_ascii(), "{chinese}");
    }
}
