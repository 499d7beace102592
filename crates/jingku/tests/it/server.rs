//! A spawned `jingku serve`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::home::{PATIENCE, until};

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) base_url: String,
    stdout: BufReader<ChildStdout>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server and waits for its first line.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::try_start(command)
            .unwrap_or_else(|(status, said)| panic!("no server, {status}, stderr: {said}"))
    }

    /// Starts a server, or returns its exit status and standard error.
    pub(crate) fn try_start(command: &mut Command) -> Result<Self, (ExitStatus, String)> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = collect(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut server = Self { child, base_url: line.trim_end().to_owned(), stdout, log };
        if line.starts_with("http") {
            return Ok(server);
        }
        assert_eq!(line, "");
        let status = server.wait();
        // The last lines may not be collected yet.
        until("standard error is read", || Arc::strong_count(&server.log) == 1);
        Err((status, server.log()))
    }

    /// HOST:PORT.
    pub(crate) fn address(&self) -> &str {
        self.base_url.split_once("://").unwrap().1
    }

    /// The body of a plain GET, which must be answered with 200.
    pub(crate) fn get(&self, path: &str) -> String {
        String::from_utf8(self.get_bytes(path)).unwrap()
    }

    /// The body of a plain GET as bytes, which must be answered with 200.
    pub(crate) fn get_bytes(&self, path: &str) -> Vec<u8> {
        let mut response = self.response(path);
        assert!(response.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&response));
        let head = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        response.split_off(head + 4)
    }

    /// The whole response of `/readyz`.
    pub(crate) fn readiness(&self) -> String {
        String::from_utf8(self.response("/readyz")).unwrap()
    }

    /// The whole response to a plain GET.
    fn response(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: jingku\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        response
    }

    /// The most memory it has used, in bytes, without its code, of which an unoptimized program has more than 40 MiB.
    pub(crate) fn memory_peak(&self) -> u64 {
        memory_peak(self.child.id()).expect("it runs")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as `kill -9` does, unless it has ended.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.wait();
    }

    /// Closes its standard input, if that is a pipe.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Stops the server as an init system does; it must exit with 0.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }

    /// What it wrote to standard output after the first line, once it has ended.
    pub(crate) fn rest_of_stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Reads standard output up to a line that contains `words`.
    pub(crate) fn stdout_until(&mut self, words: &str) -> String {
        let mut text = String::new();
        while !text.contains(words) {
            let read = self.stdout.read_line(&mut text).unwrap();
            assert_ne!(read, 0, "no {words:?} in {text}; stderr {}", self.log());
        }
        text
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

/// The most memory that a process has used, without its code; `None` if it has ended.
pub(crate) fn memory_peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let bytes = |name: &str| {
        let text = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"))?;
        text.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(bytes("VmHWM:")? - bytes("RssFile:")?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process; kills it and fails after [`PATIENCE`].
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("a process did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process has a handler for a signal.
pub(crate) fn catches(process: &Child, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

/// Collects a stream on a thread, so that the writer never blocks.
fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = lines.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}
