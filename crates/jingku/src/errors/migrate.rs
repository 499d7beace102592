//! What moves of the catalogue and of images refuse.

use jingku_library::MigrationError;

use super::Explained;
use crate::failure::Exit::{self, Fault, Refused};
use crate::messages::tr;

impl Explained for MigrationError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::SeveralServers(names) => {
                (Refused, tr!("errors-migrate-several-servers", names = names.join("、")))
            }
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
            Self::Fault(fault) => fault.explain(),
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
            MigrationError::SeveralServers(vec!["a".to_owned()]),
            MigrationError::NotEmpty("postgres://db/jingku".to_owned()),
            MigrationError::DamagedCatalog(vec!["row 7 is missing".to_owned()]),
        ] {
            assert_one_stop(&error);
        }
    }
}
