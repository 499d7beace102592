//! How a command ends when it does not end well: a sentence and an exit code. docs/operate/cli.md has the table.

use std::path::Path;
use std::process::ExitCode;

use compshare::Class;
use jingku_service::{ConfigError, DiskError, OperatorError, StartError};

use crate::lang::tr;
use crate::translate;

/// Exit codes. Scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The request was refused as it is, or an image could not be made.
    Refused = 1,
    /// The command line, the environment or a configuration file is wrong; clap uses the same.
    Usage = 2,
    /// What was named is not there, or not in the state it needs.
    NotThere = 3,
    /// The key pair is missing or wrong.
    Credentials = 4,
    /// No answer now; trying again may help.
    TryAgain = 5,
    /// The server or this machine failed.
    Fault = 6,
    /// Ctrl-C: an image that was waited for goes on being made, a file that was written is gone.
    Interrupted = 130,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    ret_code: Option<i64>,
    request_id: Option<String>,
    /// No server was reached at all.
    pub(crate) unreachable: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), ret_code: None, request_id: None, unreachable: false }
    }

    /// Adds what to do about it.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.message.push_str(tr(" ", ""));
        self.message.push_str(advice);
        self
    }

    /// What the operating system refused to do with a file.
    pub(crate) fn file(exit: Exit, path: &Path, error: &std::io::Error) -> Self {
        let message = tr(
            format!("Cannot use {}: {error}.", path.display()),
            format!("无法使用 {}：{error}。", path.display()),
        );
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
            eprintln!("{}{}", tr("error: ", "错误："), self.message);
        }
        ExitCode::from(self.exit as u8)
    }
}

/// A command line that cannot be understood, for programs; people see clap's own page.
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
        Self {
            exit,
            message: tr(error.to_string(), translate::client_error(&error)),
            ret_code: error.ret_code(),
            request_id: error.request_id().map(str::to_owned),
            unreachable: matches!(error, compshare::Error::Connect { .. }),
        }
    }
}

impl From<OperatorError> for Failure {
    fn from(error: OperatorError) -> Self {
        let exit = match error {
            OperatorError::NoAccount(_)
            | OperatorError::NoKey(_)
            | OperatorError::NoInstance(_)
            | OperatorError::NoZone { .. }
            | OperatorError::InstanceBusy(_)
            | OperatorError::NoImageToStart(..)
            | OperatorError::NothingToStart(_)
            | OperatorError::NoImage(_)
            | OperatorError::ImageNotWhole(_)
            | OperatorError::NoPlatformImage(_) => Exit::NotThere,
            OperatorError::AccountExists(_)
            | OperatorError::KeyExists(_)
            | OperatorError::BadInstanceId(_)
            | OperatorError::InstanceExists(_)
            | OperatorError::BadImageName(_)
            | OperatorError::PlatformNameTaken(_)
            | OperatorError::Disk(_) => Exit::Refused,
            OperatorError::Catalog(_) | OperatorError::MasterKey(_) | OperatorError::Start(_) => Exit::Fault,
        };
        Self::new(exit, tr(error.to_string(), translate::operator_error(&error)))
    }
}

/// A disk that an image is exported to.
impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::new(Exit::Fault, tr(error.to_string(), translate::disk_error(&error)))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let exit = match error {
            StartError::InUse(_) => Exit::TryAgain,
            StartError::MasterKey(_) => Exit::Usage,
            StartError::Io { .. }
            | StartError::WrongMasterKey(_)
            | StartError::Catalog(_)
            | StartError::Store(_) => Exit::Fault,
        };
        Self::new(exit, tr(error.to_string(), translate::start_error(&error)))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let zh = match &error {
            ConfigError::Unreadable { path, source } => {
                format!("无法读取配置文件 {}：{source}。", path.display())
            }
            ConfigError::Invalid { path, source } => format!("配置文件 {} 有误：{source}", path.display()),
        };
        Self::new(Exit::Usage, tr(error.to_string(), zh).trim_end())
    }
}
