//! Failures of commands: a message and an exit code. docs/operate/cli.md lists the codes.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use compshare::RetCode;

use crate::messages::tr;

/// Exit codes. Scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The request was refused, or an image could not be created.
    Refused = 1,
    /// The command line, the environment or a configuration file is invalid; clap uses the same code.
    Usage = 2,
    /// Something that was named does not exist or is in the wrong state.
    NotThere = 3,
    /// The key pair is missing or wrong.
    Credentials = 4,
    /// No answer, or something is in the way; retrying may help.
    TryAgain = 5,
    /// The server or this machine failed.
    Fault = 6,
    /// The command whose output is imported failed.
    ProducerFailed = 7,
    /// The command of `jingku run` cannot be run; shells use the same code, and the next one.
    NotRunnable = 126,
    /// The command of `jingku run` does not exist.
    NoCommand = 127,
    /// Ctrl-C: the server continues to create the image; unfinished files are removed.
    Interrupted = 130,
    /// SIGTERM, where the command can be resumed.
    Terminated = 143,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) ret_code: Option<i64>,
    pub(crate) request_id: Option<String>,
    /// No server was reached.
    pub(crate) unreachable: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), ret_code: None, request_id: None, unreachable: false }
    }

    /// The operating system or a library failed.
    pub(crate) fn fault(error: impl Display) -> Self {
        Self::new(Exit::Fault, error.to_string())
    }

    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.message = tr!("output-advice", message = self.message, advice);
        self
    }

    /// Whether the server refused a parameter of this name.
    pub(crate) fn names(&self, param: &str) -> bool {
        self.ret_code == Some(RetCode::ParamNotAvailable.code())
            && self.message.contains(&format!("[{param}]"))
    }

    /// Makes failures of the operating system's errors on a file.
    pub(crate) fn file(exit: Exit, path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::new(exit, tr!("output-file", path, error = clause(&error)))
    }

    /// Prints to standard error, as JSON when the command's output is.
    #[expect(clippy::print_stderr, reason = "this is where messages go")]
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            let error = serde_json::json!({
                "error": { "exit": self.exit as u8, "message": self.message,
                           "ret_code": self.ret_code, "request_id": self.request_id }
            });
            eprintln!("{error}");
        } else {
            eprintln!("{}", tr!("output-error", message = self.message.as_str()));
        }
        ExitCode::from(self.exit as u8)
    }
}

/// For programs; people see clap's own page.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        Self::new(Exit::Usage, first.strip_prefix("error: ").unwrap_or(first))
    }
}

/// A sentence without its full stop, to be put into another one.
pub(crate) fn clause(error: &(impl Display + ?Sized)) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let error = std::io::Error::other("it says why.");
        let failure = Failure::file(Exit::Fault, Path::new("/file"))(error);
        assert!(failure.message.ends_with("why."), "{failure:?}");
    }
}
