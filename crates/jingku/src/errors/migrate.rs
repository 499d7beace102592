//! What moves of the catalogue and of images refuse.

use jingku_library::MigrationError;

use super::{Explained, root};
use crate::failure::Exit::{self, Fault, Refused, TryAgain};
use crate::failure::clause;
use crate::messages::tr;

impl Explained for MigrationError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::Served(data) => (TryAgain, tr!("errors-migrate-served", path = data.path())),
            Self::SamePlace(place) => (Refused, tr!("errors-migrate-same-place", place)),
            Self::NotEmpty(place) => (Refused, tr!("errors-migrate-not-empty", place)),
            Self::ReadOnly(data) => (Refused, tr!("errors-migrate-read-only", path = data.path())),
            Self::DamagedCatalog(problems) => {
                (Fault, tr!("errors-migrate-catalog", problems = problems.join("；")))
            }
            Self::Damaged(damage) => {
                let (count, lines) = (damage.images.len(), damage.lines());
                (Fault, tr!("errors-migrate-damaged", count, lines))
            }
            Self::Catalog(error) => {
                (Fault, tr!("errors-catalog", what = tr!("errors-catalog-failed"), error = root(error)))
            }
            Self::Store(error) => (Fault, tr!("errors-store", error = clause(error))),
            Self::Start(error) => error.explain(),
            Self::Task(error) => (Fault, tr!("errors-task", error = clause(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_one_stop;
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        for error in [
            MigrationError::SamePlace("s3://images".to_owned()),
            MigrationError::NotEmpty("postgres://db/jingku".to_owned()),
            MigrationError::DamagedCatalog(vec!["row 7 is missing".to_owned()]),
        ] {
            assert_one_stop(&error);
        }
    }
}
