//! `jingku serve`.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use jingku_service::{
    BadListenAddress, Config, Context, DataDir, Environment, KeyPair, ListenAddress, STOP_TIMEOUT,
    StartError, Workers, add_demo_instances, router,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

use crate::args::{Global, ServeArgs};
use crate::connection::data_dir;
use crate::errors::Localized;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::note;
use parent::Parent;

mod allocator;
mod demo;
mod ephemeral;
mod parent;

pub(crate) use allocator::keep_little;

/// Reads the configuration file, or returns the defaults.
pub(crate) fn read_config(path: Option<&Path>) -> Result<Config, Failure> {
    // An empty variable counts as unset.
    let path = path.filter(|path| !path.as_os_str().is_empty());
    Ok(path.map(Config::read).transpose()?.unwrap_or_default())
}

/// The environment of a server or an operator's command.
pub(crate) fn environment() -> Environment {
    let master_key = variable("JINGKU_MASTER_KEY").map(SecretString::from);
    Environment { master_key, ..Environment::default() }
}

/// The first account's key pair, if the environment sets one.
pub(crate) fn first_key() -> Result<Option<KeyPair>, Failure> {
    match (variable("JINGKU_PUBLIC_KEY"), variable("JINGKU_PRIVATE_KEY")) {
        (None, None) => Ok(None),
        (Some(public_key), Some(private_key)) => {
            Ok(Some(KeyPair { public_key, private_key: SecretString::from(private_key) }))
        }
        _ => Err(Failure::new(Exit::Usage, tr!("serve-keys-incomplete"))),
    }
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Serves until a signal arrives.
pub(crate) async fn run(global: &Global, args: ServeArgs) -> Result<(), Failure> {
    let parent = args.exit_with_parent.then(Parent::remember);
    start_log();
    raise_descriptor_limit();
    let config = read_config(args.config.as_deref())?;
    let address = address(args.listen.as_deref(), &config)?;
    if args.ephemeral {
        return ephemeral::run(global, args, config, &address, parent).await;
    }
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    // A read-only directory cannot be locked and need not be: such a server changes nothing.
    let _lock = data.is_writable().then(|| data.lock()).transpose()?;
    let context = Arc::new(Context::open(&data, &config, &environment()).await?);
    let mut made = None;
    if !context.is_read_only() {
        made = context.ensure_first_account(&data, first_key()?.as_ref()).await?;
        context.declare_instances(&config.instances).await?;
    }

    let (listener, base_url) = listen(&address).await?;
    if context.is_read_only() {
        note_read_only(&data, &base_url);
    } else {
        data.write_endpoint(&base_url)?;
    }
    context.set_base_url(&base_url);
    let announce = || announce(&base_url, &data, made.is_some());
    let demo = async {
        if args.demo {
            let instances = add_demo_instances(&context, &data).await?;
            let elsewhere = !data.credentials_path().exists();
            demo::show(global, &base_url, instances, elsewhere).await?;
        }
        Ok::<_, Failure>(())
    };
    serve_until_stopped(Arc::clone(&context), listener, parent, announce, demo).await
}

/// The listen address: the option or variable if not empty, else the configuration.
fn address(given: Option<&str>, config: &Config) -> Result<ListenAddress, Failure> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(config.listen.clone()),
        Some(text) => text.parse().map_err(|error: BadListenAddress| {
            let message = tr!("serve-bad-address", error = error.localized());
            Failure::new(Exit::Usage, message)
        }),
    }
}

/// Listens on the first available address, and returns the base URL.
async fn listen(address: &ListenAddress) -> Result<(TcpListener, String), Failure> {
    let addresses = address.resolve().await.map_err(|error| {
        let message = tr!("serve-unknown-host", address = address.to_string(), error = error.to_string());
        Failure::new(Exit::Usage, message)
    })?;
    let listener = TcpListener::bind(addresses.as_slice()).await.map_err(|error| {
        let message = tr!("serve-cannot-listen", address = address.to_string(), error = error.to_string());
        Failure::new(if error.kind() == ErrorKind::AddrInUse { Exit::TryAgain } else { Exit::Fault }, message)
    })?;
    let bound = listener.local_addr().map_err(|error| Failure::new(Exit::Fault, error.to_string()))?;
    Ok((listener, format!("http://{bound}")))
}

/// Serves and runs jobs until a signal arrives or `parent` ends. `announce` runs when the server answers, `then` after
/// it.
async fn serve_until_stopped(
    context: Arc<Context>,
    listener: TcpListener,
    parent: Option<Parent>,
    announce: impl FnOnce(),
    then: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let workers = if context.is_read_only() {
        None
    } else {
        Some(Workers::start(Arc::clone(&context)).await.map_err(StartError::from)?)
    };

    // Registered before the address is announced: its reader may send the signal at once.
    let (signal, orphaned) = (stop_signal()?, orphaned(parent));
    let stopped = async move {
        tokio::select! { () = signal => {}, () = orphaned => {} }
    };
    let stopped = stopped.boxed().shared();
    let limits = context.connection_limits();
    let server = tokio::spawn(jingku_service::serve_with(listener, router(context), limits, stopped.clone()));
    announce();
    tokio::select! {
        // When stopped during its demo, the server is not to blame for failed calls.
        biased;
        () = stopped.clone() => {}
        shown = then => {
            shown?;
            stopped.await;
        }
    }
    // Jobs are given back while requests finish: the sender of the signal may not wait long.
    let stop_workers = async {
        if let Some(workers) = workers {
            workers.stop().await;
        }
    };
    let ended = timeout(STOP_TIMEOUT, async { tokio::join!(server, stop_workers) }).await;
    let Ok((server, ())) = ended else {
        note(&tr!("serve-cut-off"));
        return Ok(());
    };
    server.map_err(|error| Failure::new(Exit::Fault, error.to_string()))
}

/// The first line of standard output is only the base URL: scripts read it. The rest is for people.
fn announce(base_url: &str, data: &DataDir, new_key: bool) {
    let mut stdout = std::io::stdout().lock();
    // A closed pipe does not matter to a server.
    let _ = writeln!(stdout, "{base_url}").and_then(|()| stdout.flush());
    let folder = data.path().display();
    note(&tr!("serve-data-dir", path = folder.to_string()));
    if new_key {
        let file = data.credentials_path();
        let file = file.display();
        note(&tr!("serve-new-key", path = file.to_string()));
    }
}

fn note_read_only(data: &DataDir, base_url: &str) {
    let folder = data.path().display();
    note(&tr!("serve-read-only", path = folder.to_string(), base_url = base_url));
}

fn start_log() {
    let filter = EnvFilter::try_from_env("JINGKU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in one process, as in tests, keeps the first log.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    let _ = log.with_ansi(std::io::stderr().is_terminal()).try_init();
}

/// Raises the limit of open files to what the system allows: each connection needs one, and the default of 1024 is
/// meant for programs that use `select`.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // On failure the limit stays: the server plans with half of what it has.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Ends with the parent, if requested.
async fn orphaned(parent: Option<Parent>) {
    match parent {
        Some(parent) => parent.gone().await,
        None => std::future::pending().await,
    }
}

/// Ends at the first SIGTERM or SIGINT. The second one ends the process at once with 128 and its number, as in shells.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Fault, error.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut next = async move || {
        tokio::select! {
            _ = terminate.recv() => SignalKind::terminate(),
            _ = interrupt.recv() => SignalKind::interrupt(),
        }
    };
    let (first, stopped) = oneshot::channel();
    tokio::spawn(async move {
        next().await;
        let _ = first.send(());
        let second = next().await;
        note(&tr!("serve-second-signal"));
        std::process::exit(128 + second.as_raw_value());
    });
    // The sender is not dropped before the signal: the task lives as long as the runtime.
    Ok(stopped.map(drop))
}
