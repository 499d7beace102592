//! A serde serializer from a request to the parameters that a client sends, spelled as every SDK does: `Tags.0=a`.
//!
//! What has a default is not sent when it has it: an absent parameter, `false`, an empty list. Inside an `Option` it was
//! chosen and is sent; an empty list is then spelled `Tags=`, which clears.

use std::fmt::Display;

use serde::ser::{self, Impossible, Serialize, SerializeSeq, SerializeStruct};

use crate::params::{Params, Value};
use crate::read::GROUPS;

/// Spells a request as unsigned parameters.
pub(crate) fn write<T: Serialize>(action: &str, request: &T) -> Params {
    let mut params = Params::for_action(action);
    let writer = Writer { params: &mut params, name: String::new(), is_chosen: false };
    request.serialize(writer).expect("a request has only types that parameters can have");
    params
}

/// Writes the value of one dotted name.
struct Writer<'a> {
    params: &'a mut Params,
    /// Empty for the request itself.
    name: String,
    /// Whether an `Option` holds it.
    is_chosen: bool,
}

/// A request has a field of a type that no parameter can have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unsupported(String);

impl ser::Error for Unsupported {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Writer<'_> {
    fn text(self, text: String) {
        self.params.set(&self.name, Value::Text(text));
    }

    fn member(&mut self, name: &str) -> Writer<'_> {
        let name = match name {
            _ if GROUPS.contains(&name) => self.name.clone(),
            _ if self.name.is_empty() => name.to_owned(),
            _ => format!("{}.{name}", self.name),
        };
        Writer { params: self.params, name, is_chosen: false }
    }
}

macro_rules! displayed {
    ($($serialize:ident($type:ty);)*) => {$(
        fn $serialize(self, value: $type) -> Result<(), Unsupported> {
            self.text(value.to_string());
            Ok(())
        }
    )*};
}

macro_rules! unsupported {
    ($($serialize:ident($($argument:ty),*) -> $value:ty;)*) => {$(
        fn $serialize(self, $(_: $argument),*) -> Result<$value, Unsupported> {
            Err(ser::Error::custom(stringify!($serialize)))
        }
    )*};
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Impossible<(), Unsupported>;
    type SerializeTupleStruct = Impossible<(), Unsupported>;
    type SerializeTupleVariant = Impossible<(), Unsupported>;
    type SerializeMap = Impossible<(), Unsupported>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unsupported>;

    displayed! {
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
    }

    unsupported! {
        serialize_bytes(&[u8]) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_bool(self, flag: bool) -> Result<(), Unsupported> {
        if flag || self.is_chosen {
            self.text(flag.to_string());
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unsupported> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsupported> {
        value.serialize(Self { is_chosen: true, ..self })
    }

    fn serialize_unit(self) -> Result<(), Unsupported> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsupported> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result<(), Unsupported> {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unsupported> {
        Err(ser::Error::custom("serialize_newtype_variant"))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'a>, Unsupported> {
        if length == Some(0) && self.is_chosen {
            self.params.set(&self.name, Value::Text(String::new()));
        }
        Ok(Items { list: self, next: 0 })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unsupported> {
        Ok(self)
    }
}

impl SerializeStruct for Writer<'_> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        value.serialize(self.member(name))
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

struct Items<'a> {
    list: Writer<'a>,
    next: usize,
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        let index = self.next.to_string();
        self.next += 1;
        value.serialize(self.list.member(&index))
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}
