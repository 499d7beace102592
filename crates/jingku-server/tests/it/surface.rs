//! Every action has a test file, an isolation case and a page in docs/wire.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jingku_protocol::actions::{Access, Action, Repeat};
use jingku_protocol::{Class, RetCode};

use crate::isolation::CASES;

/// `DescribeCompShareCustomImages` becomes `describe_comp_share_custom_images`.
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

/// The expected last column of the table in docs/wire/README.md.
fn access_cell(action: Action) -> &'static str {
    match action.access() {
        Access::Read => "yes",
        Access::Write => "no: 299",
    }
}

/// Whether the page and the code agree on repeating a call. A call that the cloud does not guarantee to be repeatable may
/// be repeatable here for a limited time.
fn says_repeat(cell: &str, repeat: Repeat) -> bool {
    match repeat {
        Repeat::Safe => cell == "yes",
        Repeat::Unsafe => cell == "no" || cell.starts_with("no: ") || cell.starts_with("yes, for "),
    }
}

/// The page may add a reason in the column on repeating. This test generates the last column.
#[test]
fn the_table_of_actions_says_what_the_code_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire/README.md");
    let text = fs::read_to_string(&page).unwrap();
    let mut rows = 0;
    let lines = text.lines().map(|line| {
        let name = line.strip_prefix("| [").and_then(|rest| Some(rest.split_once("](actions/")?.0));
        let Some(action) = name.and_then(Action::from_name) else { return format!("{line}\n") };
        rows += 1;
        let access = access_cell(action);
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (name, repeat) = (action.name(), cells[2]);
        assert!(
            says_repeat(repeat, action.repeat()),
            "{name}: docs/wire/README.md, column \"safe to repeat\": {repeat}"
        );
        format!("| {} | {} | {} | {access} |\n", cells[0], cells[1], cells[2])
    });
    let expected: String = lines.collect();
    assert_eq!(rows, Action::ALL.len());
    if std::env::var_os("JINGKU_WRITE_DOCS").is_some() {
        fs::write(&page, &expected).unwrap();
    } else {
        assert!(
            text == expected,
            "the last column of the table of actions in docs/wire/README.md is not what the code says; run \
             JINGKU_WRITE_DOCS=1 cargo test -p jingku-server --test it surface::"
        );
    }
}

#[test]
fn the_table_of_codes_says_what_the_code_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire/errors.md");
    let text = fs::read_to_string(page).unwrap();
    for code in RetCode::ALL {
        let class = match code.class() {
            Class::FixRequest => "fix request",
            Class::FixCredentials => "fix credentials",
            Class::LookAgain => "look again",
            Class::AskAgainLater => "ask again later",
            Class::ServiceFault => "service fault",
        };
        let start = format!("| {} |", code.code());
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with(&start)).collect();
        assert!(!rows.is_empty(), "{code:?} is not in docs/wire/errors.md");
        for row in rows {
            assert!(row.contains(&format!(" | {class} | ")), "{code:?} is {class:?}, not: {row}");
        }
    }
}

#[test]
fn file_names_follow_action_names() {
    assert_eq!(file_name(Action::CreateCscliEvent), "create_cscli_event");
    assert_eq!(file_name(Action::DescribeCompShareInstance), "describe_comp_share_instance");
}
