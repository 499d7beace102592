//! `jingku serve`.

use std::io::{ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use jingku_service::{
    Config, Context, DataDir, Environment, KeyPair, StartError, Workers, add_demo_instances, router,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::{Global, ServeArgs};
use crate::connection::data_dir;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::note;

mod demo;
mod ephemeral;

/// The configuration file, or what holds without one.
pub(crate) fn read_config(path: Option<&Path>) -> Result<Config, Failure> {
    Ok(path.map(Config::read).transpose()?.unwrap_or_default())
}

/// The environment of a server or an operator's command.
pub(crate) fn environment() -> Environment {
    let master_key = variable("JINGKU_MASTER_KEY").map(SecretString::from);
    Environment { master_key, ..Environment::default() }
}

/// The first account's key pair, when the environment has one.
pub(crate) fn first_key() -> Result<Option<KeyPair>, Failure> {
    match (variable("JINGKU_PUBLIC_KEY"), variable("JINGKU_PRIVATE_KEY")) {
        (None, None) => Ok(None),
        (Some(public_key), Some(private_key)) => {
            Ok(Some(KeyPair { public_key, private_key: SecretString::from(private_key) }))
        }
        _ => Err(Failure::new(
            Exit::Usage,
            tr(
                "Set both JINGKU_PUBLIC_KEY and JINGKU_PRIVATE_KEY, or neither.",
                "JINGKU_PUBLIC_KEY 与 JINGKU_PRIVATE_KEY 必须同时设置或都不设置。",
            ),
        )),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Serves until told to stop.
pub(crate) async fn run(global: &Global, args: ServeArgs) -> Result<(), Failure> {
    start_log();
    raise_descriptor_limit();
    let config = read_config(args.config.as_deref())?;
    if args.ephemeral {
        return ephemeral::run(global, args, config).await;
    }
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    let _lock = data.lock()?;
    let context = Arc::new(Context::open(&data, &config, &environment()).await?);
    let made = context.ensure_first_account(&data, first_key()?.as_ref()).await?;
    context.declare_instances(&config.instances).await?;

    let (listener, base_url) = listen(args.listen.unwrap_or(config.listen)).await?;
    data.write_endpoint(&base_url)?;
    context.set_base_url(&base_url);
    let announce = || announce(&base_url, &data, made.is_some());
    let demo = async {
        if args.demo {
            let instances = add_demo_instances(&context, &data).await?;
            demo::show(global, &base_url, instances).await?;
        }
        Ok::<_, Failure>(())
    };
    serve_until_stopped(Arc::clone(&context), listener, announce, demo).await
}

/// Listens, and tells the base URL.
async fn listen(address: SocketAddr) -> Result<(TcpListener, String), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let message = tr(
            format!("Cannot listen on {address}: {error}. Choose another address with --listen."),
            format!("无法监听 {address}：{error}。请用 --listen 换一个地址。"),
        );
        Failure::new(if error.kind() == ErrorKind::AddrInUse { Exit::TryAgain } else { Exit::Fault }, message)
    })?;
    let bound = listener.local_addr().map_err(|error| Failure::new(Exit::Fault, error.to_string()))?;
    Ok((listener, format!("http://{bound}")))
}

/// Serves and works until a signal comes. `announce` runs when the server can be asked, `then` after it.
async fn serve_until_stopped(
    context: Arc<Context>,
    listener: TcpListener,
    announce: impl FnOnce(),
    then: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let workers = Workers::start(Arc::clone(&context)).await.map_err(StartError::from)?;

    // Taken before the address is told: whoever reads it may send the signal at once.
    let stopped = stop_signal()?.shared();
    let limits = context.connection_limits();
    let server = tokio::spawn(jingku_service::serve_with(listener, router(context), limits, stopped.clone()));
    announce();
    tokio::select! {
        // Told to stop in the middle of its demo, the server is not to blame that nobody answers it any more.
        biased;
        () = stopped.clone() => {}
        shown = then => {
            shown?;
            stopped.await;
        }
    }
    // A job is given back while requests finish: that may take longer than whoever sent the signal waits.
    let (server, ()) = tokio::join!(server, workers.stop());
    server.map_err(|error| Failure::new(Exit::Fault, error.to_string()))
}

/// The base URL alone on the first line of standard output: scripts read it. The rest is for people.
fn announce(base_url: &str, data: &DataDir, new_key: bool) {
    let mut stdout = std::io::stdout().lock();
    // A reader that went away does not matter to a server.
    let _ = writeln!(stdout, "{base_url}").and_then(|()| stdout.flush());
    let folder = data.path().display();
    note(&tr(format!("Data folder: {folder}"), format!("数据目录：{folder}")));
    if new_key {
        let file = data.credentials_path();
        let file = file.display();
        note(&tr(format!("Account 1 has a new key pair: {file}"), format!("已为账号 1 生成密钥对：{file}")));
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env("JINGKU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in one process, as in a test, keeps the first log.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    let _ = log.with_ansi(std::io::stderr().is_terminal()).try_init();
}

/// Lets the process have as many files open as the system allows: each connection needs one, and the usual limit of 1024
/// is meant for programs that use `select`.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // What it cannot have it does without: the server counts on half of what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Ends at SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Fault, error.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}
