//! Command lines that can be pasted into a shell.

use std::ffi::OsStr;

use crate::args::Global;
use crate::messages::tr;

/// A command line of this program, as it was started, for the same data directory.
pub(crate) fn command(global: &Global, words: &[&str]) -> String {
    let program = std::env::args_os().next();
    let mut line = vec![quote(program.as_deref().unwrap_or(OsStr::new("jingku")))];
    line.extend(words.iter().map(|word| quote(OsStr::new(word))));
    if let Some(folder) = &global.data_dir {
        line.extend(["--data-dir".to_owned(), quote(folder.as_os_str())]);
    }
    line.join(" ")
}

/// What to do when there is no server.
pub(crate) fn start_a_server(global: &Global) -> String {
    tr!("connection-start-server", command = command(global, &["serve"]))
}

pub(crate) fn quote(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        for (word, quoted) in [
            ("target/debug/jingku", "target/debug/jingku"),
            ("镜像.raw", "镜像.raw"),
            ("my disks", "'my disks'"),
            ("$HOME", "'$HOME'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quote(OsStr::new(word)), quoted);
        }
    }
}
