//! Reading typed values out of a [`Tree`], as leniently as the clients in use need.
//!
//! Every read names a shape and a bound, so that no action can forget either.

use std::borrow::Cow;

use crate::actions::is_image_name;
use crate::tree::Tree;

/// The most characters in a word: a tag, a GPU model, the name or version of a piece of software. Ours, as are all
/// limits on text but that of an image's name: they keep a page of 100 rows below 1 MiB, which some clients read at most.
pub(crate) const MAX_WORD_CHARS: usize = 64;
/// The most characters in a description. Ours.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 1000;
/// The most characters in a readme. Ours.
pub(crate) const MAX_README_CHARS: usize = 100_000;
/// The most entries in a list of GPU models, applications or ports. Ours.
pub(crate) const MAX_LIST_ITEMS: usize = 32;
/// The most bytes in an id, a public key, the name of a region or zone, or a `NextToken`. Ours; a fixtures file may
/// give ids of 1000 bytes.
pub const MAX_ID_BYTES: usize = 1024;
/// The most bytes in a text to search for. Ours.
pub const MAX_FILTER_BYTES: usize = 256;
/// The most bytes in the text of a number. Ours.
pub const MAX_NUMBER_BYTES: usize = 64;
/// The most bytes in a `Cover`: a picture of the largest size in Base64, with line ends and a `data:` prefix. Ours.
pub const MAX_COVER_TEXT_BYTES: usize = 1 << 20;

/// A parameter the backend refuses; the daemon answers 210 or 230.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// A required parameter is absent or empty.
    #[error("Missing params [{0}]")]
    Missing(String),
    /// A parameter is given and cannot be used.
    #[error("Params [{0}] not available")]
    NotAvailable(String),
}

impl ParamError {
    /// The parameter's name; dotted for a member of an object.
    pub fn name(&self) -> &str {
        match self {
            Self::Missing(name) | Self::NotAvailable(name) => name,
        }
    }

    pub(crate) fn not_available(name: &str) -> Self {
        Self::NotAvailable(name.to_owned())
    }
}

/// How long a text may be.
#[derive(Clone, Copy)]
pub(crate) enum Most {
    /// This many characters.
    Chars(usize),
    /// This many bytes.
    Bytes(usize),
}

impl Most {
    fn allows(self, text: &str) -> bool {
        match self {
            // A character has at most four bytes: a text of megabytes is not counted.
            Self::Chars(most) => text.len() <= 4 * most && text.chars().count() <= most,
            Self::Bytes(most) => text.len() <= most,
        }
    }
}

const WORD: Most = Most::Chars(MAX_WORD_CHARS);
const ID: Most = Most::Bytes(MAX_ID_BYTES);

/// Reading by name. An absent parameter is `None`; so is an empty one where empty has no meaning of its own.
impl Tree {
    /// Text as sent, `Some("")` included: in an update, empty means "clear".
    pub(crate) fn text(&self, name: &str, most: Most) -> Result<Option<String>, ParamError> {
        match self.scalar(name)? {
            Some(text) if !most.allows(text) => Err(ParamError::not_available(name)),
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// Text that says something; the Python SDK sends `Zone=` for an unset zone.
    pub(crate) fn filled_text(&self, name: &str, most: Most) -> Result<Option<String>, ParamError> {
        Ok(self.text(name, most)?.filter(|text| !text.is_empty()))
    }

    /// A text of at most [`MAX_WORD_CHARS`], empty included.
    pub(crate) fn word(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.text(name, WORD)
    }

    /// A description, empty included.
    pub(crate) fn description(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.text(name, Most::Chars(MAX_DESCRIPTION_CHARS))
    }

    /// A readme, empty included.
    pub(crate) fn readme(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.text(name, Most::Chars(MAX_README_CHARS))
    }

    /// A picture as Base64 text, empty included.
    pub(crate) fn cover(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.text(name, Most::Bytes(MAX_COVER_TEXT_BYTES))
    }

    /// An id, a token, or the name of a place.
    pub(crate) fn id(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.filled_text(name, ID)
    }

    pub(crate) fn required_id(&self, name: &str) -> Result<String, ParamError> {
        self.id(name)?.ok_or_else(|| ParamError::Missing(name.to_owned()))
    }

    /// A text to search for.
    pub(crate) fn filter(&self, name: &str) -> Result<Option<String>, ParamError> {
        self.filled_text(name, Most::Bytes(MAX_FILTER_BYTES))
    }

    /// A name that an image can have.
    pub(crate) fn image_name(&self, name: &str) -> Result<Option<String>, ParamError> {
        let text = self.filled_text(name, WORD)?;
        if text.as_deref().is_some_and(|text| !is_image_name(text)) {
            return Err(ParamError::not_available(name));
        }
        Ok(text)
    }

    pub(crate) fn required_image_name(&self, name: &str) -> Result<String, ParamError> {
        self.image_name(name)?.ok_or_else(|| ParamError::Missing(name.to_owned()))
    }

    /// One of a few words.
    pub(crate) fn one_of<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ParamError> {
        let parse = |word: String| parse(&word).ok_or_else(|| ParamError::not_available(name));
        self.filled_text(name, WORD)?.map(parse).transpose()
    }

    /// Text, JSON integer or integral JSON float.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ParamError> {
        let parse = |text: String| text.trim().parse().map_err(|_| ParamError::not_available(name));
        self.filled_text(name, Most::Bytes(MAX_NUMBER_BYTES))?.map(parse).transpose()
    }

    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, ParamError> {
        self.parsed(name)?.ok_or_else(|| ParamError::Missing(name.to_owned()))
    }

    /// `true`/`false` in any case (the Python SDK prints `True`), `1`/`0`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ParamError> {
        self.one_of(name, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// A list of at most `max_items` texts.
    fn texts(
        &self,
        name: &str,
        max_items: usize,
        most: Most,
    ) -> Result<Option<Vec<Cow<'_, str>>>, ParamError> {
        let texts = self.list(name)?;
        let too_much = |texts: &Vec<Cow<'_, str>>| {
            texts.len() > max_items || texts.iter().any(|text| !most.allows(text))
        };
        if texts.as_ref().is_some_and(too_much) { Err(ParamError::not_available(name)) } else { Ok(texts) }
    }

    /// A list of at most `max_items` words, each no longer than [`MAX_WORD_CHARS`].
    pub(crate) fn words(&self, name: &str, max_items: usize) -> Result<Option<Vec<String>>, ParamError> {
        let words = self.texts(name, max_items, WORD)?;
        Ok(words.map(|words| words.into_iter().map(Cow::into_owned).collect()))
    }

    /// A list of at most `max_items` ids; empty when the parameter is absent.
    pub(crate) fn ids(&self, name: &str, max_items: usize) -> Result<Vec<String>, ParamError> {
        let ids = self.texts(name, max_items, ID)?.unwrap_or_default();
        Ok(ids.into_iter().map(Cow::into_owned).collect())
    }

    /// A list of at most `max_items` integers, each kept once; empty when the parameter is absent.
    pub(crate) fn integers(&self, name: &str, max_items: usize) -> Result<Vec<i64>, ParamError> {
        let texts = self.texts(name, max_items, Most::Bytes(MAX_NUMBER_BYTES))?.unwrap_or_default();
        let mut integers = Vec::with_capacity(texts.len());
        for text in texts {
            let integer = text.trim().parse().map_err(|_| ParamError::not_available(name))?;
            if !integers.contains(&integer) {
                integers.push(integer);
            }
        }
        Ok(integers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn tree(form: &str) -> Tree {
        Tree::from(decode(None, None, form.as_bytes()).unwrap())
    }

    #[test]
    fn lists_close_gaps_and_sort_by_number() {
        let tags = |form| tree(form).words("Tags", 3);
        let expected = Ok(Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
        assert_eq!(tags("Tags.10=c&Tags.2=b&Tags.0=a"), expected);
        assert_eq!(tags("Tags.1=a&Tags.2=b&Tags.3=c"), expected);
        assert_eq!(tags(r#"{"Tags":["a","b","c"]}"#), expected);
        assert_eq!(tags("Tags=['a', 'b', 'c']"), expected);
        assert_eq!(tags(r#"Tags=["a","b","c"]"#), expected);
        assert_eq!(tags("Tags=a"), Ok(Some(vec!["a".to_owned()])));
        assert_eq!(tags("Tags="), Ok(Some(Vec::new())));
        assert_eq!(tags(r#"{"Tags":[]}"#), Ok(Some(Vec::new())));
        assert_eq!(tags(r#"{"Tags":null}"#), Ok(None));
        assert_eq!(tags("x=1"), Ok(None));
    }

    #[test]
    fn scalars_are_lenient() {
        let tree = tree(r#"{"a":20,"b":"20","c":20.0,"t":"True","f":false,"one":1,"bad":"20.5","e":""}"#);
        for name in ["a", "b", "c"] {
            assert_eq!(tree.parsed::<i64>(name), Ok(Some(20)));
        }
        assert_eq!(tree.parsed::<i64>("bad"), Err(ParamError::not_available("bad")));
        assert_eq!(tree.parsed::<i64>("e"), Ok(None));
        assert_eq!((tree.flag("t"), tree.flag("f")), (Ok(Some(true)), Ok(Some(false))));
        assert_eq!((tree.flag("one"), tree.flag("none")), (Ok(Some(true)), Ok(None)));
        assert!(tree.flag("bad").is_err());
    }

    #[test]
    fn what_is_given_in_two_ways_is_refused() {
        for body in [
            "Name=x&Name.y=z",
            "Name.y=z&Name=x",
            r#"{"Name":"x","Name.0":"y"}"#,
            r#"{"Name":["x"],"Name.0":"y"}"#,
            r#"{"Name.1":"y","Name":["x"]}"#,
            r#"{"Name":{"a":"x"},"Name.b":"y"}"#,
            "Name.0=x&Name.00=y",
            "Name.+1=x",
            "Name.-1=x",
            "Name.=x",
            "Name.99999999999999999999999=x",
        ] {
            let refused = ParamError::not_available("Name");
            assert_eq!(tree(body).scalar("Name"), Err(refused.clone()), "{body}");
            assert_eq!(tree(body).list("Name"), Err(refused.clone()), "{body}");
            assert_eq!(tree(body).objects("Name").err(), Some(refused), "{body}");
        }
        // Nothing is given by null.
        assert_eq!(tree(r#"{"Name":null,"Name.0":"y"}"#).words("Name", 1), Ok(Some(vec!["y".to_owned()])));
    }

    #[test]
    fn members_of_what_is_no_object_are_refused_by_its_name() {
        for body in ["Sort=x", "Sort.0=x", r#"{"Sort":["x"]}"#, r#"{"Sort":true}"#, r#"{"Sort":[]}"#] {
            assert_eq!(tree(body).word("Sort.Field"), Err(ParamError::not_available("Sort")), "{body}");
        }
        for body in ["Sort=", r#"{"Sort":null}"#, r#"{"Sort":{}}"#, "Sort.Other=1", "x=1"] {
            assert_eq!(tree(body).word("Sort.Field"), Ok(None), "{body}");
        }
        for body in [r#"{"Sort":{"Field":["x"]}}"#, "Sort.Field.y=x"] {
            assert_eq!(tree(body).word("Sort.Field"), Err(ParamError::not_available("Sort.Field")), "{body}");
        }
    }
}
