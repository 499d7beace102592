//! A program of QEMU's as a child that cannot outlive us.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How often a running program is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The most bytes that are kept of what `qemu-img` writes to standard error.
const STDERR_BYTES_MAX: usize = 2048;

/// Runs `$@` and ends with its status. The whole process group is killed when standard input ends: its other end is held
/// by our process alone, so the program ends with us even when we are killed.
///
/// A parent death signal would need code between `fork` and `exec`, which is unsafe, and would follow the thread instead of
/// the process.
const SUPERVISE: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{ read -r _ <&3; kill -s KILL 0; } 2>/dev/null &
watch=$!
wait "$program"
status=$?
kill -s KILL "$watch"
wait "$watch" 2>/dev/null
exit "$status"
"#;

/// What the shell ends with when there is no such program.
const NO_SUCH_PROGRAM: i32 = 127;

/// How a program ended.
#[derive(Debug)]
pub(super) enum Exit {
    /// By itself.
    Exited {
        status: ExitStatus,
        /// The start of what it said on standard error, on one line.
        stderr: String,
    },
    /// There is no such program.
    Missing,
    /// It ran for too long and was killed.
    TimedOut,
    /// It was to stop and was killed.
    Stopped,
}

/// Runs a program to its end. Kills it, with all that it has started, after `timeout`, or soon after `proceed` says no.
pub(super) fn run(program: &Command, timeout: Duration, proceed: &dyn Fn() -> bool) -> io::Result<Exit> {
    let mut running = Running::start(program)?;
    let started = Instant::now();
    loop {
        if running.has_ended()? {
            let status = running.end()?;
            let stderr = running.stderr();
            let missing = status.code() == Some(NO_SUCH_PROGRAM);
            return Ok(if missing { Exit::Missing } else { Exit::Exited { status, stderr } });
        }
        if started.elapsed() > timeout {
            return Ok(Exit::TimedOut);
        }
        if !proceed() {
            return Ok(Exit::Stopped);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// A running program; killed when dropped.
struct Running {
    child: Child,
    status: Option<ExitStatus>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    /// Never written to: the program runs until it is closed.
    lifeline: Option<ChildStdin>,
}

impl Running {
    fn start(program: &Command) -> io::Result<Self> {
        let mut supervised = Command::new("/bin/sh");
        supervised
            .args(["-c", SUPERVISE, "sh"])
            .arg(program.get_program())
            .args(program.get_args())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own, to be killed as one. Ctrl-C in a terminal then reaches us alone.
            .process_group(0);
        for (name, value) in program.get_envs() {
            if let Some(value) = value {
                supervised.env(name, value);
            }
        }
        let mut child = supervised.spawn()?;
        let lifeline = child.stdin.take();
        let stderr = child.stderr.take().map(|stderr| thread::spawn(move || read_start(stderr)));
        Ok(Self { child, status: None, stderr, lifeline })
    }

    /// Says whether the program has ended, and leaves its number its own.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(Pid::from_child(&self.child));
        Ok(rustix::io::retry_on_intr(|| waitid(id.clone(), options))?.is_some())
    }

    /// Kills what is left of the group, which may be all or nothing of it, and returns how the program ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // Until the child is waited for, its number is no other's.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }

    /// Returns what the program wrote to standard error. Call it after the program has ended.
    fn stderr(&mut self) -> String {
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.end();
    }
}

/// Reads to the end, so that the writer never waits, and keeps only the start.
fn read_start(mut stderr: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut piece = [0; 1024];
    // What was said only explains a failure, which is reported anyway.
    while let Ok(read @ 1..) = stderr.read(&mut piece) {
        let wanted = read.min(STDERR_BYTES_MAX - kept.len());
        kept.extend_from_slice(&piece[..wanted]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// A shell script that says the number of a process of its own, which sleeps for ten minutes.
    fn sleeper(pid_file: &std::path::Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & echo $! >\"$0\"; wait"]).arg(pid_file);
        command
    }

    /// Whether a process runs; one that has ended and was not waited for does not.
    fn runs(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    fn wait_for(what: &str, is: impl Fn() -> bool) {
        let started = Instant::now();
        while !is() {
            assert!(started.elapsed() < LONG, "not in time: {what}");
            thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn a_program_ends_as_it_ends() {
        let shell = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            run(&command, LONG, &|| true).unwrap()
        };
        let Exit::Exited { status, stderr } = shell("echo no >&2; echo disk >&2; exit 3") else { panic!() };
        assert_eq!((status.code(), stderr.as_str()), (Some(3), "no disk"));
        assert!(matches!(shell("exit 0"), Exit::Exited { status, .. } if status.success()));
        // Much more than a pipe holds.
        let Exit::Exited { stderr, .. } = shell("yes 1234567 | head -c 1000000 >&2") else { panic!() };
        assert_eq!(stderr.len(), STDERR_BYTES_MAX - 1);
        // What it leaves behind holds standard error, and is not waited for.
        let started = Instant::now();
        let Exit::Exited { status, .. } = shell("sleep 600 & exit 0") else { panic!() };
        assert!(status.success() && started.elapsed() < LONG);
        assert!(matches!(run(&Command::new("no-such-program"), LONG, &|| true).unwrap(), Exit::Missing));
    }

    #[test]
    fn a_program_that_must_stop_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let begun = || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'));
        let stopped = run(&sleeper(&pid), LONG, &|| !begun()).unwrap();
        assert!(matches!(stopped, Exit::Stopped), "{stopped:?}");
        let sleeping = std::fs::read_to_string(&pid).unwrap();
        wait_for("the child of the program is gone", || !runs(&sleeping));

        let late = run(&sleeper(&pid), Duration::from_millis(50), &|| true).unwrap();
        assert!(matches!(late, Exit::TimedOut), "{late:?}");
    }

    /// As when this process is killed: nobody kills the group, the pipe just ends.
    #[test]
    fn a_program_ends_when_itslifeline_does() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let mut running = Running::start(&sleeper(&pid)).unwrap();
        wait_for("the program runs", || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')));
        let sleeping = std::fs::read_to_string(&pid).unwrap();
        assert!(runs(&sleeping));
        running.lifeline = None;
        wait_for("the child of the program is gone", || !runs(&sleeping));
        assert!(!running.end().unwrap().success());
    }
}
