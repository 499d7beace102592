//! Reading typed values out of a [`Tree`], as leniently as the clients in use need.

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
    pub(crate) fn not_available(name: &str) -> Self {
        Self::NotAvailable(name.to_owned())
    }

    /// The same error of a parameter inside the object `name`.
    pub(crate) fn below(self, name: &str) -> Self {
        match self {
            Self::Missing(inner) => Self::Missing(format!("{name}.{inner}")),
            Self::NotAvailable(inner) => Self::NotAvailable(format!("{name}.{inner}")),
        }
    }
}

/// Reading by name. An absent parameter is `None`; so is an empty one where empty has no meaning of its own.
impl Tree {
    /// Text as sent, `Some("")` included: in an update, empty means "clear".
    pub(crate) fn raw_text(&self, name: &str) -> Option<String> {
        self.get(name)?.text().map(str::to_owned)
    }

    /// Text as sent, no longer than `max_chars`.
    pub(crate) fn bounded_text(&self, name: &str, max_chars: usize) -> Result<Option<String>, ParamError> {
        let text = self.raw_text(name);
        if text.as_ref().is_some_and(|text| text.chars().count() > max_chars) {
            return Err(ParamError::not_available(name));
        }
        Ok(text)
    }

    /// Text that says something; the Python SDK sends `Zone=` for an unset zone.
    pub(crate) fn filled_text(&self, name: &str) -> Option<String> {
        self.raw_text(name).filter(|text| !text.is_empty())
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, ParamError> {
        self.filled_text(name).ok_or_else(|| ParamError::Missing(name.to_owned()))
    }

    /// Text, JSON integer or integral JSON float.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ParamError> {
        let parse = |text: String| text.trim().parse().map_err(|_| ParamError::not_available(name));
        self.filled_text(name).map(parse).transpose()
    }

    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, ParamError> {
        self.parsed(name)?.ok_or_else(|| ParamError::Missing(name.to_owned()))
    }

    /// A list of at most `max_items` integers, each kept once; empty when the parameter is absent.
    pub(crate) fn integers(&self, name: &str, max_items: usize) -> Result<Vec<i64>, ParamError> {
        let not_available = || ParamError::not_available(name);
        let texts = self.texts(name).unwrap_or_default();
        if texts.len() > max_items {
            return Err(not_available());
        }
        let mut integers = Vec::with_capacity(texts.len());
        for text in texts {
            let integer = text.trim().parse().map_err(|_| not_available())?;
            if !integers.contains(&integer) {
                integers.push(integer);
            }
        }
        Ok(integers)
    }

    /// `true`/`false` in any case (the Python SDK prints `True`), `1`/`0`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ParamError> {
        let parse = |text: String| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(ParamError::not_available(name)),
        };
        self.filled_text(name).map(parse).transpose()
    }

    /// A list of texts; `None` when the parameter is absent. One bare value is a list of one, and the text
    /// `['a', 'b']`, which the Python SDK makes of a list given where it expects text, is that list.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let tree = self.get(name)?;
        let elements = tree.elements();
        if elements.is_empty() {
            return tree.text().map(list_of_text);
        }
        Some(elements.iter().filter_map(|element| element.text()).map(str::to_owned).collect())
    }

    /// A list of at most `max_items` words, each no longer than [`MAX_WORD_CHARS`].
    pub(crate) fn words(&self, name: &str, max_items: usize) -> Result<Option<Vec<String>>, ParamError> {
        let words = self.texts(name);
        let too_long = |word: &String| word.chars().count() > MAX_WORD_CHARS;
        if words.as_ref().is_some_and(|words| words.len() > max_items || words.iter().any(too_long)) {
            return Err(ParamError::not_available(name));
        }
        Ok(words)
    }
}

fn list_of_text(text: &str) -> Vec<String> {
    let Some(inner) = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    };
    if let Ok(list) = serde_json::from_str(text) {
        return list;
    }
    // A Python list literal. Its strings are quoted by the SDK itself and hold no escapes in practice.
    let unquoted = inner.split(',').map(|item| item.trim().trim_matches(['\'', '"']).to_owned());
    unquoted.filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn tree(form: &str) -> Tree {
        Tree::from(&decode(None, None, form.as_bytes()).unwrap())
    }

    #[test]
    fn lists_close_gaps_and_sort_by_number() {
        let tags = |form| tree(form).texts("Tags");
        let expected = Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        assert_eq!(tags("Tags.10=c&Tags.2=b&Tags.0=a"), expected);
        assert_eq!(tags("Tags.1=a&Tags.2=b&Tags.3=c"), expected);
        assert_eq!(tags(r#"{"Tags":["a","b","c"]}"#), expected);
        assert_eq!(tags("Tags=['a', 'b', 'c']"), expected);
        assert_eq!(tags(r#"Tags=["a","b","c"]"#), expected);
        assert_eq!(tags("Tags=a"), Some(vec!["a".to_owned()]));
        assert_eq!(tags("Tags="), Some(Vec::new()));
        assert_eq!(tags(r#"{"Tags":[]}"#), Some(Vec::new()));
        assert_eq!(tags(r#"{"Tags":null}"#), None);
        assert_eq!(tags("x=1"), None);
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
}
