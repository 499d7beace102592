//! Every action has tests, an isolation case and a page in docs/wire.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jingku_protocol::actions::{Access, Action, Repeat};
use jingku_protocol::{Class, RetCode};

use crate::isolation::CASES;

macro_rules! file_names {
    ($($action:ident $file:ident $request:ident $response:ident;)*) => {
        /// `DescribeCompShareCustomImages` is `describe_comp_share_custom_images` in every layer.
        fn file_name(action: Action) -> &'static str {
            match action { $(Action::$action => stringify!($file),)* }
        }
    };
}

jingku_protocol::for_each_action!(file_names);

/// The compiler asks for the other files of an action: types, action and tests.
#[test]
fn every_action_has_a_case_of_isolation_and_a_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire/actions");
    let mut missing = String::new();
    for action in Action::ALL {
        let (name, page) = (action.name(), format!("{}.md", file_name(*action)));
        if CASES.iter().filter(|(tabled, _)| tabled == action).count() != 1 {
            writeln!(missing, "{name}: not exactly one case in tests/it/isolation.rs").unwrap();
        }
        if !pages.join(&page).is_file() {
            writeln!(missing, "{name}: no docs/wire/actions/{page}").unwrap();
        }
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
