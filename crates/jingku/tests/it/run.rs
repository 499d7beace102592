//! `jingku run`: the command, its environment and its signals.

mod own_server;
mod proxy;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::home::{Ended, Home};
use crate::server::wait;
use crate::terminal;

/// `jingku run` of a shell that ends on request.
struct Running {
    child: Child,
    stdin: ChildStdin,
    /// `HOST:PORT` of the proxy.
    proxy: String,
    certificate: PathBuf,
}

impl Running {
    fn start(home: &Home, args: &[&str]) -> Self {
        let script = "echo $HTTPS_PROXY; echo $SSL_CERT_FILE; read line; exit 7";
        let args = [&["run"], args, &["--", "sh", "-c", script]].concat();
        let mut command = home.command(&args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (proxy, certificate) = (line(), PathBuf::from(line()));
        Self { child, stdin, proxy: proxy.strip_prefix("http://").unwrap().to_owned(), certificate }
    }

    /// Ends the command and returns its standard error.
    fn finish(mut self) -> String {
        self.stdin.write_all(b"\n").unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Asserts that it fails in both languages.
fn refuses(home: &Home, args: &[&str], code: i32, english: &[&str], chinese: &[&str]) {
    let run = |language| home.run(&[&["--lang", language], args].concat());
    run("en").failed(code, &[&["error: "], english].concat());
    run("zh").failed(code, &[&["错误："], chinese].concat());
}

fn sh(home: &Home, script: &str) -> Ended {
    home.run(&["run", "--", "sh", "-c", script])
}

#[test]
fn the_exit_code_of_the_command_is_returned() {
    let home = Home::new();
    let _server = home.serve();
    for (script, code) in [("exit 0", 0), ("exit 42", 42), ("kill -9 $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(sh(&home, script).code, Some(code), "{script}");
    }
    refuses(
        &home,
        &["run", "--", "no-such-command"],
        127,
        &["\"no-such-command\"", "not on the PATH"],
        &["PATH"],
    );
    refuses(&home, &["run", "--", "/"], 126, &["Cannot run \"/\""], &["无法运行 \"/\""]);
    home.run(&["run"]).failed(2, &["COMMAND"]);
}

#[test]
fn the_command_inherits_the_standard_streams() {
    let home = Home::new();
    let _server = home.serve();
    let mut command = home.command(&["run", "--", "sh", "-c", "cat; echo said >&2"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all("bytes\n".as_bytes()).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap()).succeeded();
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("bytes\n", "said\n"));
    // Options after the command belong to the command.
    assert_eq!(home.run(&["run", "echo", "--json", "--lang", "zh"]).succeeded().out, "--json --lang zh\n");
    assert_eq!(home.run(&["run", "--", "echo", "--", "--help"]).succeeded().out, "-- --help\n");
    let (screen, code) =
        terminal::show(&home, &["run", "--", "sh", "-c", "test -t 1 && test -t 2 && stty size <&1"], 77);
    assert_eq!((screen.trim(), code), ("24 77", Some(0)));
}

#[test]
fn the_environment_sets_proxy_and_keys() {
    let home = Home::new();
    let _server = home.serve();
    let pair = home.json(&["key", "create"]);
    let mut command = home.command(&["run", "--", "env"]);
    command.env("JINGKU_PUBLIC_KEY", pair["PublicKey"].as_str().unwrap());
    command.env("JINGKU_PRIVATE_KEY", pair["PrivateKey"].as_str().unwrap());
    for (name, value) in [
        ("NO_PROXY", "*"),
        ("no_proxy", "*"),
        ("all_proxy", "socks5://elsewhere:1"),
        ("JAVA_TOOL_OPTIONS", "-Dmine=1"),
        ("PHP_INI_SCAN_DIR", "/etc/mine"),
        ("PYTHONPATH", "/my/modules"),
        ("COMPSHARE_PUBLIC_KEY", "of-the-cloud"),
    ] {
        command.env(name, value);
    }
    let out = Ended::of(&mut command).succeeded().out;
    let value = |name: &str| {
        let start = format!("{name}=");
        out.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("no {name} in {out}"))
    };
    let proxy = value("HTTPS_PROXY");
    assert!(proxy.starts_with("http://127.0.0.1:"), "{proxy}");
    for name in ["https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        assert_eq!(value(name), proxy, "{name}");
    }
    assert!(!out.to_lowercase().contains("no_proxy="), "{out}");
    let authority = home.data().join("authority");
    let certificate = authority.join("certificate.pem").display().to_string();
    let modules = format!("{}:/my/modules", authority.join("python").display());
    assert_eq!(value("PYTHONPATH"), modules, "Jingku's modules first");
    for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        assert_eq!(value(name), certificate, "{name}");
    }
    assert_eq!(value("NODE_USE_ENV_PROXY"), "1");
    let java = value("JAVA_TOOL_OPTIONS");
    let port = proxy.rsplit(':').next().unwrap();
    let wanted =
        format!("-Dmine=1 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort={port} -Dhttp.nonProxyHosts= ");
    assert!(java.starts_with(&wanted) && java.contains("truststore.jks"), "{java}");
    assert_eq!(value("PHP_INI_SCAN_DIR"), format!("/etc/mine:{}", authority.join("php").display()));
    for (name, key) in [("PUBLIC_KEY", "PublicKey"), ("PRIVATE_KEY", "PrivateKey")] {
        assert_eq!(value(&format!("COMPSHARE_{name}")), pair[key]);
        assert_eq!(value(&format!("UCLOUD_{name}")), pair[key]);
    }
}

#[test]
fn without_a_server_the_command_is_not_run() {
    let home = Home::new();
    let run = ["run", "--", "touch", "made"];
    refuses(&home, &run, 2, &["No server has run here yet", "serve"], &["此处还没有运行过服务"]);
    home.serve().stop();
    refuses(&home, &run, 5, &["No server answers at http://127.0.0.1:", "Start one with"], &["没有服务应答"]);
    refuses(&home, &["run", "--base-url", "ftp://x", "--", "touch", "made"], 2, &["http://"], &["http://"]);
    assert!(!home.path("made").exists());
    assert!(!home.data().join("authority").exists(), "no authority without a server");
}

#[test]
fn the_authority_is_created_once_and_is_private() {
    let home = Home::new();
    let server = home.serve();
    let away = Home::new();
    let data = away.path("else/where");
    let [public_key, private_key] = home.key_pair();
    let args = [
        &["run", "--base-url", &server.base_url, "--public-key", &public_key, "--private-key", &private_key]
            [..],
        &["--data-dir", data.to_str().unwrap(), "--", "sh", "-c", "cat $SSL_CERT_FILE"],
    ]
    .concat();
    let certificates: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| away.run(&args).succeeded().out)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(certificates[0].starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(certificates.iter().all(|certificate| *certificate == certificates[0]));
    assert!(!away.data().exists(), "--data-dir is ignored");
    let mode = |name: &str| data.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("authority"), mode("authority/authority.toml")), (0o700, 0o600));
}

#[test]
fn signals_are_passed_to_the_command() {
    let home = Home::new();
    let _server = home.serve();
    for (signal, name, code) in [(Signal::TERM, "TERM", 3), (Signal::INT, "INT", 4), (Signal::HUP, "HUP", 5)]
    {
        let script =
            format!("trap 'echo caught; exit {code}' {name}; echo ready; while :; do sleep 0.02; done");
        // A shell cannot trap a signal that was ignored when it started, as under nohup.
        let words = ["--default-signal", env!("CARGO_BIN_EXE_jingku"), "run", "--", "sh", "-c", &script];
        let mut command = home.other_command("env", &words);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "caught", "{name}");
        assert_eq!(wait(&mut child).code(), Some(code));
    }
    // Without a trap.
    let mut child = home.command(&["run", "--", "sh", "-c", "echo ready; exec sleep 60"]);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(wait(&mut child).code(), Some(143));
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let home = Home::new();
    let _server = home.serve();
    let mut args = String::new();
    write!(
        args,
        "trap '' HUP; exec {} run -- sh -c 'kill -HUP $$; echo alive'",
        env!("CARGO_BIN_EXE_jingku")
    )
    .unwrap();
    let ended = Ended::of(&mut home.other_command("sh", &["-c", &args])).succeeded();
    assert_eq!(ended.out, "alive\n");
}

#[test]
fn ctrl_c_on_a_terminal_reaches_the_command_once() {
    let home = Home::new();
    let _server = home.serve();
    let script = "trap 'echo caught; n=$((n+1)); sleep 0.3' INT; n=0; echo ready; \
                  while [ $n -lt 1 ]; do sleep 0.02; done; sleep 0.3; exit $((40+n))";
    let (screen, code) = terminal::type_at(&home, &["run", "--", "sh", "-c", script], "ready", b"\x03");
    assert_eq!((screen.matches("caught").count(), code), (1, Some(41)), "{screen}");
}

#[test]
fn background_processes_of_the_command_may_finish() {
    let home = Home::new();
    let _server = home.serve();
    let started = Instant::now();
    let script = "(sleep 0.7; echo late > late) >/dev/null 2>&1 & exit 9";
    assert_eq!(sh(&home, script).code, Some(9));
    assert!(home.path("late").exists());
    // But only for a limited time, and not longer than needed.
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let script = "sleep 60 >/dev/null 2>&1 & echo $! > pid; exit 9";
    let started = Instant::now();
    assert_eq!(sh(&home, script).code, Some(9));
    assert!((5..30).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let pid = std::fs::read_to_string(home.path("pid")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}
