use std::fmt::Display;

use serde::de;

/// A parameter that the backend refuses; the server answers 210 or 230.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// A required parameter is absent or empty.
    #[error("Missing params [{0}]")]
    Missing(String),
    /// A parameter is given and cannot be used.
    #[error("Params [{0}] not available")]
    NotAvailable(String),
}

impl ParamError {
    /// The parameter's name; dotted for a member of an object.
    pub fn name(&self) -> &str {
        match self {
            Self::Missing(name) | Self::NotAvailable(name) => name,
        }
    }

    pub(crate) fn not_available(name: &str) -> Self {
        Self::NotAvailable(name.to_owned())
    }

    /// Adds the name of the parameter that was read, or of the object that its name is relative to.
    pub(crate) fn within(self, name: &str) -> Self {
        let full = |inner: String| if inner.is_empty() { name.to_owned() } else { format!("{name}.{inner}") };
        match self {
            Self::Missing(inner) => Self::Missing(full(inner)),
            Self::NotAvailable(inner) => Self::NotAvailable(full(inner)),
        }
    }
}

/// Types raise errors without a name: the deserializer knows the name and adds it.
impl de::Error for ParamError {
    fn custom<T: Display>(_: T) -> Self {
        Self::NotAvailable(String::new())
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing(name.to_owned())
    }

    /// Raised for a parameter that contradicts another one.
    fn duplicate_field(name: &'static str) -> Self {
        Self::NotAvailable(name.to_owned())
    }
}
