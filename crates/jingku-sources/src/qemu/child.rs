//! A child process that cannot outlive us.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The most bytes of standard error kept from `qemu-img`.
const STDERR_BYTES_MAX: u64 = 2048;

/// Runs `$@` and exits with its status. Kills the whole process group when standard input ends: only our process holds
/// the other end, so the program ends with us even if we are killed.
///
/// A parent death signal would need unsafe code between `fork` and `exec`, and would follow the thread instead of the
/// process.
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

/// Exit status of the shell if there is no such program.
const NO_SUCH_PROGRAM: i32 = 127;

#[derive(Debug)]
pub(super) enum Exit {
    /// By itself.
    Exited {
        status: ExitStatus,
        /// The start of its standard error, on one line.
        stderr: String,
    },
    /// There is no such program.
    Missing,
    /// It was killed after the timeout.
    TimedOut,
    /// It was killed because the caller stopped it.
    Stopped,
}

/// Runs a program to its end. Kills it and its children after `timeout`, or soon after `proceed` returns false.
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
    /// Its standard input is never written to: the program runs until it is closed.
    child: Child,
    status: Option<ExitStatus>,
    stderr: Option<JoinHandle<Vec<u8>>>,
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
            // A process group to be killed as one. Ctrl-C in a terminal reaches only us.
            .process_group(0);
        let mut child = supervised.spawn()?;
        let stderr = child.stderr.take().map(|stderr| thread::spawn(move || read_start(stderr)));
        Ok(Self { child, status: None, stderr })
    }

    /// Whether the program has ended. Leaves it unreaped, so its process id stays reserved.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(Pid::from_child(&self.child));
        Ok(rustix::io::retry_on_intr(|| waitid(id.clone(), options))?.is_some())
    }

    /// Kills what is left of the group and returns how the program ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // The child is not reaped yet, so its process id is still its own.
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
        let _ = self.end();
    }
}

/// Reads to the end, so that the writer never blocks, and keeps only the start.
fn read_start(mut stderr: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    // This text only explains a failure that is reported anyway.
    let _ = stderr.by_ref().take(STDERR_BYTES_MAX).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// A shell script that prints the process id of a child that sleeps for ten minutes.
    fn sleeper(pid_file: &std::path::Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & echo $! >\"$0\"; wait"]).arg(pid_file);
        command
    }

    /// Whether a process runs; a zombie does not.
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
    fn exit_status_and_stderr_are_returned() {
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
        assert_eq!(stderr.len() as u64, STDERR_BYTES_MAX - 1);
        // A background child keeps standard error open, and is not waited for.
        let started = Instant::now();
        let Exit::Exited { status, .. } = shell("sleep 600 & exit 0") else { panic!() };
        assert!(status.success() && started.elapsed() < LONG);
        assert!(matches!(run(&Command::new("no-such-program"), LONG, &|| true).unwrap(), Exit::Missing));
    }

    #[test]
    fn stopped_program_is_killed_with_its_children() {
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

    /// As if this process were killed: nobody kills the group, the pipe just ends.
    #[test]
    fn program_ends_with_its_lifeline() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let mut running = Running::start(&sleeper(&pid)).unwrap();
        wait_for("the program runs", || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')));
        let sleeping = std::fs::read_to_string(&pid).unwrap();
        assert!(runs(&sleeping));
        running.child.stdin = None;
        wait_for("the child of the program is gone", || !runs(&sleeping));
        assert!(!running.end().unwrap().success());
    }
}
