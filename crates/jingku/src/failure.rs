//! Failures of commands: a message and an exit code. docs/operate/cli.md lists the codes.

mod name;

use std::path::Path;
use std::process::ExitCode;

use compshare::{Class, RetCode};
use jingku_library::{BackupError, ConfigError, DiskError, FixturesError, LibraryError, StartError};
use jingku_testing::LabError;

use crate::errors::{Localized, clause};
use crate::messages::tr;
use crate::wrong_scheme;

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

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    ret_code: Option<i64>,
    request_id: Option<String>,
    /// No server was reached.
    pub(crate) unreachable: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), ret_code: None, request_id: None, unreachable: false }
    }

    /// No server answered.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { unreachable: true, ..Self::new(Exit::TryAgain, message) }
    }

    /// Adds advice.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.message = tr!("output-advice", message = self.message, advice = advice);
        self
    }

    /// Whether the server refused a parameter of this name.
    pub(crate) fn names(&self, param: &str) -> bool {
        self.ret_code == Some(RetCode::ParamNotAvailable.code())
            && self.message.contains(&format!("[{param}]"))
    }

    /// The operating system refused an operation on a file.
    pub(crate) fn file(exit: Exit, path: &Path, error: &std::io::Error) -> Self {
        let message = tr!("output-file", path = path.display().to_string(), error = clause(error));
        Self::new(exit, message)
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

impl From<compshare::Error> for Failure {
    fn from(error: compshare::Error) -> Self {
        let exit = match (&error, error.class()) {
            (compshare::Error::Config(_), _) => Exit::Usage,
            (compshare::Error::ImageFailed { .. }, _) | (_, Class::FixRequest) => Exit::Refused,
            (_, Class::FixCredentials) => Exit::Credentials,
            (_, Class::LookAgain) => Exit::NotThere,
            (_, Class::AskAgainLater) => Exit::TryAgain,
            (_, Class::ServiceFault) => Exit::Fault,
        };
        let failure = Self {
            exit,
            message: error.localized(),
            ret_code: error.ret_code(),
            request_id: error.request_id().map(str::to_owned),
            unreachable: matches!(error, compshare::Error::Connect { .. }),
        };
        if let Some(advice) = scheme_advice(&error) {
            // A server answers, and retrying will not help.
            return Self { exit: Exit::Usage, unreachable: false, ..failure.advise(&advice) };
        }
        let key_limits = error.ret_code().and_then(limits_of_the_key);
        match key_limits.or_else(|| name::advice(&error)) {
            Some(advice) => failure.advise(&advice),
            None => failure,
        }
    }
}

/// What to do when the address has the wrong scheme.
fn scheme_advice(error: &compshare::Error) -> Option<String> {
    match error {
        compshare::Error::Connect { source, .. } | compshare::Error::Transport { source, .. } => {
            wrong_scheme::advice(source.as_ref())
        }
        compshare::Error::Http { status: 400, .. } => Some(tr!("connection-maybe-tls")),
        _ => None,
    }
}

/// What to do when a valid key pair does not permit the call.
fn limits_of_the_key(code: i64) -> Option<String> {
    match RetCode::from_code(code)? {
        RetCode::AddressDenied => Some(tr!("connection-key-address")),
        RetCode::PermissionDenied => Some(tr!("connection-key-permission")),
        _ => None,
    }
}

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        let exit = match error {
            LibraryError::NoAccount(_)
            | LibraryError::NoKey(_)
            | LibraryError::NoInstance(_)
            | LibraryError::InstanceBusy(_)
            | LibraryError::NoZone { .. }
            | LibraryError::NoImageToStart(..)
            | LibraryError::NothingToStart(_)
            | LibraryError::NoImage(_)
            | LibraryError::ImageNotWhole(_)
            | LibraryError::NoPlatformImage(_)
            | LibraryError::NotReviewing(_)
            | LibraryError::NoGroup(_)
            | LibraryError::NotInTrash(_)
            | LibraryError::NeverMade(_) => Exit::NotThere,
            LibraryError::EmptyAccountName
            | LibraryError::AccountExists(_)
            | LibraryError::AccountFull(_)
            | LibraryError::KeyExists(_)
            | LibraryError::BadRange(_)
            | LibraryError::TooManyRanges { .. }
            | LibraryError::BadInstanceId(_)
            | LibraryError::InstanceExists(_)
            | LibraryError::BadImageName(_)
            | LibraryError::PlatformNameTaken(_)
            | LibraryError::BadReason(_)
            | LibraryError::TrashNameTaken { .. }
            | LibraryError::Disk(_) => Exit::Refused,
            LibraryError::Catalog(_)
            | LibraryError::MasterKey(_)
            | LibraryError::Inside(_)
            | LibraryError::Start(_) => Exit::Fault,
        };
        Self::new(exit, error.localized())
    }
}

/// A disk that an image is exported to.
impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::new(Exit::Fault, error.localized())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let exit = match error {
            StartError::InUse(_) => Exit::TryAgain,
            StartError::Restoring(_) | StartError::NoLibrary(_) => Exit::NotThere,
            StartError::NotOurs(..) | StartError::Shared(..) | StartError::Everybodys(..) => Exit::Refused,
            StartError::MasterKey(_) => Exit::Usage,
            StartError::Io(..)
            | StartError::CatalogLost(_)
            | StartError::CatalogGone(_)
            | StartError::CatalogLinked(_)
            | StartError::LogGone(_)
            | StartError::WrongMasterKey(_)
            | StartError::Catalog(_)
            | StartError::Store(_) => Exit::Fault,
        };
        Self::new(exit, error.localized())
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let exit = match &error {
            BackupError::NotABackup(_)
            | BackupError::Inside(_)
            | BackupError::AnotherLibrary { .. }
            | BackupError::FewImages { .. }
            | BackupError::NotEmpty(_)
            | BackupError::NoMasterKey
            | BackupError::WrongMasterKey(_) => Exit::Refused,
            BackupError::NoBackup(_) | BackupError::NoGeneration { .. } => Exit::NotThere,
            BackupError::InUse(_) => Exit::TryAgain,
            BackupError::Newer(_)
            | BackupError::DamagedFile(_)
            | BackupError::Damaged(_)
            | BackupError::Catalog(_)
            | BackupError::Store(_)
            | BackupError::Start(_)
            | BackupError::Task(_) => Exit::Fault,
        };
        match error {
            BackupError::Start(error) => error.into(),
            error => Self::new(exit, error.localized()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, error.localized().trim_end())
    }
}

impl From<FixturesError> for Failure {
    fn from(error: FixturesError) -> Self {
        match error {
            FixturesError::Library(error) => error.into(),
            error => Self::new(Exit::Usage, error.localized().trim_end()),
        }
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        let exit = match &error {
            LabError::Unreachable { .. } => Exit::TryAgain,
            LabError::NoLab(_) => Exit::NotThere,
            LabError::Refused(_) => Exit::Refused,
        };
        Self::new(exit, error.localized())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let error = std::io::Error::other("it says why.");
        let failure = Failure::file(Exit::Fault, Path::new("/file"), &error);
        assert!(failure.message.ends_with("why."), "{failure:?}");
    }
}
