//! `jingku lab` from the command line.

use serde_json::Value;

use crate::home::{Ended, Home};
use crate::server::Server;

const FIXTURES: &str =
    "[[images]]\nname = 'nightly'\ncount = 3\n[[instances]]\nid = 'uhost-1'\nsize_mb = 100\n";

/// The code blocks of docs/operate/lab.md in this language.
fn blocks(start: &str) -> Vec<String> {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/lab.md");
    let page = std::fs::read_to_string(page).unwrap();
    let begin = format!("\n```{start}\n");
    let parts = page.split(&begin).skip(1);
    parts.map(|rest| rest.split_once("\n```").unwrap().0.to_owned()).collect()
}

struct Lab {
    home: Home,
    server: Server,
    keys: Vec<(String, String)>,
}

impl Lab {
    fn start() -> Self {
        Self::filled(FIXTURES)
    }

    fn filled(fixtures: &str) -> Self {
        let home = Home::new();
        std::fs::write(home.path("lab.toml"), fixtures).unwrap();
        let serve = ["--ephemeral", "--lab", "--fixtures", "lab.toml", "--json"];
        let mut server = home.serve_with(&serve, &[]);
        let printed: Value = serde_json::from_str(&server.stdout_until("\n")).unwrap();
        let key = &printed["Accounts"][0]["Keys"][0];
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let keys = vec![
            ("JINGKU_BASE_URL".to_owned(), server.base_url.clone()),
            ("JINGKU_PUBLIC_KEY".to_owned(), text("PublicKey")),
            ("JINGKU_PRIVATE_KEY".to_owned(), text("PrivateKey")),
        ];
        Self { home, server, keys }
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.home.command(args).envs(self.keys.clone()))
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[args, &["--json"]].concat()).succeeded().out).unwrap()
    }

    fn total(&self) -> i64 {
        self.json(&["image", "list"])["TotalCount"].as_i64().unwrap()
    }
}

#[test]
fn the_lab_restores_snapshots_and_holds_images() {
    let lab = Lab::start();
    assert_eq!(lab.total(), 3);
    assert_eq!(lab.run(&["lab", "snapshot", "three"]).succeeded().out, "Done.\n");
    lab.run(&["image", "delete", "compshareImage-1fixture0001"]).succeeded();
    assert_eq!(lab.total(), 2);
    lab.run(&["lab", "return", "three"]).succeeded();
    assert_eq!(lab.total(), 3);
    lab.run(&["lab", "hold", "30"]).succeeded();
    let made = lab.run(&["image", "create", "--instance", "uhost-1", "--name", "held"]).succeeded().out;
    crate::home::until("the image is held", || {
        lab.json(&["image", "progress", made.trim()])["Progress"] == 30.0
    });
    assert_eq!(lab.json(&["lab", "state"])["hold"], 30);
    lab.run(&["lab", "hold", "--release"]).succeeded();
    lab.run(&["image", "progress", made.trim(), "--wait"]).succeeded();

    // Progress reports the bytes that the store already has.
    lab.run(&["lab", "hold", "60"]).succeeded();
    let again = lab.run(&["image", "create", "--instance", "uhost-1", "--name", "again"]).succeeded().out;
    let present = || lab.json(&["image", "progress", again.trim()])["PresentBytes"].as_u64().unwrap();
    crate::home::until("the store has some of the bytes", || present() > 0);
    lab.run(&["lab", "hold", "--release"]).succeeded();
    lab.run(&["image", "progress", again.trim(), "--wait"]).succeeded();
    assert_eq!(present(), 0);
    lab.run(&["lab", "reset"]).succeeded();
    assert_eq!(lab.total(), 3);
    lab.server.stop();
}

#[test]
fn the_lab_injects_faults_and_shows_calls() {
    let lab = Lab::start();
    let list = "DescribeCompShareCustomImages";
    lab.run(&["lab", "fail", list, "--ret-code", "8039", "--message", "gone"]).succeeded();
    lab.run(&["image", "list"]).failed(3, &["gone", "8039"]);
    lab.run(&["lab", "delay", list, "--ms", "10"]).succeeded();
    lab.run(&["lab", "drop", list, "--half"]).succeeded();
    lab.run(&["lab", "drop", list, "--times", "5"]).succeeded();
    lab.run(&["lab", "clear"]).succeeded();
    assert_eq!(lab.json(&["lab", "state"])["faults"], serde_json::json!([]));
    assert_eq!(lab.total(), 3);
    let trace = lab.json(&["lab", "trace"]);
    assert_eq!(trace.as_array().unwrap().len(), 2, "{trace}");
    let shown = lab.run(&["lab", "trace"]).succeeded().out;
    for words in [list, "RetCode 8039", "injected: fail 8039", "compshare-rust/", "missing: Region, Zone"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let secret = &lab.keys[2].1;
    assert!(!shown.contains(secret.as_str()) && !trace.to_string().contains(secret.as_str()));
    lab.run(&["lab", "trace", "--clear"]).succeeded();
    assert_eq!(lab.run(&["lab", "trace"]).succeeded().out, "");
}

#[test]
fn the_lab_sets_and_shows_the_clock() {
    let lab = Lab::start();
    let set = lab.run(&["lab", "clock", "set", "2030-01-01T00:00:00Z"]).succeeded().out;
    assert_eq!(set, "1893456000 2030-01-01T00:00:00Z\n");
    assert_eq!(
        lab.json(&["lab", "clock", "advance", "-60"]),
        serde_json::json!({"now": 1_893_455_940, "stands": true})
    );
    assert_eq!(lab.json(&["lab", "clock", "set", "1700000000"])["now"], 1_700_000_000);
    assert_eq!(lab.json(&["lab", "clock", "free"])["stands"], false);
    assert_eq!(lab.json(&["lab", "clock", "set", "1.5"])["now"], 1);
    assert_eq!(lab.json(&["lab", "clock", "advance", "2.9"])["now"], 3);
    for wrong in ["tomorrow", "nan", "inf", ""] {
        lab.run(&["lab", "clock", "set", wrong]).failed(2, &["is not a time"]);
        lab.run(&["lab", "clock", "advance", wrong]).failed(2, &["not a number of seconds"]);
    }
    for far in ["-1", "1e30", "-1e30", "99999999999999999999"] {
        lab.run(&["lab", "clock", "set", far]).failed(1, &["The clock goes from 0 to"]);
    }
}

#[test]
fn impossible_lab_commands_are_refused() {
    let lab = Lab::start();
    let nowhere =
        lab.run(&["lab", "return", "nowhere"]).failed(1, &["no snapshot \"nowhere\"", "None was taken"]);
    assert!(!nowhere.err.contains("There are"), "{nowhere:?}");
    lab.run(&["lab", "snapshot", "here"]).succeeded();
    lab.run(&["lab", "return", "nowhere"]).failed(1, &["There are: here."]);
    lab.run(&["lab", "fail", "List", "--ret-code", "1"]).failed(1, &["no action \"List\""]);
    lab.run(&["lab", "hold", "101"]).failed(2, &["101"]);
    lab.run(&["lab", "hold"]).failed(2, &["PERCENT"]);
    lab.home.refuses(&["lab", "reset"], 2, &["No server is given"], &["未指定服务"]);
    let closed = ["lab", "reset", "--base-url", "http://127.0.0.1:1"];
    lab.home.refuses(&closed, 5, &["No server answers at http://127.0.0.1:1"], &["没有服务应答"]);
    let no_scheme = ["lab", "reset", "--base-url", "127.0.0.1:1"];
    lab.home.refuses(&no_scheme, 2, &["Write http://127.0.0.1:1"], &["http://127.0.0.1:1"]);
    let with_tls = ["lab", "reset", "--base-url", "https://127.0.0.1:1"];
    lab.home.refuses(&with_tls, 2, &["uses plain HTTP"], &["改为 http://"]);
    // A server without a lab.
    let server = lab.home.serve();
    let no_lab = ["lab", "reset", "--base-url", &server.base_url];
    lab.home.refuses(&no_lab, 3, &["has no lab", "--ephemeral --lab"], &["没有开启 lab"]);
}

#[test]
fn the_commands_of_the_lab_page_work() {
    assert_eq!(blocks("sh background"), ["jingku serve --ephemeral --lab --fixtures lab.toml"]);
    let [fixtures] = <[String; 1]>::try_from(blocks("toml")).unwrap();
    let lab = Lab::filled(&fixtures);
    let [commands] = <[String; 1]>::try_from(blocks("sh")).unwrap();
    // `jingku` must be on the PATH.
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_jingku")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap();
    let mut bash = lab.home.other_command("bash", &["-euxo", "pipefail", "-c", &commands]);
    let ended = Ended::of(bash.envs(lab.keys.clone()).env("PATH", path)).succeeded();
    assert!(ended.out.contains("RetCode 153") && ended.out.contains("drop half"), "{ended:?}");
    assert_eq!(lab.total(), 254, "after the reset");
    // The code in other languages must be in the examples, which are tests.
    for (language, file) in
        [("python", "../../testing/pytest-jingku/example/test_example.py"), ("rust", "tests/it/testing.rs")]
    {
        let example =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let lines: Vec<_> = example.lines().map(str::trim).collect();
        for line in blocks(language).iter().flat_map(|block| block.lines()) {
            assert!(lines.contains(&line.trim()), "{line:?} is not in {file}");
        }
    }
}
