//! The languages of the console, and its texts, from the Fluent files in `locales/`.

use std::sync::OnceLock;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::cookie;

/// The cookie that remembers the language. It says nothing else.
const COOKIE: &str = "jingku_lang";
/// A language is remembered for a year.
const COOKIE_SECS: i64 = 365 * 24 * 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Zh,
}

impl Lang {
    /// The language that was chosen, or else the one that the browser prefers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookie::read(headers, COOKIE).and_then(Self::from_tag);
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        // Browsers send their languages in order of preference.
        let first = || accepted?.split(',').find_map(|tag| Self::from_tag(tag.split(';').next()?.trim()));
        chosen.or_else(first).unwrap_or(Self::En)
    }

    fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The tag of the language, as in HTML.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The text of a message.
    pub(crate) fn t(self, id: &str) -> String {
        self.format(id, &FluentArgs::new())
    }

    /// The text of a message with a value.
    pub(crate) fn with<'a>(self, id: &str, name: &'static str, value: impl Into<FluentValue<'a>>) -> String {
        self.format(id, &FluentArgs::from_iter([(name, value.into())]))
    }

    /// The text of a message with values; its id if there is no such message.
    pub(crate) fn format(self, id: &str, args: &FluentArgs<'_>) -> String {
        let pattern = self.bundle().get_message(id).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            debug_assert!(false, "there is no message {id}");
            return id.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle().format_pattern(pattern, Some(args), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static EN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        static ZH: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        let bundle = match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        };
        bundle.get_or_init(|| {
            // The tests make sure that both files parse.
            let resource = FluentResource::try_new(self.source().to_owned());
            let resource = resource.unwrap_or_else(|(resource, _)| resource);
            let mut bundle = FluentBundle::new_concurrent(vec![self.tag().parse().expect("tags are right")]);
            // Marks around inserted text would end up in commands that people copy.
            bundle.set_use_isolating(false);
            bundle.add_resource_overriding(resource);
            bundle
        })
    }

    const fn source(self) -> &'static str {
        match self {
            Self::En => {
                concat!(include_str!("../locales/en/console.ftl"), include_str!("../locales/en/operator.ftl"))
            }
            Self::Zh => concat!(
                include_str!("../locales/zh-CN/console.ftl"),
                include_str!("../locales/zh-CN/operator.ftl")
            ),
        }
    }
}

/// Remembers the language of the path and returns to the page of `back`.
pub(crate) async fn choose(Path(lang): Path<String>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let back = query.iter().find(|(name, _)| name == "back").map_or("", |(_, value)| value);
    // Only a page of the console: a link must not lead elsewhere through this one.
    let is_page =
        back.strip_prefix("/console").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic());
    let back = if is_page && is_plain { back } else { "/console/images" };
    let tag = Lang::from_tag(&lang).unwrap_or(Lang::En).tag();
    cookie::redirect(back, &format!("{COOKIE}={tag}; Path=/console; Max-Age={COOKIE_SECS}; SameSite=Lax"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
    use fluent_syntax::parser;

    use super::*;

    /// The arguments of each message.
    fn messages(lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
        let resource = parser::parse(lang.source()).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
        let mut messages = BTreeMap::new();
        for entry in resource.body {
            match entry {
                Entry::Message(message) => {
                    let mut arguments = BTreeSet::new();
                    collect(message.value.as_ref().expect("a message has a text"), &mut arguments);
                    let before = messages.insert(message.id.name.to_owned(), arguments);
                    assert!(before.is_none(), "{} is there twice", message.id.name);
                }
                Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
                Entry::Term(_) | Entry::Junk { .. } => panic!("{entry:?}"),
            }
        }
        messages
    }

    fn collect(pattern: &Pattern<&str>, arguments: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else { continue };
            let inline = match expression {
                Expression::Inline(inline) => inline,
                Expression::Select { selector, variants } => {
                    for variant in variants {
                        collect(&variant.value, arguments);
                    }
                    selector
                }
            };
            if let InlineExpression::VariableReference { id } = inline {
                arguments.insert(id.name.to_owned());
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_messages_with_the_same_arguments() {
        assert_eq!(messages(Lang::En), messages(Lang::Zh));
    }

    #[test]
    fn every_message_is_used_by_a_template_or_the_code() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = String::new();
        for folder in ["src", "src/operator", "templates", "templates/operator"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    sources += &std::fs::read_to_string(path).unwrap();
                }
            }
        }
        let unused: Vec<_> =
            messages(Lang::En).into_keys().filter(|id| !sources.contains(&format!("\"{id}\""))).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn the_browser_decides_until_a_language_is_chosen() {
        let lang = |accepted: &'static str, cookie: &'static str| {
            let headers = [(header::ACCEPT_LANGUAGE, accepted), (header::COOKIE, cookie)];
            Lang::of(&headers.map(|(name, value)| (name, value.parse().unwrap())).into_iter().collect())
        };
        assert_eq!(lang("zh-CN,zh;q=0.9,en;q=0.8", ""), Lang::Zh);
        assert_eq!(lang("fr, en;q=0.8, zh;q=0.5", ""), Lang::En);
        assert_eq!(lang("fr", ""), Lang::En);
        assert_eq!(lang("zh-CN", "a=b; jingku_lang=en"), Lang::En);
    }
}
