//! An action is complete only with its test file, its case of isolation and its page on the wire.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jingku_protocol::actions::Action;

use crate::isolation::CASES;

/// `DescribeCompShareCustomImages` is `describe_comp_share_custom_images` in every layer.
fn file_name(action: Action) -> String {
    format!("{action:?}").chars().fold(String::new(), |mut name, letter| {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
        name
    })
}

#[test]
fn every_action_is_tested_isolated_and_documented() {
    let krate = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let modules = read(&krate.join("tests/it/main.rs"));
    let mut missing = String::new();
    for action in Action::ALL {
        let (name, file) = (action.name(), file_name(*action));
        let mut require = |there: bool, what: &str| {
            if !there {
                writeln!(missing, "{name}: {what}").unwrap();
            }
        };
        let tests = read(&krate.join(format!("tests/it/{file}.rs")));
        let tested = tests.contains("#[tokio::test") && modules.contains(&format!("mod {file};"));
        require(tested, &format!("no test in tests/it/{file}.rs, or no such module in tests/it/main.rs"));
        let cases = CASES.iter().filter(|(tabled, _)| tabled == action).count();
        require(cases == 1, "not one case in the table of tests/it/isolation.rs");
        let page = read(&krate.join(format!("../../docs/wire/actions/{file}.md")));
        let titled = page.lines().next() == Some(&format!("# {name}"));
        require(titled, &format!("no docs/wire/actions/{file}.md with its name as title"));
        let listed =
            read(&krate.join("../../docs/wire/README.md")).contains(&format!("[{name}](actions/{file}.md)"));
        require(listed, "no line in the table of docs/wire/README.md");
    }
    assert!(
        missing.is_empty(),
        "an action is not finished; CONTRIBUTING.md, \"Add an action\", says how:\n{missing}"
    );
}

#[test]
fn file_names_follow_action_names() {
    assert_eq!(file_name(Action::CreateCscliEvent), "create_cscli_event");
    assert_eq!(file_name(Action::DescribeCompShareInstance), "describe_comp_share_instance");
}
