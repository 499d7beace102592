//! `jingku run`: runs a command and redirects its cloud API calls to the server that client commands use.
//!
//! Environment variables point the command at a proxy and at a certificate to trust. The proxy accepts calls to two
//! hosts, terminates their TLS with a certificate of a local authority, and forwards the requests to the server. It
//! refuses everything else.

mod authority;
mod certificates;
mod child;
mod environment;
mod proxy;
mod trust_store;
mod upstream;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use jingku_library::{Clock, DataDir, SystemClock};
use rustix::fs::Mode;

use crate::args::{Global, RunArgs};
use crate::connection::{Connection, data_dir};
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use authority::Authority;
use certificates::Certificates;
use child::Child;
use upstream::Upstream;

pub(crate) async fn run(global: &Global, args: RunArgs) -> Result<ExitCode, Failure> {
    let connection = Connection::open(global, &args.connection)?;
    let upstream = Upstream::new(&connection.base_url)?;
    upstream.probe().await.map_err(|failure| connection.explain(failure))?;
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    // The command keeps the caller's umask.
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let authority = Authority::open_or_create(data.path(), SystemClock.now());
    rustix::process::umask(umask);
    let (authority, trust) = authority?;
    let proxy = proxy::start(upstream, Certificates::new(authority), trust.certificate.clone()).await?;

    let [program, arguments @ ..] = args.command.as_slice() else {
        unreachable!("clap insists on a command")
    };
    let keys = (connection.public_key.as_str(), connection.private_key.as_str());
    let mut command = Command::new(program);
    command.args(arguments);
    command.envs(environment::variables(proxy, &trust, keys, |name| std::env::var_os(name)));
    for name in environment::REMOVED {
        command.env_remove(name);
    }
    let child = Child::spawn(&mut command).map_err(|error| cannot_start(program, &error))?;
    Ok(ExitCode::from(child.wait().await))
}

pub(crate) fn cannot_start(program: &OsStr, error: &std::io::Error) -> Failure {
    let program = format!("{:?}", program.to_string_lossy());
    if error.kind() == ErrorKind::NotFound {
        return Failure::new(Exit::NoCommand, tr!("run-no-command", program));
    }
    Failure::new(Exit::NotRunnable, tr!("run-cannot-run", program, error = error.to_string()))
}
