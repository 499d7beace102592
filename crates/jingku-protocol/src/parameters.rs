//! The parameters of an action, derived from its request type: serde knows the fields of a struct and their types.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use crate::param_error::ParamError;
use crate::params::Params;
use crate::read::{GROUPS, read};
use crate::tree::Tree;

/// How the name of an element of a list ends.
const ELEMENT: &str = ".N";

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

/// The parameters of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Those it reads, with the shape it expects. Members of objects have dotted names, and `.N.` stands for a number.
    pub names: BTreeMap<String, Kind>,
    /// Those of them that it, or the documents, call required.
    pub required: BTreeSet<String>,
}

impl Parameters {
    /// Those that a struct has as its fields.
    pub(crate) fn of<R: DeserializeOwned>() -> Self {
        let mut names = BTreeMap::new();
        let mut path = Vec::new();
        // A visitor stops at the first error, so each read goes to one leaf. `path` counts through the leaves like an
        // odometer: one field for each level of structs.
        loop {
            let mut visit = Visit { path: &mut path, widths: Vec::new(), names: &mut names };
            let _ = R::deserialize(Shape { visit: &mut visit, level: 0, name: String::new() });
            let widths = visit.widths;
            while let Some(index) = path.pop() {
                if index + 1 < widths[path.len()] {
                    path.push(index + 1);
                    break;
                }
            }
            if path.is_empty() {
                break;
            }
        }
        let required = required::<R>(&names);
        Self { names, required }
    }

    /// Whether the action reads a dotted name, in a right shape or a wrong one: `Tags.0` is one of `Tags`.
    pub fn knows(&self, sent: &str) -> bool {
        let mut parts = sent.splitn(3, '.');
        if let (Some(list), Some(_), Some(member)) = (parts.next(), parts.next(), parts.next())
            && self.names.get(list) == Some(&Kind::Objects)
        {
            let (members, member) = (format!("{list}.N."), format!("{list}.N.{member}"));
            return self.names.keys().any(|name| name.starts_with(&members) && is_or_is_below(&member, name));
        }
        self.names.keys().any(|name| is_or_is_below(sent, name) || is_or_is_below(name, sent))
    }
}

/// Whether `name` is `parent`, or a member of it.
fn is_or_is_below(name: &str, parent: &str) -> bool {
    name.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Reads an empty request and adds what is missing until nothing is. `1` is a good value of every type.
fn required<R: DeserializeOwned>(names: &BTreeMap<String, Kind>) -> BTreeSet<String> {
    let (mut params, mut required) = (Params::default(), BTreeSet::new());
    while let Err(ParamError::Missing(name)) = read::<R>(&Tree::from(&params)) {
        // Of `AddAccounts|RemoveAccounts` neither is required by itself.
        if !names.contains_key(&name) || !required.insert(name.clone()) {
            break;
        }
        params = params.text(&name, Some("1"));
    }
    required
}

/// One read that goes to one leaf.
struct Visit<'a> {
    /// The field to take at each level of structs.
    path: &'a mut Vec<usize>,
    /// How many fields there are at each level.
    widths: Vec<usize>,
    names: &'a mut BTreeMap<String, Kind>,
}

/// A deserializer that writes down what it is asked for and then stops.
struct Shape<'a, 'b> {
    visit: &'a mut Visit<'b>,
    level: usize,
    name: String,
}

fn stop() -> ParamError {
    ParamError::custom("this request was not sent")
}

impl<'de> Deserializer<'de> for Shape<'_, '_> {
    type Error = ParamError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParamError> {
        if !self.name.is_empty() && !self.name.ends_with(ELEMENT) {
            self.visit.names.entry(self.name).or_insert(Kind::Scalar);
        }
        Err(stop())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.visit.names.entry(self.name.clone()).or_insert(Kind::List);
        visitor.visit_seq(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        if let Some(list) = self.name.strip_suffix(ELEMENT) {
            self.visit.names.insert(list.to_owned(), Kind::Objects);
        }
        self.visit.widths.push(fields.len());
        if self.visit.path.len() == self.level {
            self.visit.path.push(0);
        }
        let field = fields.get(self.visit.path[self.level]).copied();
        visitor.visit_map(Field { shape: Some(self), field })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map enum identifier ignored_any
    }
}

/// A list has one element, whose members are called `SoftwarePorts.N.Port`.
impl<'de> SeqAccess<'de> for Shape<'_, '_> {
    type Error = ParamError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ParamError> {
        let name = format!("{}{ELEMENT}", self.name);
        seed.deserialize(Shape { visit: self.visit, level: self.level, name }).map(Some)
    }
}

/// One field of a struct.
struct Field<'a, 'b> {
    shape: Option<Shape<'a, 'b>>,
    field: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Field<'_, '_> {
    type Error = ParamError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParamError> {
        let name: StrDeserializer<'_, ParamError> = self.field.ok_or_else(stop)?.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ParamError> {
        let (Some(shape), Some(field)) = (self.shape.take(), self.field) else { return Err(stop()) };
        let name = match shape.name.as_str() {
            outer if GROUPS.contains(&field) => outer.to_owned(),
            "" => field.to_owned(),
            outer => format!("{outer}.{field}"),
        };
        seed.deserialize(Shape { level: shape.level + 1, name, ..shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Action;

    #[test]
    fn the_parameters_of_an_action_are_listed() {
        let create = Action::CreateCompShareCustomImage.parameters();
        for (name, kind) in [
            ("Description", Kind::Scalar),
            ("FirewallPorts", Kind::List),
            ("Name", Kind::Scalar),
            ("Region", Kind::Scalar),
            ("SoftwarePorts", Kind::Objects),
            ("SoftwarePorts.N.Port", Kind::Scalar),
            ("SoftwarePorts.N.Software", Kind::Scalar),
            ("Softwares.Application", Kind::List),
            ("Softwares.Applications", Kind::List),
            ("Softwares.CUDAVersion", Kind::Scalar),
            ("Softwares.Framework", Kind::Scalar),
            ("Softwares.FrameworkVersion", Kind::Scalar),
            ("Softwares.OsVersion", Kind::Scalar),
            ("Softwares.PythonVersion", Kind::Scalar),
            ("UHostId", Kind::Scalar),
            ("Zone", Kind::Scalar),
        ] {
            assert_eq!(create.names.get(name), Some(&kind), "{name}");
        }
        assert_eq!(create.names.len(), 16, "{create:?}");
        assert!(create.required.iter().eq(["Name", "Region", "UHostId", "Zone"]), "{create:?}");
        let list = Action::DescribeCompShareCustomImages.parameters();
        for name in ["Limit", "Offset", "NextToken", "CompShareImageId", "SortCondition.Field"] {
            assert!(list.names.contains_key(name) && !list.required.contains(name), "{list:?}");
        }
    }

    #[test]
    fn names_are_known_in_every_spelling() {
        let create = Action::CreateCompShareCustomImage.parameters();
        for known in [
            "Name",
            "Name.x",
            "FirewallPorts",
            "FirewallPorts.0",
            "Softwares",
            "Softwares.Framework",
            "Softwares.Application.3",
            "SoftwarePorts",
            "SoftwarePorts.0",
            "SoftwarePorts.12.Port",
        ] {
            assert!(create.knows(known), "{known}");
        }
        for unknown in ["name", "Nam", "Names", "Softwares.Foo", "SoftwarePorts.0.Foo", "Software", ""] {
            assert!(!create.knows(unknown), "{unknown}");
        }
    }
}
