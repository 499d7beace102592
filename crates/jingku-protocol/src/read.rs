//! A serde deserializer over a [`Tree`], as lenient as the clients in use need.
//!
//! It visits the fields of a request in the order of their declaration, so the first that cannot be read is the one
//! that is refused; one that is missing is refused after those. A field may have a dotted name: `SortCondition.Field` is
//! a member of an object. A field of [`GROUPS`] is a struct whose fields are parameters of the same level;
//! `serde(flatten)` would lose their names and their order.

use std::borrow::Cow;
use std::slice;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::list_text::list_of_text;
use crate::param_error::ParamError;
use crate::tree::Tree;

/// The fields that hold parameters of the same level. No parameter has these names.
pub(crate) const GROUPS: [&str; 3] = ["Paging", "Place", "Query"];
/// The most bytes in the text of a number. Ours.
pub const MAX_NUMBER_BYTES: usize = 64;

pub(crate) fn read<T: DeserializeOwned>(tree: &Tree) -> Result<T, ParamError> {
    T::deserialize(Parameter { sent: Sent::Level(tree), absent: Absent::Empty })
}

/// The fields of a struct that were sent, in the order of their declaration.
struct Fields<'a> {
    tree: &'a Tree,
    names: slice::Iter<'static, &'static str>,
    found: Option<(&'static str, Sent<'a>)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = ParamError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParamError> {
        for &name in self.names.by_ref() {
            let is_group = GROUPS.contains(&name);
            let sent =
                if is_group { Some(Sent::Level(self.tree)) } else { self.tree.find(name)?.map(Sent::from) };
            if let Some(sent) = sent {
                self.found = Some((name, sent));
                return seed.deserialize(StrDeserializer::new(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ParamError> {
        let (name, sent) = self.found.take().ok_or_else(refused)?;
        let read = seed.deserialize(Parameter { sent, absent: Absent::Empty });
        read.map_err(|error| if GROUPS.contains(&name) { error } else { error.within(name) })
    }
}

/// One parameter, one element of a list, or all parameters of one level.
struct Parameter<'a> {
    sent: Sent<'a>,
    absent: Absent,
}

enum Sent<'a> {
    Text(Cow<'a, str>),
    /// The parameters of the request, or of one object in it.
    Level(&'a Tree),
    /// A list, an object, or a parameter that was sent in two ways.
    Other(&'a Tree),
}

impl<'a> From<&'a Tree> for Sent<'a> {
    fn from(tree: &'a Tree) -> Self {
        tree.text().map_or(Self::Other(tree), |text| Self::Text(text.into()))
    }
}

/// Which texts count as absent.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    /// None. A newtype called `Clearable` asks for this.
    Never,
    /// An empty one: the Python SDK sends `Zone=` for an unset zone.
    Empty,
    /// Any. A newtype called `ObjectOrText` asks for this.
    AnyText,
}

impl Parameter<'_> {
    fn text(&self) -> Result<&str, ParamError> {
        match &self.sent {
            Sent::Text(text) if text.is_empty() && self.absent != Absent::Never => {
                Err(ParamError::missing_field(""))
            }
            Sent::Text(text) => Ok(text),
            Sent::Level(_) | Sent::Other(_) => Err(refused()),
        }
    }

    /// A number as text or as JSON number: typed SDKs send either, whatever the documents say.
    fn number<N: std::str::FromStr>(&self) -> Result<N, ParamError> {
        let text = self.text()?;
        let number = (text.len() <= MAX_NUMBER_BYTES).then(|| text.trim().parse().ok());
        number.flatten().ok_or_else(refused)
    }
}

fn refused() -> ParamError {
    ParamError::custom("cannot be used")
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
            visitor.$visit(self.number()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameter<'_> {
    type Error = ParamError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_str(self.text()?)
    }

    numbers! {
        deserialize_i8 visit_i8;
        deserialize_i16 visit_i16;
        deserialize_i32 visit_i32;
        deserialize_i64 visit_i64;
        deserialize_u8 visit_u8;
        deserialize_u16 visit_u16;
        deserialize_u32 visit_u32;
        deserialize_u64 visit_u64;
        deserialize_f32 visit_f32;
        deserialize_f64 visit_f64;
    }

    /// `true` or `false` in any case, because the Python SDK prints `True`, and `1` or `0`.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            _ => Err(refused()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let is_absent = match (&self.sent, self.absent) {
            (Sent::Level(_) | Sent::Other(_), _) | (Sent::Text(_), Absent::Never) => false,
            (Sent::Text(text), Absent::Empty) => text.is_empty(),
            (Sent::Text(_), Absent::AnyText) => true,
        };
        if is_absent { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        let absent = match name {
            "Clearable" => Absent::Never,
            "ObjectOrText" => Absent::AnyText,
            _ => self.absent,
        };
        visitor.visit_newtype_struct(Self { absent, ..self })
    }

    /// A list in any of its spellings: `Tags.0=a`, a JSON array, one bare value, or a list that was printed into a text.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let elements: Vec<_> = match &self.sent {
            Sent::Text(text) => {
                let texts = list_of_text(text).ok_or_else(refused)?;
                texts.into_iter().map(|text| Sent::Text(text.into())).collect()
            }
            Sent::Level(tree) | Sent::Other(tree) => {
                tree.elements().ok_or_else(refused)?.into_iter().map(Sent::from).collect()
            }
        };
        let elements = elements.into_iter().map(|sent| Parameter { sent, absent: Absent::Never });
        // An element that cannot be used is refused by the name of the list.
        visitor.visit_seq(SeqDeserializer::new(elements)).map_err(|_| refused())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_unit()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        let tree = match self.sent {
            Sent::Level(tree) => tree,
            Sent::Other(tree) if tree.is_object() => tree,
            Sent::Text(_) | Sent::Other(_) => return Err(refused()),
        };
        visitor.visit_map(Fields { tree, names: fields.iter(), found: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_enum(StrDeserializer::new(self.text()?))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, ParamError> for Parameter<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::bounded::{Word, clearable};
    use crate::decode;
    use crate::list::List;

    fn tree(form: &str) -> Tree {
        Tree::from(decode(None, None, form.as_bytes()).unwrap())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tags {
        #[serde(default, deserialize_with = "clearable")]
        tags: Option<List<Word, 3>>,
    }

    #[test]
    fn lists_close_gaps_and_sort_by_number() {
        let tags = |form| read::<Tags>(&tree(form)).map(|read| read.tags);
        let expected = Ok(Some(["a", "b", "c"].into()));
        assert_eq!(tags("Tags.10=c&Tags.2=b&Tags.0=a"), expected);
        assert_eq!(tags("Tags.1=a&Tags.2=b&Tags.3=c"), expected);
        assert_eq!(tags(r#"{"Tags":["a","b","c"]}"#), expected);
        assert_eq!(tags("Tags=['a', 'b', 'c']"), expected);
        assert_eq!(tags(r#"Tags=["a","b","c"]"#), expected);
        assert_eq!(tags("Tags=a"), Ok(Some(["a"].into())));
        assert_eq!(tags("Tags="), Ok(Some(List::default())));
        assert_eq!(tags(r#"{"Tags":[]}"#), Ok(Some(List::default())));
        assert_eq!(tags(r#"{"Tags":null}"#), Ok(None));
        assert_eq!(tags("x=1"), Ok(None));
        assert_eq!(tags(r#"{"Tags":null,"Tags.0":"y"}"#), Ok(Some(["y"].into())));
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Scalars {
        n: Option<i64>,
        b: Option<bool>,
        #[serde(rename = "Sort.Field")]
        field: Option<Word>,
    }

    #[test]
    fn scalars_are_lenient() {
        let number = |body| read::<Scalars>(&tree(body)).map(|read| read.n);
        for body in [r#"{"n":20}"#, r#"{"n":"20"}"#, r#"{"n":20.0}"#, "n=+20", "n= 20"] {
            assert_eq!(number(body), Ok(Some(20)), "{body}");
        }
        assert_eq!(number("n=20.5"), Err(ParamError::not_available("n")));
        assert_eq!((number("n="), number("x=1")), (Ok(None), Ok(None)));
        let flag = |body| read::<Scalars>(&tree(body)).map(|read| read.b);
        assert_eq!((flag("b=True"), flag(r#"{"b":1}"#)), (Ok(Some(true)), Ok(Some(true))));
        assert_eq!((flag(r#"{"b":false}"#), flag("b=0")), (Ok(Some(false)), Ok(Some(false))));
        assert_eq!(flag("b=20.5"), Err(ParamError::not_available("b")));
    }

    #[test]
    fn parameters_sent_in_two_ways_are_refused() {
        for body in [
            "n=1&n.y=2",
            "n.y=2&n=1",
            r#"{"n":"1","n.0":"2"}"#,
            r#"{"n":["1"],"n.0":"2"}"#,
            r#"{"n.1":"2","n":["1"]}"#,
            r#"{"n":{"a":"1"},"n.b":"2"}"#,
            "n.0=1&n.00=2",
            "n.+1=1",
            "n.-1=1",
            "n.=1",
            "n.99999999999999999999999=1",
        ] {
            assert_eq!(read::<Scalars>(&tree(body)), Err(ParamError::not_available("n")), "{body}");
            let list = body.replace('n', "Tags");
            assert_eq!(read::<Tags>(&tree(&list)), Err(ParamError::not_available("Tags")), "{list}");
        }
    }

    #[test]
    fn members_of_a_non_object_are_refused_by_its_name() {
        let field = |body| read::<Scalars>(&tree(body)).map(|read| read.field);
        for body in ["Sort=x", "Sort.0=x", r#"{"Sort":["x"]}"#, r#"{"Sort":true}"#, r#"{"Sort":[]}"#] {
            assert_eq!(field(body), Err(ParamError::not_available("Sort")), "{body}");
        }
        for body in ["Sort=", r#"{"Sort":null}"#, r#"{"Sort":{}}"#, "Sort.Other=1", "x=1"] {
            assert_eq!(field(body), Ok(None), "{body}");
        }
        for body in [r#"{"Sort":{"Field":["x"]}}"#, "Sort.Field.y=x"] {
            assert_eq!(field(body), Err(ParamError::not_available("Sort.Field")), "{body}");
        }
    }
}
