//! The parameters of an action, derived from its request type: serde knows the fields of a struct and their types.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
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
    /// The same, of any length, because nothing uses it.
    Unread,
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
        // A visitor stops at the first error, so each read follows one path of fields: to a parameter, or to a struct,
        // whose fields continue the path in later reads.
        let mut paths = vec![Vec::new()];
        while let Some(path) = paths.pop() {
            let (rest, name) = (&path[..], String::new());
            let _ = R::deserialize(Shape { path: &path, rest, paths: &mut paths, names: &mut names, name });
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
    while let Err(ParamError::Missing(name)) = read::<R>(&Tree::from(params.clone())) {
        // Of `AddAccounts|RemoveAccounts` neither is required by itself.
        if !names.contains_key(&name) || !required.insert(name.clone()) {
            break;
        }
        params = params.text(&name, Some("1"));
    }
    required
}

/// A deserializer that writes down what it is asked for and then stops.
struct Shape<'a> {
    /// The fields that lead from the request to where this read stops.
    path: &'a [&'static str],
    /// Those of them that are below `name`.
    rest: &'a [&'static str],
    paths: &'a mut Vec<Vec<&'static str>>,
    names: &'a mut BTreeMap<String, Kind>,
    name: String,
}

fn stop() -> ParamError {
    ParamError::custom("this request was not sent")
}

impl<'de> Deserializer<'de> for Shape<'_> {
    type Error = ParamError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParamError> {
        if !self.name.is_empty() && !self.name.ends_with(ELEMENT) {
            self.names.entry(self.name).or_insert(Kind::Scalar);
        }
        Err(stop())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ParamError> {
        self.names.entry(self.name).or_insert(Kind::Unread);
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

    /// A list has one element, whose members are called `SoftwarePorts.N.Port`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamError> {
        self.names.entry(self.name.clone()).or_insert(Kind::List);
        let element = Self { name: format!("{}{ELEMENT}", self.name), ..self };
        visitor.visit_seq(SeqDeserializer::new(iter::once(element)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamError> {
        if let Some(list) = self.name.strip_suffix(ELEMENT) {
            self.names.insert(list.to_owned(), Kind::Objects);
        }
        let Some((field, rest)) = self.rest.split_first() else {
            self.paths.extend(fields.iter().map(|field| [self.path, &[*field]].concat()));
            return Err(stop());
        };
        let name = match self.name.as_str() {
            outer if GROUPS.contains(field) => outer.to_owned(),
            "" => (*field).to_owned(),
            outer => format!("{outer}.{field}"),
        };
        visitor.visit_map(MapDeserializer::new(iter::once((*field, Self { rest, name, ..self }))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map enum identifier
    }
}

impl IntoDeserializer<'_, ParamError> for Shape<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
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
            ("Estimate", Kind::Scalar),
            ("ExcludeSecrets", Kind::Scalar),
            ("FirewallPorts", Kind::List),
            ("Name", Kind::Scalar),
            ("Pause", Kind::Scalar),
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
        assert_eq!(create.names.len(), 19, "{create:?}");
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
