//! The files of both languages and the calls in the code say the same: no message is missing, unused, or formatted with
//! other arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{FILES, File};

/// Names of arguments by message, or by `message.attribute`.
type Messages = BTreeMap<String, BTreeSet<String>>;

/// The messages of a file and their attributes, as `message` and `message.attribute`.
pub(crate) fn ids_of_file(name: &str) -> BTreeSet<String> {
    let file = FILES.iter().find(|file| file.name == name).expect("the file is known");
    parse(file.chinese).into_keys().collect()
}

fn parse(source: &str) -> Messages {
    let resource = parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}\n{source}"));
    let mut messages = Messages::new();
    let mut add = |id: String, pattern: Option<&Pattern<&str>>| {
        let mut variables = BTreeSet::new();
        if let Some(pattern) = pattern {
            collect(pattern, &mut variables);
        }
        assert!(messages.insert(id.clone(), variables).is_none(), "{id} is there twice");
    };
    for entry in &resource.body {
        match entry {
            Entry::Message(message) => {
                add(message.id.name.to_owned(), message.value.as_ref());
                for attribute in &message.attributes {
                    add(format!("{}.{}", message.id.name, attribute.id.name), Some(&attribute.value));
                }
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            Entry::Term(_) | Entry::Junk { .. } => panic!("{entry:?}"),
        }
    }
    messages
}

fn collect(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                for variant in variants {
                    collect(&variant.value, variables);
                }
                selector
            }
        };
        match inline {
            InlineExpression::VariableReference { id } => drop(variables.insert(id.name.to_owned())),
            InlineExpression::StringLiteral { .. } => {}
            // Nothing else is needed; it would have to be followed here.
            other => panic!("{other:?}"),
        }
    }
}

/// The messages that the code asks for. Every call counts, also one within another macro.
fn calls() -> Messages {
    let mut calls = Messages::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (below, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
        folders.extend(below);
        for file in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
            let tokens: TokenStream = std::fs::read_to_string(file).unwrap().parse().unwrap();
            note_calls(tokens, &mut calls);
        }
    }
    calls
}

fn note_calls(tokens: TokenStream, calls: &mut Messages) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for triple in tokens.windows(3) {
        if let [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(group)] = triple
            && name == "tr"
            && mark.as_char() == '!'
            && group.delimiter() == Delimiter::Parenthesis
        {
            let (id, arguments) = call(group.stream());
            let before = calls.entry(id.clone()).or_insert_with(|| arguments.clone());
            assert_eq!(*before, arguments, "calls of {id} differ");
        }
    }
    for token in tokens {
        if let TokenTree::Group(group) = token {
            note_calls(group.stream(), calls);
        }
    }
}

/// The id and the names of the arguments of a call: a literal, then `, name` or `, name = value` for each.
fn call(tokens: TokenStream) -> (String, BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
    let mut arguments = tokens.split(is_comma).filter_map(|argument| Some(argument.first()?.to_string()));
    let id = arguments.next().expect("a call has an id").trim_matches('"').to_owned();
    (id, arguments.collect())
}

fn for_each_file(mut check: impl FnMut(&File, &Messages)) {
    for file in &FILES {
        check(file, &parse(file.chinese));
    }
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_arguments() {
    for_each_file(|file, chinese| {
        if let Some(english) = file.english {
            assert_eq!(parse(english), *chinese, "{}.ftl", file.name);
        }
    });
}

#[test]
fn a_message_is_named_after_its_file() {
    for_each_file(|file, messages| {
        let start = format!("{}-", file.name);
        assert!(messages.keys().all(|id| id.starts_with(&start)), "{}.ftl", file.name);
    });
}

/// The texts of help are compared with the command line in `args/help.rs`.
#[test]
fn the_code_asks_for_every_message_and_for_no_other() {
    let mut messages = Messages::new();
    for_each_file(|file, of_file| {
        if file.name != "help" {
            messages.extend(of_file.clone());
        }
    });
    let calls = calls();
    let missing: Vec<_> = calls.keys().filter(|id| !messages.contains_key(*id)).collect();
    assert!(missing.is_empty(), "there are no such messages: {missing:?}");
    let unused: Vec<_> = messages.keys().filter(|id| !calls.contains_key(*id)).collect();
    assert!(unused.is_empty(), "no code asks for these messages: {unused:?}");
    for (id, arguments) in &messages {
        assert_eq!(*arguments, calls[id], "the arguments of {id}, in its file and in the code");
    }
}

#[test]
fn every_file_of_the_folders_is_known() {
    for (folder, here) in [("en", |file: &File| file.english.is_some()), ("zh-CN", |_: &File| true)]
        as [(&str, fn(&File) -> bool); 2]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(folder);
        let found: BTreeSet<String> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let known = FILES.iter().filter(|file| here(file)).map(|file| format!("{}.ftl", file.name)).collect();
        assert_eq!(found, known, "{folder}");
    }
}
