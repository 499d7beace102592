//! Seconds in a control call. Clients may send fractions, which are truncated.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// Whole seconds. Saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number of seconds")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Seconds, E> {
        Ok(Seconds(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Seconds, E> {
        Ok(Seconds(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer there is")]
    fn visit_f64<E>(self, number: f64) -> Result<Seconds, E> {
        Ok(Seconds(number.trunc() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_truncated_and_texts_refused() {
        for (text, seconds) in
            [("7", 7), ("1.5", 1), ("-1.5", -1), ("1e3", 1000), ("1e30", i64::MAX), ("-1e300", i64::MIN)]
        {
            assert_eq!(serde_json::from_str::<Seconds>(text).unwrap(), Seconds(seconds), "{text}");
        }
        for text in ["\"1\"", "null", "[1]", "true"] {
            let error = serde_json::from_str::<Seconds>(text).unwrap_err().to_string();
            assert!(error.contains("expected a number of seconds"), "{text}: {error}");
        }
    }
}
