//! One nested shape for every spelling, made after the signature has been checked: `Tags.0=a`, `"Tags.0":"a"` and
//! `"Tags":["a"]` are the same tree.
//!
//! Every read says which shape it expects. A parameter of another shape is refused, never ignored: a filter that is
//! dropped silently lists everything.

mod stand_ins;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::bind::ParamError;
use crate::list_text::list_of_text;
use crate::params::{Params, Value};

pub(crate) use stand_ins::StandIns;

/// A parameter and everything below its name.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
    given: Given,
    stand_ins: Option<StandIns>,
}

/// How a parameter was given, where its content does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Given {
    /// As text, by dotted names below it, or not at all.
    #[default]
    Plain,
    /// As a JSON array.
    List,
    /// As a JSON object.
    Object,
    /// In two ways: which one was meant cannot be told.
    Twice,
}

/// The shape that an action expects of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text, number or boolean.
    Scalar,
    /// A list of these.
    List,
    /// A list of objects. The names of their members follow `.N.`.
    Objects,
}

/// How a parameter was given does not count.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.children) == (&other.text, &other.children)
    }
}

impl Eq for Tree {}

impl Tree {
    /// A request that nobody sent: it has every parameter.
    pub(crate) fn of_stand_ins(stand_ins: StandIns) -> Self {
        Self { stand_ins: Some(stand_ins), ..Self::default() }
    }

    /// The text of a parameter, whose name may be dotted; `None` when it is absent or null.
    pub fn scalar(&self, name: &str) -> Result<Option<&str>, ParamError> {
        if let Some(stand_ins) = &self.stand_ins {
            return Ok(stand_ins.text(name, Kind::Scalar));
        }
        let Some(tree) = self.find(name)? else { return Ok(None) };
        if tree.given == Given::Plain && tree.children.is_empty() {
            Ok(tree.text.as_deref())
        } else {
            Err(ParamError::not_available(name))
        }
    }

    /// The elements of a list in the order of their numbers; `None` when the parameter is absent or null.
    ///
    /// Gaps are closed: the Go SDK drops empty elements but keeps the numbers of the others. One bare value is a list of
    /// one, and the text `['a', 'b']`, which the Python SDK makes of a list given where it expects text, is that list.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<Cow<'_, str>>>, ParamError> {
        let refused = || ParamError::not_available(name);
        if let Some(stand_ins) = &self.stand_ins {
            return Ok(stand_ins.text(name, Kind::List).map(|text| vec![Cow::Borrowed(text)]));
        }
        let Some(tree) = self.find(name)? else { return Ok(None) };
        if let (Given::Plain, Some(text), true) = (tree.given, &tree.text, tree.children.is_empty()) {
            return list_of_text(text).map(Some).ok_or_else(refused);
        }
        let elements = tree.elements().ok_or_else(refused)?;
        let texts = elements.into_iter().map(|element| match element {
            Self { given: Given::Plain, text: Some(text), children, .. } if children.is_empty() => {
                Ok(Cow::Borrowed(text.as_str()))
            }
            _ => Err(refused()),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// The elements of a list of objects, likewise; none when the parameter is absent, null or empty.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Cow<'_, Tree>>, ParamError> {
        let refused = || ParamError::not_available(name);
        if let Some(stand_ins) = &self.stand_ins {
            let element = stand_ins.element_of(name);
            return Ok(element
                .map(|stand_ins| Cow::Owned(Self::of_stand_ins(stand_ins)))
                .into_iter()
                .collect());
        }
        let Some(tree) = self.find(name)? else { return Ok(Vec::new()) };
        if tree.is_empty_text() {
            return Ok(Vec::new());
        }
        let elements = tree.elements().ok_or_else(refused)?;
        if elements.iter().all(|element| element.is_object()) {
            Ok(elements.into_iter().map(Cow::Borrowed).collect())
        } else {
            Err(refused())
        }
    }

    /// Whether an object was sent as one text, as older clients do.
    pub(crate) fn is_legacy_text(&self, name: &str) -> Result<bool, ParamError> {
        if self.stand_ins.is_some() {
            return Ok(false);
        }
        let tree = self.find(name)?;
        Ok(tree.is_some_and(|tree| {
            tree.given == Given::Plain && tree.text.is_some() && tree.children.is_empty()
        }))
    }

    /// The parameter below a dotted name. All before the last part must be objects.
    fn find(&self, name: &str) -> Result<Option<&Self>, ParamError> {
        let mut tree = self;
        let mut path = 0;
        for part in name.split('.') {
            if path > 0 && !tree.is_object() {
                // An empty text is an object that is absent.
                let absent = tree.is_empty_text();
                return if absent { Ok(None) } else { Err(ParamError::not_available(&name[..path - 1])) };
            }
            let Some(child) = tree.children.get(part) else { return Ok(None) };
            tree = child;
            path += part.len() + 1;
        }
        Ok(Some(tree))
    }

    fn is_empty_text(&self) -> bool {
        self.given == Given::Plain && self.text.as_deref() == Some("") && self.children.is_empty()
    }

    fn is_object(&self) -> bool {
        matches!(self.given, Given::Plain | Given::Object)
            && self.text.is_none()
            && !self.children.keys().any(|name| index(name).is_some())
    }

    /// The elements in the order of their numbers; `None` unless all names are numbers, each there once.
    fn elements(&self) -> Option<Vec<&Self>> {
        if !matches!(self.given, Given::Plain | Given::List) || self.text.is_some() {
            return None;
        }
        let numbered = self.children.iter().map(|(name, tree)| Some((index(name)?, tree)));
        let mut numbered: Vec<_> = numbered.collect::<Option<_>>()?;
        numbered.sort_unstable_by_key(|(number, _)| *number);
        if numbered.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        Some(numbered.into_iter().map(|(_, tree)| tree).collect())
    }

    fn insert(&mut self, name: &str, value: Value) {
        // Null is absent.
        if value == Value::Null {
            return;
        }
        let mut place = self;
        for (depth, part) in name.split('.').enumerate() {
            // The root, and an object whose members come here one by one, are no parameters that are given again.
            if depth > 0 && place.is_given() {
                place.given = Given::Twice;
            }
            place = place.children.entry(part.to_owned()).or_default();
        }
        place.fill(value);
    }

    /// Whether it has a value of its own. One that is only the start of dotted names has none.
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

/// The number that a name is, if it is one.
fn index(name: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits { name.parse().ok() } else { None }
}

impl From<Params> for Tree {
    fn from(params: Params) -> Self {
        let mut root = Self::default();
        for (name, value) in params {
            root.insert(&name, value);
        }
        root
    }
}

impl From<&Params> for Tree {
    fn from(params: &Params) -> Self {
        Self::from(params.clone())
    }
}
