//! The child process: started, sent our signals, waited for.

use std::fs::File;
use std::io;
use std::process::Command;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, poll_fn, select_all};
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgrp, kill_process, set_child_subreaper, wait,
};
use rustix::termios::tcgetpgrp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// How long what the command has left behind may still use the proxy: its telemetry takes about a second.
const GRACE: Duration = Duration::from_secs(5);
/// Signals that are forwarded to the command. It gets a terminal's SIGINT and SIGQUIT by itself.
const PASSED_ON: [Signal; 6] =
    [Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP, Signal::USR1, Signal::USR2];

pub(super) struct Child {
    pid: Pid,
    signals: SelectAll<BoxStream<'static, Signal>>,
    deaths: tokio::signal::unix::Signal,
}

impl Child {
    /// Starts a command with our standard streams. Signals no longer end this process.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let deaths = signal(SignalKind::child())?;
        let signals = listen()?;
        // Orphaned descendants become our children, so that we know when they end.
        set_child_subreaper(Some(rustix::process::getpid()))?;
        let child = command.spawn()?;
        Ok(Self { pid: Pid::from_child(&child), signals, deaths })
    }

    /// Waits for the command, then at most [`GRACE`] for its descendants. Returns the exit code as shells do: 128 and
    /// the number of the signal, if one ended it.
    pub(super) async fn wait(mut self) -> u8 {
        let mut code = None;
        let mut end = Instant::now();
        loop {
            let (ended, others) = self.reap();
            if let Some(ended) = ended {
                code = Some(ended);
                end = Instant::now() + GRACE;
            }
            if let (Some(code), false) = (code, others) {
                return code;
            }
            tokio::select! {
                _ = self.deaths.recv() => {}
                Some(signal) = self.signals.next() => match code {
                    // A signal after the command has ended is meant for us.
                    Some(code) => return code,
                    None => self.pass_on(signal),
                },
                () = sleep_until(end), if code.is_some() => return code.unwrap_or_default(),
            }
        }
    }

    /// Reaps children. Returns the exit code if the command is among them, and whether others are left.
    fn reap(&self) -> (Option<u8>, bool) {
        let mut code = None;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.pid => code = Some(exit_code(status)),
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return (code, true),
                Err(_) => return (code, false),
            }
        }
    }

    fn pass_on(&self, signal: Signal) {
        let by_key = matches!(signal, Signal::INT | Signal::QUIT);
        if !(by_key && is_in_foreground()) {
            // It may have exited in the meantime.
            let _ = kill_process(self.pid, signal);
        }
    }
}

/// Whether a terminal sends its signals to this process and, as the same group, to the command.
fn is_in_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

fn exit_code(status: WaitStatus) -> u8 {
    let code = status.exit_status().or_else(|| Some(128 + status.terminating_signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// Listens for the signals to forward, except those that are ignored, as under `nohup`: the command ignores them too as
/// long as we do not touch them.
fn listen() -> io::Result<SelectAll<BoxStream<'static, Signal>>> {
    let ignored = ignored_signals();
    let heard = PASSED_ON.into_iter().filter(|kind| ignored >> (kind.as_raw() - 1) & 1 == 0);
    let streams = heard.map(|kind| {
        let mut signals = signal(SignalKind::from_raw(kind.as_raw()))?;
        Ok(poll_fn(move |context| signals.poll_recv(context)).map(move |()| kind).boxed())
    });
    Ok(select_all(streams.collect::<io::Result<Vec<_>>>()?))
}

/// A bit for each, from the lowest; none where the system does not report them.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
