//! `jingku completions`: each shell completes with its script.

use std::process::Command;

use crate::home::{Ended, Home};

/// Completes in bash as readline does: calls the function of the command, with the words and the position.
const BASH: &str = r#"
. ./script
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(complete -p jingku | sed 's/.*-F \([^ ]*\) .*/\1/')
"$function" jingku "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// Types a line and the tab key into an interactive zsh in which the command prints its arguments.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump"
zpty -w shell 'jingku() { print "ARGUMENTS[$*]" }; print started-$((1 + 1))'
zpty -r shell text '*started-2*'
zpty -w -n shell "$1"$'\t\n'
zpty -r shell text '*ARGUMENTS\[*\]*'
print -r -- "$text"
"#;

fn has(program: &str) -> bool {
    let present = Command::new(program).arg("--version").output().is_ok();
    assert!(present || std::env::var_os("CI").is_none(), "{program} has to be installed in CI");
    if !present {
        println!("skipped: {program} is not installed");
    }
    present
}

fn home_with_script(shell: &str, name: &str, lang: &str) -> Home {
    let home = Home::new();
    let script = home.run(&["completions", shell, "--lang", lang]).succeeded().out;
    home.file(name, script.as_bytes());
    home
}

#[test]
fn bash_completes() {
    let home = home_with_script("bash", "script", "en");
    let complete = |words: &[&str]| {
        let args = [&["--norc", "-c", BASH, "bash"], words].concat();
        let found = Ended::of(&mut home.other_command("bash", &args)).succeeded().out;
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["jingku", "image", "cr"]), ["create"]);
    assert_eq!(complete(&["jingku", "image", "create", "--inst"]), ["--instance"]);
    assert_eq!(complete(&["jingku", "env", "--sdk", "p"]), ["python", "php"]);
    assert!(complete(&["jingku", ""]).contains(&"serve".to_owned()));
}

#[test]
fn zsh_completes() {
    if !has("zsh") {
        return;
    }
    let home = home_with_script("zsh", "_jingku", "zh");
    for (typed, completed) in [
        ("jingku image cr", "image create"),
        ("jingku image create --inst", "image create --instance"),
        ("jingku env --sdk py", "env --sdk python"),
    ] {
        let mut zsh = home.other_command("zsh", &["-f", "-c", ZSH, "zsh", typed]);
        let text = Ended::of(zsh.env("TERM", "dumb")).succeeded().out;
        assert!(text.contains(&format!("ARGUMENTS[{completed}]")), "{typed}: {text}");
    }
}

#[test]
fn fish_completes_with_descriptions() {
    if !has("fish") {
        return;
    }
    let complete = |home: &Home, line: &str| {
        let command = format!("source script; complete -C '{line}'");
        let mut fish = home.other_command("fish", &["--no-config", "-c", &command]);
        Ended::of(fish.env("LC_ALL", "C.UTF-8")).succeeded().out
    };
    let english = home_with_script("fish", "script", "en");
    assert_eq!(complete(&english, "jingku image cr"), "create\tCreate an image from an instance\n");
    assert_eq!(complete(&english, "jingku image create --inst"), "--instance\tInstance ID\n");
    let chinese = home_with_script("fish", "script", "zh");
    assert_eq!(complete(&chinese, "jingku image cr"), "create\t用实例制作镜像\n");
}

#[test]
fn an_unknown_shell_is_refused() {
    Home::new().run(&["completions", "tcsh"]).failed(2, &["tcsh", "bash, zsh, fish"]);
}
