//! Parameters in the form in which the catalogue takes them.

use jingku_protocol::actions::Word;

/// The texts of a list.
pub(crate) fn texts(list: &[Word]) -> Vec<&str> {
    list.iter().map(|word| &**word).collect()
}

/// The form in which the catalogue keeps what it does not look into.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and texts serialise")
}
