//! What people read, from the Fluent files in `locales/`: [`tr!`](crate::messages::tr) formats a message in the language
//! asked for.
//!
//! A message's id begins with the name of its file. A file is parsed when the first of its messages is needed, and in one
//! language only: a command does not pay for what it does not print. The tests compare the files with each other and with
//! the calls in the code.

#[cfg(test)]
pub(crate) mod tests;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::lang::Lang;

/// A file of messages: its text in each language, and one of them parsed.
struct File {
    name: &'static str,
    /// Absent where the English is an error's own `Display`.
    english: Option<&'static str>,
    chinese: &'static str,
    parsed: OnceLock<FluentBundle<FluentResource>>,
}

macro_rules! file {
    ($name:literal, $english:expr) => {
        File {
            name: $name,
            english: $english,
            chinese: include_str!(concat!("../locales/zh-CN/", $name, ".ftl")),
            parsed: OnceLock::new(),
        }
    };
    ($name:literal) => {
        file!($name, Some(include_str!(concat!("../locales/en/", $name, ".ftl"))))
    };
}

static FILES: [File; 28] = [
    file!("argument"),
    file!("audit"),
    file!("backup"),
    file!("check"),
    file!("cluster"),
    file!("config"),
    file!("connection"),
    file!("console"),
    file!("env"),
    file!("health"),
    file!("help"),
    file!("image"),
    file!("import"),
    file!("lab"),
    file!("limit"),
    file!("man"),
    file!("migrate"),
    file!("name"),
    file!("operate"),
    file!("output"),
    file!("overview"),
    file!("run"),
    file!("serve"),
    file!("table"),
    file!("trash"),
    file!("usage"),
    file!("webhook"),
    file!("errors", None),
];

/// Formats a message of `locales/` in the language asked for: `tr!("trash-restored", name)`, or for a value of another
/// name `tr!("trash-restored", name = image.name)`.
macro_rules! tr {
    ($id:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        $crate::messages::text($id, &[$($crate::messages::argument!($name $(, $value)?)),*])
    };
}
pub(crate) use tr;

macro_rules! argument {
    ($name:ident) => {
        $crate::messages::argument!($name, $name)
    };
    ($name:ident, $value:expr) => {
        (stringify!($name), $crate::messages::Argument::argument(&$value))
    };
}
pub(crate) use argument;

/// A value that a message can show.
pub(crate) trait Argument {
    fn argument(&self) -> FluentValue<'_>;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn argument(&self) -> FluentValue<'_> {
        (*self).argument()
    }
}

impl Argument for Path {
    fn argument(&self) -> FluentValue<'_> {
        self.to_string_lossy().into()
    }
}

impl Argument for PathBuf {
    fn argument(&self) -> FluentValue<'_> {
        self.as_path().argument()
    }
}

macro_rules! arguments {
    ($($type:ty),*) => {
        $(impl Argument for $type {
            fn argument(&self) -> FluentValue<'_> {
                self.into()
            }
        })*
    };
}
arguments!(str, String, i64, u16, u32, u64, usize, f64);

/// The text of a message; its id, should there be none.
pub(crate) fn text(id: &str, args: &[(&'static str, FluentValue<'_>)]) -> String {
    find(id, None, args).unwrap_or_else(|| {
        debug_assert!(false, "there is no message {id}");
        id.to_owned()
    })
}

/// The text of a message or of an attribute of it, if there is one.
pub(crate) fn find(
    id: &str,
    attribute: Option<&str>,
    args: &[(&'static str, FluentValue<'_>)],
) -> Option<String> {
    let name = id.split_once('-')?.0;
    let bundle = FILES.iter().find(|file| file.name == name)?.bundle();
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let args: FluentArgs<'_> = args.iter().cloned().collect();
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{id}: {errors:?}");
    Some(text)
}

impl File {
    fn bundle(&self) -> &FluentBundle<FluentResource> {
        self.parsed.get_or_init(|| {
            // The language selects plural forms.
            let (lang, source) = match Lang::current() {
                Lang::En => ("en", self.english.unwrap_or(self.chinese)),
                Lang::Zh => ("zh-CN", self.chinese),
            };
            // The tests make sure that every file parses.
            let resource =
                FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
            let mut bundle = FluentBundle::new_concurrent(vec![lang.parse().expect("tags are right")]);
            // Marks around inserted text would end up in commands that people copy.
            bundle.set_use_isolating(false);
            bundle.add_resource_overriding(resource);
            bundle
        })
    }
}
