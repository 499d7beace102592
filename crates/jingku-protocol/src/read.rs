//! A serde deserializer over a [`Tree`], as lenient as the clients in use need.
//!
//! It visits the fields of a request in the order of their declaration, so the first that cannot be read is the one
//! that is refused; one that is missing is refused after those. A field may have a dotted name: `SortCondition.Field` is
//! a member of an object. A field of [`GROUPS`] is a struct whose fields are parameters of the same level;
//! `serde(flatten)` would lose their names and their order.

use std::borrow::Cow;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use crate::list_text::list_of_text;
use crate::param_error::ParamError;
use crate::tree::Tree;

/// The fields that hold parameters of the same level. No parameter has these names.
pub(crate) const GROUPS: [&str; 3] = ["Paging", "Place", "Query"];
/// The most bytes in the text of a number. Ours.
pub const MAX_NUMBER_BYTES: usize = 64;

/// Reads typed parameters.
pub(crate) fn read<T: DeserializeOwned>(tree: &Tree) -> Result<T, ParamError> {
    T::deserialize(Level(tree))
}

/// The parameters of one level: the request, or an object.
struct Level<'a>(&'a Tree);

impl<'de> Deserializer<'de> for Level<'_> {
    type Error = ParamError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParamError> {
        Err(ParamError::custom("a request is a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_map(Fields { tree: self.0, names: fields.iter(), found: None })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// The fields of a struct that were sent, in the order of their declaration.
struct Fields<'a> {
    tree: &'a Tree,
    names: std::slice::Iter<'static, &'static str>,
    found: Option<Found<'a>>,
}

/// What a field is read from.
enum Found<'a> {
    Group,
    Parameter(&'static str, &'a Tree),
}

impl<'a> Fields<'a> {
    fn find(&self, name: &'static str) -> Result<Option<Found<'a>>, ParamError> {
        if GROUPS.contains(&name) {
            return Ok(Some(Found::Group));
        }
        Ok(self.tree.find(name)?.map(|tree| Found::Parameter(name, tree)))
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = ParamError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParamError> {
        while let Some(name) = self.names.next() {
            self.found = self.find(name)?;
            if self.found.is_some() {
                let name: StrDeserializer<'_, ParamError> = (*name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ParamError> {
        match self.found.take() {
            Some(Found::Parameter(name, tree)) => {
                seed.deserialize(Parameter::new(tree, Absent::Empty)).map_err(|error| error.within(name))
            }
            Some(Found::Group) | None => seed.deserialize(Level(self.tree)),
        }
    }
}

/// One parameter, or one element of a list.
struct Parameter<'a> {
    sent: Sent<'a>,
    absent: Absent,
}

enum Sent<'a> {
    Text(Cow<'a, str>),
    /// A list, an object, or a parameter that was sent in two ways.
    Other(&'a Tree),
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

impl<'a> Parameter<'a> {
    fn new(tree: &'a Tree, absent: Absent) -> Self {
        let sent = tree.text().map_or(Sent::Other(tree), |text| Sent::Text(Cow::Borrowed(text)));
        Self { sent, absent }
    }

    fn text(&self) -> Result<&str, ParamError> {
        match &self.sent {
            Sent::Text(text) if text.is_empty() && self.absent != Absent::Never => {
                Err(ParamError::missing_field(""))
            }
            Sent::Text(text) => Ok(text),
            Sent::Other(_) => Err(refused()),
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
        let text = self.text()?;
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        match () {
            () if is("true") || is("1") => visitor.visit_bool(true),
            () if is("false") || is("0") => visitor.visit_bool(false),
            () => Err(refused()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        let is_absent = match (&self.sent, self.absent) {
            (Sent::Other(_), _) | (Sent::Text(_), Absent::Never) => false,
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
        let elements: Vec<_> = match self.sent {
            Sent::Text(text) => list_of_text(&text)
                .ok_or_else(refused)?
                .into_iter()
                .map(|text| Parameter {
                    sent: Sent::Text(Cow::Owned(text.into_owned())),
                    absent: Absent::Never,
                })
                .collect(),
            Sent::Other(tree) => {
                let elements = tree.elements().ok_or_else(refused)?;
                elements.into_iter().map(|element| Parameter::new(element, Absent::Never)).collect()
            }
        };
        // An element that cannot be used is refused by the name of the list.
        visitor.visit_seq(Elements(elements.into_iter())).map_err(|_| refused())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        match self.sent {
            Sent::Other(tree) if tree.is_object() => Level(tree).deserialize_struct(name, fields, visitor),
            Sent::Text(_) | Sent::Other(_) => Err(refused()),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        let word: StrDeserializer<'_, ParamError> = self.text()?.into_deserializer();
        visitor.visit_enum(word)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

struct Elements<'a>(std::vec::IntoIter<Parameter<'a>>);

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = ParamError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ParamError> {
        self.0.next().map(|element| seed.deserialize(element)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
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
