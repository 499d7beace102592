//! One nested shape for every spelling, made after the signature has been checked: `Tags.0=a`, `"Tags.0":"a"` and
//! `"Tags":["a"]` are the same tree.

use std::collections::BTreeMap;

use crate::params::{Params, Value};

/// A parameter and everything below its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    /// The text of this very parameter; `None` when it is absent, null, or only has children.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The parameter below `name`, which may be dotted.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        name.split('.').try_fold(self, |tree, part| tree.children.get(part))
    }

    /// The elements of a list in the order of their numbers. Gaps are closed: the Go SDK drops empty elements but
    /// keeps the numbers of the others. Names that are no numbers do not count.
    pub fn elements(&self) -> Vec<&Tree> {
        let numbered =
            self.children.iter().filter_map(|(name, tree)| Some((name.parse::<u64>().ok()?, tree)));
        let mut numbered: Vec<_> = numbered.collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, tree)| tree).collect()
    }

    fn insert(&mut self, name: &str, value: &Value) {
        let place =
            name.split('.').fold(self, |tree, part| tree.children.entry(part.to_owned()).or_default());
        match value {
            Value::Text(text) | Value::Number(text) => place.text = Some(text.clone()),
            Value::Bool(flag) => place.text = Some(flag.to_string()),
            Value::Null => {}
            // What a form spells `name=`: in an update both clear.
            Value::List(items) if items.is_empty() => place.text = Some(String::new()),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    place.insert(&index.to_string(), item);
                }
            }
            Value::Map(members) => {
                for (key, member) in members {
                    place.insert(key, member);
                }
            }
        }
    }
}

impl From<&Params> for Tree {
    fn from(params: &Params) -> Self {
        let mut root = Self::default();
        for (name, value) in params.iter() {
            root.insert(name, value);
        }
        root
    }
}
