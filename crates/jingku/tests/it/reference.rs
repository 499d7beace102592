//! docs/operate/cli.md documents every command, option, variable and exit code of the binary.

use std::path::Path;

use crate::home::Home;

const COMMANDS: [&str; 26] = [
    "serve",
    "config",
    "image",
    "run",
    "env",
    "console",
    "webhook",
    "instance",
    "account",
    "key",
    "review",
    "trash",
    "audit",
    "cluster",
    "usage",
    "check",
    "health",
    "sweep",
    "backup",
    "restore",
    "migrate-database",
    "migrate-storage",
    "lab",
    "completions",
    "man",
    "",
];

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/cli.md");
    std::fs::read_to_string(path).unwrap()
}

/// The words of a text that start with a prefix.
fn words<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    let end = |c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c);
    page.split(end).filter(|word| word.starts_with(start) && word.len() > start.len()).collect()
}

#[test]
fn every_command_and_option_is_documented() {
    let (home, reference) = (Home::new(), reference());
    let mut pages = 0;
    for command in COMMANDS {
        let page = home.run(&[command, "--help"][usize::from(command.is_empty())..]).succeeded().out;
        let below: Vec<&str> = match page.split_once("Commands:\n") {
            Some((_, rest)) => {
                rest.lines().map_while(|line| line.strip_prefix("  ")?.split(' ').next()).collect()
            }
            None => vec![""],
        };
        if command.is_empty() {
            assert_eq!(below, COMMANDS[..25], "the list of commands is out of date");
            continue;
        }
        for name in below {
            let called = [command, name].join(" ");
            let args: Vec<&str> = called.split_whitespace().chain(["--help"]).collect();
            let page = home.run(&args).succeeded().out;
            assert!(reference.contains(&format!("`jingku {}", called.trim_end())), "{called} is missing");
            for option in words(&page, "--").into_iter().chain(words(&page, "JINGKU_")) {
                assert!(reference.contains(option), "{option} of {called} is missing");
            }
            pages += 1;
        }
    }
    assert_eq!(pages, 66);
}

#[test]
fn every_variable_and_exit_code_is_documented() {
    let reference = reference();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut folders, mut variables) = (
        vec![crates.join("jingku/src"), crates.join("jingku-library/src"), crates.join("jingku-server/src")],
        0,
    );
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for variable in words(&std::fs::read_to_string(path).unwrap(), "JINGKU_") {
                variables += 1;
                // Only tests set these.
                let documented = ["JINGKU_FAILPOINT", "JINGKU_PANIC", "JINGKU_STALL"].contains(&variable)
                    || reference.contains(&format!("`{variable}`"));
                assert!(documented, "{variable} is missing");
            }
        }
    }
    assert!(variables >= 12, "found only {variables}");
    let failure = std::fs::read_to_string(crates.join("jingku/src/failure.rs")).unwrap();
    let list = failure.split_once("enum Exit {").unwrap().1.split_once("\n}").unwrap().0;
    let codes = list.lines().filter_map(|line| line.split_once(" = ")?.1.strip_suffix(','));
    for code in codes {
        assert!(reference.contains(&format!("| {code} |")), "exit code {code} is missing");
    }
}
