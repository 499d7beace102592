use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Rows in a page when the call does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// The most rows in a page. More is refused, not clamped: the real service does so.
pub const MAX_LIMIT: u32 = 100;

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Paging {
    /// Rows to pass over; absent is 0.
    pub offset: Option<u64>,
    /// Rows wanted, 1 to [`MAX_LIMIT`]; absent or 0 is [`DEFAULT_LIMIT`].
    pub limit: Option<u32>,
    /// Extension: the `NextToken` of the page before, instead of an offset.
    pub next_token: Option<String>,
}

impl Paging {
    /// Rows to pass over.
    pub fn offset(&self) -> u64 {
        self.offset.unwrap_or(0)
    }

    /// Rows wanted, never 0.
    pub fn limit(&self) -> u32 {
        match self.limit {
            None | Some(0) => DEFAULT_LIMIT,
            Some(limit) => limit,
        }
    }

    pub(super) fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let paging = Self {
            offset: tree.parsed("Offset")?,
            limit: tree.parsed("Limit")?,
            next_token: tree.id("NextToken")?,
        };
        if paging.limit() > MAX_LIMIT {
            return Err(ParamError::not_available("Limit"));
        }
        // Catalogues count in signed 64-bit integers.
        if i64::try_from(paging.offset()).is_err() {
            return Err(ParamError::not_available("Offset"));
        }
        // Both would say two things at once; an SDK that always sends `Offset=0` says only one.
        if paging.next_token.is_some() && paging.offset() > 0 {
            return Err(ParamError::not_available("NextToken"));
        }
        Ok(paging)
    }

    pub(super) fn add_to(&self, params: Params) -> Params {
        params
            .number("Offset", self.offset)
            .number("Limit", self.limit)
            .text("NextToken", self.next_token.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(form: &str) -> Result<Paging, ParamError> {
        Paging::bind(&Tree::from(&crate::decode(None, None, form.as_bytes()).unwrap()))
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
