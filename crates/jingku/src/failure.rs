//! How a command ends when it does not end well: a sentence and an exit code. docs/operate/cli.md has the table.

use std::path::Path;
use std::process::ExitCode;

use compshare::{Class, RetCode};
use jingku_library::{
    BackupError, ConfigError, DiskError, FixturesError, NotPrivate, OperatorError, StartError,
};
use jingku_testing::LabError;

use crate::image::name;
use crate::lang::tr;
use crate::{translate, wrong_scheme};

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
    /// The command whose output was to be imported failed.
    ProducerFailed = 7,
    /// What `jingku run` is to run is there but cannot be run; a shell uses the same, as below.
    NotRunnable = 126,
    /// What `jingku run` is to run is not there.
    NoCommand = 127,
    /// Ctrl-C: an image that was waited for goes on being made, a file that was written is gone.
    Interrupted = 130,
    /// SIGTERM, for what says where it can be resumed.
    Terminated = 143,
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

    /// Nobody answered.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { unreachable: true, ..Self::new(Exit::TryAgain, message) }
    }

    /// Adds what to do about it.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.message.push_str(tr(" ", ""));
        self.message.push_str(advice);
        self
    }

    /// Whether the server refused a parameter of this name.
    pub(crate) fn names(&self, param: &str) -> bool {
        self.ret_code == Some(RetCode::ParamNotAvailable.code())
            && self.message.contains(&format!("[{param}]"))
    }

    /// What the operating system refused to do with a file.
    pub(crate) fn file(exit: Exit, path: &Path, error: &std::io::Error) -> Self {
        let message = tr(
            format!("Cannot use {}: {}.", path.display(), translate::clause(error)),
            format!("无法使用 {}：{}。", path.display(), translate::clause(error)),
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
        let failure = Self {
            exit,
            message: tr(error.to_string(), translate::client_error(&error)),
            ret_code: error.ret_code(),
            request_id: error.request_id().map(str::to_owned),
            unreachable: matches!(error, compshare::Error::Connect { .. }),
        };
        if let Some(advice) = scheme_advice(&error) {
            // Somebody answers, and asking again will not help.
            return Self { exit: Exit::Usage, unreachable: false, ..failure.advise(advice) };
        }
        let key_limits = error.ret_code().and_then(limits_of_the_key).map(str::to_owned);
        match key_limits.or_else(|| name::advice(&error)) {
            Some(advice) => failure.advise(&advice),
            None => failure,
        }
    }
}

/// What to do when the address has the wrong scheme.
fn scheme_advice(error: &compshare::Error) -> Option<&'static str> {
    match error {
        compshare::Error::Connect { source, .. } | compshare::Error::Transport { source, .. } => {
            wrong_scheme::advice(source.as_ref())
        }
        compshare::Error::Http { status: 400, .. } => Some(tr(
            "If the server speaks TLS, write https:// instead of http:// in the base URL.",
            "如果服务使用 TLS，请把 API 地址中的 http:// 改为 https://。",
        )),
        _ => None,
    }
}

/// What a key pair that is right is not good for.
fn limits_of_the_key(code: i64) -> Option<&'static str> {
    match RetCode::from_code(code)? {
        RetCode::AddressDenied => Some(tr(
            "The key pair is not good from this address: use another one, or ask for this address to be allowed.",
            "此密钥对不能从当前地址使用：请换一对，或请管理员放行该地址。",
        )),
        RetCode::PermissionDenied => Some(tr(
            "The key pair is not good for this, perhaps for reading only: use another one.",
            "此密钥对无权执行该操作，可能只能读取：请换一对。",
        )),
        _ => None,
    }
}

impl From<OperatorError> for Failure {
    fn from(error: OperatorError) -> Self {
        let exit = match error {
            OperatorError::NoAccount(_)
            | OperatorError::NoKey(_)
            | OperatorError::NoGroup(_)
            | OperatorError::NotReviewing(_)
            | OperatorError::NoInstance(_)
            | OperatorError::NoZone { .. }
            | OperatorError::InstanceBusy(_)
            | OperatorError::NoImageToStart(..)
            | OperatorError::NothingToStart(_)
            | OperatorError::NoImage(_)
            | OperatorError::ImageNotWhole(_)
            | OperatorError::NoPlatformImage(_)
            | OperatorError::NotInTrash(_)
            | OperatorError::NeverMade(_) => Exit::NotThere,
            OperatorError::AccountExists(_)
            | OperatorError::KeyExists(_)
            | OperatorError::BadRange(_)
            | OperatorError::TooManyRanges { .. }
            | OperatorError::BadInstanceId(_)
            | OperatorError::BadReason(_)
            | OperatorError::InstanceExists(_)
            | OperatorError::BadImageName(_)
            | OperatorError::PlatformNameTaken(_)
            | OperatorError::TrashNameTaken { .. }
            | OperatorError::OverLimit(_)
            | OperatorError::Disk(_) => Exit::Refused,
            OperatorError::Inside(_)
            | OperatorError::Catalog(_)
            | OperatorError::MasterKey(_)
            | OperatorError::Start(_) => Exit::Fault,
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
            StartError::Restoring(_) | StartError::NoLibrary(_) => Exit::NotThere,
            StartError::NotPrivate(
                NotPrivate::NotOurs { .. } | NotPrivate::Shared { .. } | NotPrivate::Everybodys { .. },
            ) => Exit::Refused,
            StartError::MasterKey(_) => Exit::Usage,
            StartError::Io { .. }
            | StartError::NotPrivate(NotPrivate::Io { .. })
            | StartError::CatalogLost(_)
            | StartError::CatalogGone(_)
            | StartError::CatalogLinked(_)
            | StartError::LogGone(_)
            | StartError::WrongMasterKey(_)
            | StartError::Catalog(_)
            | StartError::Store(_) => Exit::Fault,
        };
        Self::new(exit, tr(error.to_string(), translate::start_error(&error)))
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
            | BackupError::Io { .. }
            | BackupError::Catalog(_)
            | BackupError::Store(_)
            | BackupError::Start(_)
            | BackupError::Task(_) => Exit::Fault,
        };
        match error {
            BackupError::Start(error) => error.into(),
            error => Self::new(exit, tr(error.to_string(), translate::backup_error(&error))),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let zh = match &error {
            ConfigError::Unreadable { path, source } => {
                format!("无法读取配置文件 {}：{}。", path.display(), translate::clause(source))
            }
            ConfigError::Invalid { path, source } => format!("配置文件 {} 有误：{source}", path.display()),
        };
        Self::new(Exit::Usage, tr(error.to_string(), zh).trim_end())
    }
}

impl From<FixturesError> for Failure {
    fn from(error: FixturesError) -> Self {
        let zh = match &error {
            FixturesError::Unreadable { path, source } => {
                format!("无法读取初始数据文件 {}：{}。", path.display(), translate::clause(source))
            }
            FixturesError::Wrong { path, place, why } => {
                format!("初始数据文件 {} 有误：{place}：{why}", path.display())
            }
            FixturesError::Operator(_) => String::new(),
        };
        match error {
            FixturesError::Operator(error) => error.into(),
            error => Self::new(Exit::Usage, tr(error.to_string(), zh).trim_end()),
        }
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        let (exit, zh) = match &error {
            LabError::Unreachable { base_url, .. } => (Exit::TryAgain, format!("{base_url} 没有服务应答。")),
            LabError::NoLab(base_url) => (
                Exit::NotThere,
                format!("{base_url} 的服务没有开启 lab。请用 `jingku serve --ephemeral --lab` 启动。"),
            ),
            LabError::Refused(why) => (Exit::Refused, why.clone()),
        };
        Self::new(exit, tr(error.to_string(), zh))
    }
}
