use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::{Integer, PageToken};

/// Rows in a page when the call does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// The most rows in a page. More is refused, not clamped: the real service does so.
pub const MAX_LIMIT: u32 = 100;

/// Which page of a list.
///
/// With `remote`, serde derives plain functions and not the traits: [`Deserialize`] compares fields after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct Paging {
    /// Rows to skip; absent is 0. Catalogues count in signed 64-bit integers.
    pub offset: Option<Integer<0, { i64::MAX }>>,
    /// Rows wanted; absent or 0 is [`DEFAULT_LIMIT`].
    pub limit: Option<Integer<0, { MAX_LIMIT as i64 }>>,
    /// Extension: the `NextToken` of the page before, instead of an offset.
    pub next_token: Option<PageToken>,
}

impl<'de> Deserialize<'de> for Paging {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let paging = Self::deserialize(deserializer)?;
        // An SDK that always sends `Offset=0` does not ask for two pages.
        if paging.next_token.is_some() && paging.offset() > 0 {
            return Err(D::Error::duplicate_field("NextToken"));
        }
        Ok(paging)
    }
}

impl Serialize for Paging {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl Paging {
    /// Rows to skip.
    pub fn offset(&self) -> u64 {
        self.offset.and_then(|offset| u64::try_from(offset.0).ok()).unwrap_or(0)
    }

    /// Rows wanted, never 0.
    pub fn limit(&self) -> u32 {
        let limit = self.limit.and_then(|limit| u32::try_from(limit.0).ok());
        limit.filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param_error::ParamError;
    use crate::tree::Tree;

    fn bind(form: &str) -> Result<Paging, ParamError> {
        crate::read::read(&Tree::from(crate::decode(None, None, form.as_bytes()).unwrap()))
    }

    #[test]
    fn limit_defaults_and_is_never_clamped() {
        for (form, limit) in [("", 20), ("Limit=", 20), ("Limit=0", 20), ("Limit=1", 1), ("Limit=100", 100)] {
            assert_eq!(bind(form).unwrap().limit(), limit, "{form}");
        }
        for form in ["Limit=101", "Limit=-1", "Limit=20.5", "Limit=abc", "Limit=99999999999"] {
            assert_eq!(bind(form), Err(ParamError::NotAvailable("Limit".into())), "{form}");
        }
    }

    #[test]
    fn offset_is_a_natural_number() {
        assert_eq!(bind("Offset=9223372036854775807").unwrap().offset(), i64::MAX as u64);
        for form in ["Offset=-1", "Offset=x", "Offset=1.5", "Offset=9223372036854775808"] {
            assert_eq!(bind(form), Err(ParamError::NotAvailable("Offset".into())), "{form}");
        }
        assert!(bind("Offset=0&NextToken=x").is_ok());
        assert_eq!(bind("Offset=1&NextToken=x"), Err(ParamError::NotAvailable("NextToken".into())));
    }
}
