//! `jingku serve --exit-with-parent`: detects that the parent process has ended.
//!
//! Two signs are watched. The pipe on standard input ends: the kernel closes it even if the parent is killed, and
//! wrapper scripts do not interfere. Or this process gets another parent: this works even while a forked child of the
//! parent holds the pipe. The kernel's death signal (`PR_SET_PDEATHSIG`) is not suitable: it arrives when the thread
//! that started the server ends, as the thread of a test does.

use std::io::stdin;
use std::os::fd::AsFd;
use std::time::Duration;

use futures::future::OptionFuture;
use rustix::process::{Pid, getppid};
use tokio::io::{copy, sink};
use tokio::net::unix::pipe;
use tokio::time::sleep;

/// The interval at which the parent is checked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Parent {
    pid: Option<Pid>,
    pipe: Option<pipe::Receiver>,
}

impl Parent {
    /// Records the parent. Call it early, so that its end is not missed. Needs a runtime.
    pub(super) fn remember() -> Self {
        let stdin = stdin().as_fd().try_clone_to_owned();
        // Anything but a pipe, such as a terminal or /dev/null, tells nothing about the parent.
        Self { pid: getppid(), pipe: stdin.and_then(pipe::Receiver::from_owned_fd).ok() }
    }

    /// Ends when the parent ends.
    pub(super) async fn gone(self) {
        // The content of the pipe does not matter.
        let closed = self.pipe.map(async |mut pipe| drop(copy(&mut pipe, &mut sink()).await));
        let replaced = async {
            while getppid() == self.pid {
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! { Some(()) = OptionFuture::from(closed) => {}, () = replaced => {} }
    }
}
