//! Sizes in bytes as people write them.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// A number of bytes, written without a unit or as `500MB`, `20GB` or `1TB`, of 2²⁰, 2³⁰ or 2⁴⁰ bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub i64);

/// A text that is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a whole number of bytes, MB, GB or TB, such as 500GB")]
pub struct BadSize;

impl FromStr for ByteSize {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
            "" | "B" => 1,
            "M" | "MB" | "MIB" => 1 << 20,
            "G" | "GB" | "GIB" => 1 << 30,
            "T" | "TB" | "TIB" => 1 << 40,
            _ => return Err(BadSize),
        };
        let bytes = digits.parse::<i64>();
        let bytes = bytes.ok().filter(|bytes| *bytes >= 0).and_then(|bytes| bytes.checked_mul(factor));
        bytes.map(Self).ok_or(BadSize)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB")];
        match units.into_iter().find(|(factor, _)| self.0 > 0 && self.0 % factor == 0) {
            Some((factor, unit)) => write!(formatter, "{}{unit}", self.0 / factor),
            None => write!(formatter, "{}B", self.0),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a size such as \"500GB\", or a number of bytes")
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                if bytes < 0 { Err(E::custom(BadSize)) } else { Ok(ByteSize(bytes)) }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_optional_units() {
        for (text, bytes) in [("0", 0), ("7", 7), ("500MB", 500 << 20), ("2g", 2 << 30), ("10TB", 10 << 40)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "GB", "-1", "-1GB", "1.5GB", "1KB", "1 GB", "9999999999TB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(BadSize), "{text}");
        }
    }
}
