//! One nested shape for every spelling, made after the signature has been checked: `Tags.0=a`, `"Tags.0":"a"` and
//! `"Tags":["a"]` are the same tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::params::{Params, Value};

/// A parameter and everything below its name.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
    stand_ins: Option<Arc<StandIns>>,
}

/// What a request that nobody sent has in place of parameters, and which of them were looked for.
#[derive(Debug)]
struct StandIns {
    other: Tree,
    absent: BTreeSet<String>,
    asked: Mutex<BTreeSet<String>>,
}

/// What was looked for does not count.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.children) == (&other.text, &other.children)
    }
}

impl Eq for Tree {}

impl Tree {
    /// The text of this very parameter; `None` when it is absent, null, or only has children.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The parameter below `name`, which may be dotted.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        if let Some(stand_ins) = &self.stand_ins {
            return stand_ins.get(&self.children, name);
        }
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

    /// A request that has every parameter but those in `absent`: with its text in `texts`, or else `other`.
    pub(crate) fn of_stand_ins(texts: Vec<(String, &str)>, other: &str, absent: BTreeSet<String>) -> Self {
        let leaf = |text: &str| Self { text: Some(text.to_owned()), ..Self::default() };
        let stand_ins = StandIns { other: leaf(other), absent, asked: Mutex::default() };
        let children = texts.into_iter().map(|(name, text)| (name, leaf(text))).collect();
        Self { text: None, children, stand_ins: Some(Arc::new(stand_ins)) }
    }

    /// The names that were looked for, of a request of stand-ins.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        let asked = self.stand_ins.iter().map(|stand_ins| lock(&stand_ins.asked).clone());
        asked.flatten().collect()
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

impl StandIns {
    fn get<'a>(&'a self, given: &'a BTreeMap<String, Tree>, name: &str) -> Option<&'a Tree> {
        lock(&self.asked).insert(name.to_owned());
        let first = name.split('.').next().unwrap_or_default();
        if self.absent.contains(first) { None } else { Some(given.get(first).unwrap_or(&self.other)) }
    }
}

/// A set is whole whoever panicked.
fn lock(asked: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
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
