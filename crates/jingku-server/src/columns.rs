//! Parameters in the form in which the catalogue takes them.

/// The texts of a list.
pub(crate) fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// The form in which the catalogue keeps what it does not look into.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and texts serialise")
}
