//! One nested shape for every spelling, made after the signature has been checked: `Tags.0=a`, `"Tags.0":"a"` and
//! `"Tags":["a"]` are the same tree.
//!
//! Every read says which shape it expects. A parameter of another shape is refused, never ignored: a filter that is
//! dropped silently lists everything.

use std::collections::BTreeMap;

use crate::param_error::ParamError;
use crate::params::{Params, Value};

/// A parameter and everything below its name.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
    given: Given,
}

/// How a parameter was sent, where its content does not show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Given {
    /// As text, by dotted names below it, or not at all.
    #[default]
    Plain,
    /// As a JSON array.
    List,
    /// As a JSON object.
    Object,
    /// In two ways, which is ambiguous.
    Twice,
}

/// How a parameter was sent does not matter.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.children) == (&other.text, &other.children)
    }
}

impl Eq for Tree {}

impl Tree {
    /// The text of a parameter, whose name may be dotted; `None` when it is absent or null.
    pub fn scalar(&self, name: &str) -> Result<Option<&str>, ParamError> {
        match self.find(name)? {
            None => Ok(None),
            Some(tree) => tree.text().map(Some).ok_or_else(|| ParamError::not_available(name)),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        let is_scalar = self.given == Given::Plain && self.children.is_empty();
        self.text.as_deref().filter(|_| is_scalar)
    }

    /// The parameter below a dotted name. All before the last part must be objects.
    pub(crate) fn find(&self, name: &str) -> Result<Option<&Self>, ParamError> {
        let mut tree = self;
        let mut path = 0;
        for part in name.split('.') {
            if path > 0 && !tree.is_object() {
                // An empty text is an object that is absent.
                return if tree.text() == Some("") {
                    Ok(None)
                } else {
                    Err(ParamError::not_available(&name[..path - 1]))
                };
            }
            let Some(child) = tree.children.get(part) else { return Ok(None) };
            tree = child;
            path += part.len() + 1;
        }
        Ok(Some(tree))
    }

    /// Whether it is an object. A numeric name makes it a list.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.given, Given::Plain | Given::Object)
            && self.text.is_none()
            && !self.children.keys().any(|name| index(name).is_some())
    }

    /// The elements in the order of their numbers; `None` unless all names are numbers, each there once.
    pub(crate) fn elements(&self) -> Option<Vec<&Self>> {
        if !matches!(self.given, Given::Plain | Given::List) || self.text.is_some() {
            return None;
        }
        let numbered = self.children.iter().map(|(name, tree)| Some((index(name)?, tree)));
        let numbered: BTreeMap<_, _> = numbered.collect::<Option<_>>()?;
        (numbered.len() == self.children.len()).then(|| numbered.into_values().collect())
    }

    fn insert(&mut self, name: &str, value: Value) {
        // Null is absent.
        if value == Value::Null {
            return;
        }
        let mut place = self;
        for (depth, part) in name.split('.').enumerate() {
            // The root and an object that is being filled are not sent twice.
            if depth > 0 && place.is_given() {
                place.given = Given::Twice;
            }
            place = place.children.entry(part.to_owned()).or_default();
        }
        place.fill(value);
    }

    /// Whether it has a value of its own, and is not just a prefix of dotted names.
    fn is_given(&self) -> bool {
        self.given != Given::Plain || self.text.is_some()
    }

    fn fill(&mut self, value: Value) {
        let twice = self.is_given() || !self.children.is_empty();
        let given = match value {
            Value::Null => return,
            Value::Text(text) | Value::Number(text) => {
                self.text = Some(text);
                Given::Plain
            }
            Value::Bool(flag) => {
                self.text = Some(flag.to_string());
                Given::Plain
            }
            Value::List(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.insert(&index.to_string(), item);
                }
                Given::List
            }
            Value::Map(members) => {
                for (name, member) in members {
                    self.insert(&name, member);
                }
                Given::Object
            }
        };
        self.given = if twice { Given::Twice } else { given };
    }
}

fn index(name: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits { name.parse().ok() } else { None }
}

impl From<Params> for Tree {
    fn from(params: Params) -> Self {
        let mut root = Self::default();
        for (name, value) in params.0 {
            root.insert(&name, value);
        }
        root
    }
}
