//! `jingku serve --exit-with-parent`: the end of whoever started the server, however it came.
//!
//! Two signs are watched. The pipe on standard input is at its end: the other end was closed, which a killed process
//! cannot put off; programs in between, such as a wrapper script, change nothing about it. Or this process has another
//! parent: that sees the end also while a forked child of the parent still holds the pipe. The kernel's death signal
//! (`PR_SET_PDEATHSIG`) would not do: it comes when the thread that started the server ends, as every test's does.

use std::future::pending;
use std::io::stdin;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::sleep;

/// How often it is looked who the parent is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The process that started this one.
pub(super) struct Parent {
    pid: Option<Pid>,
    pipe: Option<pipe::Receiver>,
}

impl Parent {
    /// Remembers the parent: early, so that its end is not missed. Needs a runtime.
    pub(super) fn remember() -> Self {
        let stdin = stdin().as_fd().try_clone_to_owned();
        // Anything but a pipe, such as a terminal or /dev/null, says nothing about the parent.
        Self { pid: getppid(), pipe: stdin.and_then(pipe::Receiver::from_owned_fd).ok() }
    }

    /// Ends with the parent.
    pub(super) async fn gone(self) {
        let closed = async {
            match self.pipe {
                Some(pipe) => read_to_end(pipe).await,
                None => pending().await,
            }
        };
        let replaced = async {
            while getppid() == self.pid {
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! { () = closed => {}, () = replaced => {} }
    }
}

/// What is written into the pipe does not matter.
async fn read_to_end(mut pipe: pipe::Receiver) {
    let mut buffer = [0; 256];
    while pipe.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
