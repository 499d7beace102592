//! The types of single parameters. Each has a bound, so that no action can forget one.
//!
//! A bound is checked where a parameter is read. `From` does not check it: a client sends what it is given, and the
//! server refuses it. All bounds are ours unless a comment names a source: they keep a page of 100 rows below 1 MiB,
//! the most that some clients read.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{self, Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most characters in an image name. Documented.
pub const MAX_NAME_CHARS: usize = 50;
/// The most characters in the name of an instance. Documented.
pub const MAX_INSTANCE_NAME_CHARS: usize = 63;
/// The most characters in a word: a tag, a GPU model, the name or version of a piece of software.
pub(crate) const MAX_WORD_CHARS: usize = 64;
/// The most characters in a description.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 1000;
/// The most characters in a readme.
pub const MAX_README_CHARS: usize = 100_000;
/// The most bytes in an id, a public key, the name of a region or zone, or a `NextToken`. A fixtures file may give ids
/// of 1000 bytes.
pub const MAX_ID_BYTES: usize = 1024;
/// The longest SSH key, in bytes: an RSA key of 16384 bits has 2.8 KB. Ours.
pub(crate) const MAX_SSH_KEY_BYTES: usize = 4096;
/// The most bytes in a text to search for.
pub const MAX_FILTER_BYTES: usize = 256;
/// The most bytes in a `Cover`: a picture of the largest size in Base64, with line ends and a `data:` prefix.
pub const MAX_COVER_TEXT_BYTES: usize = 1 << 20;
/// The most tags on an image. Documented.
pub const MAX_TAGS: usize = 3;
/// The highest price, in CNY per hour.
const MAX_PRICE: f64 = 1_000_000.0;
/// Characters of a BLAKE3 hash in hexadecimal.
const HASH_CHARS: usize = 64;

/// Tells whether `name` may name an image: 1 to [`MAX_NAME_CHARS`] characters out of U+4E00–U+9FA5, ASCII letters and
/// digits, and `_ , . : -`.
pub fn is_image_name(name: &str) -> bool {
    !name.is_empty() && has_at_most(name, MAX_NAME_CHARS) && name.chars().all(is_name_char)
}

/// Tells whether `name` may name an instance: as [`is_image_name`], but up to [`MAX_INSTANCE_NAME_CHARS`] characters.
pub fn is_instance_name(name: &str) -> bool {
    !name.is_empty() && has_at_most(name, MAX_INSTANCE_NAME_CHARS) && name.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_,.:-".contains(c) || ('\u{4e00}'..='\u{9fa5}').contains(&c)
}

/// Tells whether a text is a BLAKE3 hash in lowercase hexadecimal.
pub fn is_blake3(text: &str) -> bool {
    text.len() == HASH_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Tells whether a text has at most `chars` characters. A character has at most four bytes, so a text of megabytes is
/// not counted.
fn has_at_most(text: &str, chars: usize) -> bool {
    text.len() <= 4 * chars && text.chars().count() <= chars
}

enum Rule {
    /// Up to so many characters.
    Chars(usize),
    /// Up to so many bytes.
    Bytes(usize),
    /// Of a form that bounds its length too.
    Form {
        fits: fn(&str) -> bool,
        /// The most characters, and a pattern.
        #[cfg(feature = "schema")]
        schema: (usize, &'static str),
    },
}

/// Checks a text before it is copied: it may be megabytes long.
impl Visitor<'_> for &Rule {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text within its bound")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        let fits = match self {
            Rule::Chars(most) => has_at_most(text, *most),
            Rule::Bytes(most) => text.len() <= *most,
            Rule::Form { fits, .. } => fits(text),
        };
        if fits { Ok(text.to_owned()) } else { Err(E::custom("too long or of a wrong form")) }
    }
}

#[cfg(feature = "schema")]
impl Rule {
    /// A limit in bytes is one in characters too, only looser.
    fn schema(&self) -> schemars::Schema {
        match self {
            Self::Chars(most) | Self::Bytes(most) => {
                schemars::json_schema!({ "type": "string", "maxLength": most })
            }
            Self::Form { schema: (most, pattern), .. } => {
                schemars::json_schema!({ "type": "string", "maxLength": most, "pattern": pattern })
            }
        }
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $rule:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
        pub struct $name(String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(const { &$rule }).map(Self)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                const { &$rule }.schema()
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )*};
}

texts! {
    /// The id of an image.
    ImageId: Rule::Bytes(MAX_ID_BYTES);
    /// The id of a group of versions in the community.
    GroupId: Rule::Bytes(MAX_ID_BYTES);
    /// The id of an instance.
    InstanceId: Rule::Bytes(MAX_ID_BYTES);
    /// The name of a region or zone.
    PlaceName: Rule::Bytes(MAX_ID_BYTES);
    /// A `NextToken`.
    PageToken: Rule::Bytes(MAX_ID_BYTES);
    /// A name that an image can have; see [`is_image_name`].
    ImageName: Rule::Form {
        fits: is_image_name,
        #[cfg(feature = "schema")]
        schema: (MAX_NAME_CHARS, "^[A-Za-z0-9_,.:\u{4e00}-\u{9fa5}-]+$"),
    };
    /// A name that an instance can have; see [`is_instance_name`].
    InstanceName: Rule::Form {
        fits: is_instance_name,
        #[cfg(feature = "schema")]
        schema: (MAX_INSTANCE_NAME_CHARS, "^[A-Za-z0-9_,.:\u{4e00}-\u{9fa5}-]+$"),
    };
    /// A password as Base64 text. Whether it is one is checked later: a wrong one has a code of its own.
    PasswordText: Rule::Bytes(MAX_ID_BYTES);
    /// A public key, as a line of an `authorized_keys` file without options. Whether it is one is checked later.
    SshPublicKey: Rule::Bytes(MAX_SSH_KEY_BYTES);
    /// The id of a webhook.
    WebhookId: Rule::Bytes(MAX_ID_BYTES);
    /// The URL of a webhook. Whether it can be used is checked later.
    WebhookUrl: Rule::Bytes(MAX_ID_BYTES);
    /// A BLAKE3 hash in lowercase hexadecimal.
    FileHash: Rule::Form {
        fits: is_blake3,
        #[cfg(feature = "schema")]
        schema: (HASH_CHARS, "^[0-9a-f]{64}$"),
    };
    /// A text to search for.
    Filter: Rule::Bytes(MAX_FILTER_BYTES);
    /// A tag, a GPU model, the name or version of something.
    Word: Rule::Chars(MAX_WORD_CHARS);
    /// A description.
    Description: Rule::Chars(MAX_DESCRIPTION_CHARS);
    /// A text in Markdown.
    Readme: Rule::Chars(MAX_README_CHARS);
    /// A picture as Base64 text.
    Cover: Rule::Bytes(MAX_COVER_TEXT_BYTES);
}

/// An integer from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Integer<const MIN: i64, const MAX: i64>(pub i64);

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Integer<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&number) { Ok(Self(number)) } else { Err(D::Error::custom("out of range")) }
    }
}

#[cfg(feature = "schema")]
impl<const MIN: i64, const MAX: i64> schemars::JsonSchema for Integer<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Integer_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl<N: TryInto<i64>, const MIN: i64, const MAX: i64> From<N> for Integer<MIN, MAX> {
    fn from(number: N) -> Self {
        Self(number.try_into().unwrap_or(i64::MAX))
    }
}

/// A price in CNY per hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price(pub f64);

/// As text: JSON has no number for each `f64`, and the server refuses what is not a price.
impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let price = f64::deserialize(deserializer)?;
        if (0.0..=MAX_PRICE).contains(&price) {
            Ok(Self(price))
        } else {
            Err(D::Error::custom("out of range"))
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": MAX_PRICE })
    }
}

impl From<f64> for Price {
    fn from(price: f64) -> Self {
        Self(price)
    }
}

/// Text of any content and length that older clients send and nothing uses. It must still be one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

/// Reads a parameter whose empty value means "clear". Elsewhere an empty value counts as absent.
pub(crate) fn clearable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    // `read.rs` knows this newtype by its name.
    #[derive(Deserialize)]
    struct Clearable<T>(T);
    Clearable::deserialize(deserializer).map(|Clearable(value)| Some(value))
}

/// Reads a parameter with a default; an empty value means the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Tells whether a parameter has its default, which is not sent.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names_follow_the_documented_alphabet() {
        for good in ["a", "my-custom-env", "训练环境_v1.2:3,4", &"镜".repeat(50)] {
            assert!(is_image_name(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "naïve", "镜像。", "\u{9fa6}", "a\n", &"a".repeat(51)] {
            assert!(!is_image_name(bad), "{bad:?}");
        }
    }
}
