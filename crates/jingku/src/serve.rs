//! `jingku serve`.

mod allocator;
mod demo;
mod engine;
mod ephemeral;
mod listen;
mod parent;
mod service_manager;
mod session;
mod traces;

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use jingku_library::{Config, DataDir, Library, add_demo_instances};
use jingku_server::{Context, Edge, REQUEST_SPAN};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Global, LogFormat, ServeArgs, SettingArgs};
use crate::connection::data_dir;
use crate::failure::Failure;
use crate::library::{environment, first_key, read_config};
use crate::messages::tr;
use crate::output::note;
pub(crate) use allocator::keep_little;
use listen::place;
use parent::Parent;
use session::serve_until_stopped;
use traces::Traces;

pub(crate) async fn run(global: &Global, args: ServeArgs) -> Result<(), Failure> {
    let parent = args.exit_with_parent.then(Parent::remember);
    let config = configure(&args.settings)?;
    let traces = Traces::start(&config.telemetry)?;
    start_log(args.log_format, traces.as_ref());
    let outcome = serve(global, args, config, parent).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    outcome
}

/// The configuration, with what options and variables set instead.
pub(crate) fn configure(settings: &SettingArgs) -> Result<Config, Failure> {
    let mut config = read_config(settings.config.as_deref())?;
    engine::choose(settings.engine.clone(), &mut config)?;
    listen::choose(settings, &mut config)?;
    Ok(config)
}

/// Makes the checks of a start that need neither the data directory nor a free port.
pub(crate) async fn check(config: &Config) -> Result<(), Failure> {
    place(config, false).await?;
    Edge::open(config)?;
    if let Some(traces) = Traces::start(&config.telemetry)? {
        traces.stop().await;
    }
    ephemeral::check(config).await
}

async fn serve(
    global: &Global,
    args: ServeArgs,
    config: Config,
    parent: Option<Parent>,
) -> Result<(), Failure> {
    // Each connection needs a descriptor, and the default limit of 1024 is meant for programs that use `select`. On
    // failure the limit stays: the server plans with half of what it has.
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let place = place(&config, args.lab).await?;
    let edge = Edge::open(&config)?;
    if args.ephemeral {
        return ephemeral::run(global, args, config, &place, edge, parent).await;
    }
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    // A read-only directory cannot be locked and need not be: such a server changes nothing.
    let _lock = data.is_writable().then(|| data.lock()).transpose()?;
    let mut library = Library::open(&data, &config, &environment()).await?;
    if !library.is_read_only() {
        library.join_cluster().await?;
    }
    let context = Arc::new(Context::new(library));
    let mut made = None;
    if !context.library.is_read_only() {
        made = context.library.ensure_first_account(&data, first_key()?.as_ref()).await?;
        context.library.declare_instances(&config.instances).await?;
    }

    let (listener, base_url) = place.listen().await?;
    if context.library.is_read_only() {
        note(&tr!("serve-read-only", path = data.path(), base_url));
    } else {
        // A certificate names a host, so commands on this machine use the URL of that host too.
        let public_url = config.public_url.as_ref().filter(|_| config.tls.is_some());
        data.write_endpoint(&public_url.map_or_else(|| base_url.clone(), ToString::to_string))?;
    }
    context.set_base_url(&base_url);
    context.library.announce_address(&base_url);
    let announce = || announce(&base_url, &data, made.is_some());
    let demo = async {
        if args.demo {
            let instances = add_demo_instances(&context.library, &data).await?;
            let elsewhere = !data.credentials_path().exists();
            demo::show(global, &base_url, instances, elsewhere).await?;
        }
        Ok::<_, Failure>(())
    };
    Box::pin(serve_until_stopped(Arc::clone(&context), listener, edge, parent, announce, demo)).await
}

/// The first line of standard output is only the base URL: scripts read it. The rest is for people.
fn announce(base_url: &str, data: &DataDir, new_key: bool) {
    let mut stdout = std::io::stdout().lock();
    // A closed pipe does not matter to a server.
    let _ = writeln!(stdout, "{base_url}").and_then(|()| stdout.flush());
    note(&tr!("serve-data-dir", path = data.path()));
    if new_key {
        note(&tr!("serve-new-key", path = data.credentials_path()));
    }
}

fn start_log(format: LogFormat, traces: Option<&Traces>) {
    let wanted = std::env::var("JINGKU_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let mut filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => {
            filter = filter.with_target(REQUEST_SPAN, LevelFilter::DEBUG);
            log.json().boxed()
        }
    };
    // A second start in one process, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces.map(Traces::layer))
        .try_init();
}
