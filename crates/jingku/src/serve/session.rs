//! A running server, from its announcement until a signal.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::OptionFuture;
use jingku_library::{ProxyProtocol, StartError, Workers};
use jingku_server::{Context, Edge, SAMPLE_INTERVAL, STOP_TIMEOUT, router, serve_with};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::parent::Parent;
use super::service_manager::{feed_watchdog, ready, stopping};
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::note;
use crate::stop::Stop;

/// Serves and runs jobs until a signal arrives or `parent` ends. `announce` runs when the server answers, `then` after
/// it.
pub(super) async fn serve_until_stopped(
    context: Arc<Context>,
    listener: TcpListener,
    mut edge: Edge,
    parent: Option<Parent>,
    announce: impl FnOnce(),
    then: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let workers = if context.library.is_read_only() {
        None
    } else {
        let mut workers = Workers::start(Arc::clone(&context.library)).await.map_err(StartError::from)?;
        let sampled = Arc::clone(&context);
        workers.repeat("sampling figures", SAMPLE_INTERVAL, move || {
            let context = Arc::clone(&sampled);
            async move { context.sample().await }
        });
        Some(workers)
    };

    // Registered before the address is announced: its reader may send the signal at once.
    let signal = stop_signal()?;
    let orphaned = OptionFuture::from(parent.map(Parent::gone));
    let library = Arc::clone(&context.library);
    let watched = Arc::clone(&library);
    let ended = async move {
        tokio::select! {
            () = signal => None,
            Some(()) = orphaned => None,
            () = watched.host_lost() => Some(tr!("serve-host-lost", name = watched.host_name())),
            place = watched.catalog_moved() => Some(tr!("serve-catalog-moved", place)),
        }
    };
    // Why the server cannot continue, unless somebody stopped it.
    let ended = ended.boxed().shared();
    let stopped = ended.clone().map(drop).boxed().shared();
    let address = listener.local_addr().map_err(Failure::fault)?;
    let is_plain_http = edge.tls.is_none() && edge.proxies.protocol != ProxyProtocol::Proxy;
    edge.metrics = context.connection_metrics();
    let routes = router(Arc::clone(&context)).merge(jingku_console::router(context));
    let server = tokio::spawn(serve_with(listener, routes, edge, stopped.clone().boxed()));
    announce();
    ready();
    let watchdog = tokio::spawn(feed_watchdog(address, is_plain_http));
    tokio::select! {
        // When stopped during its demo, the server is not to blame for failed calls.
        biased;
        () = stopped.clone() => {}
        shown = then => {
            shown?;
            stopped.await;
        }
    }
    watchdog.abort();
    stopping();
    // Jobs are given back while requests finish: the sender of the signal may not wait long.
    let stop_workers = OptionFuture::from(workers.map(Workers::stop));
    let finished = timeout(STOP_TIMEOUT, async { tokio::join!(server, stop_workers) }).await;
    if let Some(why) = ended.await {
        return Err(Failure::new(Exit::TryAgain, why));
    }
    let Ok((server, _)) = finished else {
        note(&tr!("serve-cut-off"));
        return Ok(());
    };
    server.map_err(Failure::fault)
}

/// Ends at the first SIGTERM or SIGINT. The second one ends the process at once with 128 and its number, as in shells.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut stop = Stop::listen()?;
    let (first, stopped) = oneshot::channel();
    tokio::spawn(async move {
        stop.asked().await;
        let _ = first.send(());
        let second = stop.asked().await;
        note(&tr!("serve-second-signal"));
        std::process::exit(second as i32);
    });
    // The sender is not dropped before the signal: the task lives as long as the runtime.
    Ok(stopped.map(drop))
}
