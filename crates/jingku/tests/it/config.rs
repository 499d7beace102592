//! `jingku config`.

use crate::disk;
use crate::home::{Ended, Home};

const FILE: &str = "listen = '127.0.0.1:0'
database = 'postgres://jingku:secret@db/lab'

[trash]
keep_days = 3

[[instances]]
id = 'uhost-1'
disk = 'disk.raw'
account = 7
";

#[test]
fn settings_are_shown_with_their_origin() {
    let home = Home::with_database(None);
    let file = home.file("jingku.toml", FILE.as_bytes());
    let shown = |args: &[&str]| {
        let mut command = home.command(&[&["config", "show", "--config", &file], args].concat());
        Ended::of(command.env("JINGKU_TLS_CERT", "a.pem").env("JINGKU_TLS_KEY", "a.key")).succeeded().out
    };
    let text = shown(&["--origin", "--engine", "none", "--tls-key", "b.key"]);
    for line in [
        &format!("listen = \"127.0.0.1:0\"  # {file}:1"),
        &format!("database = \"postgres://db/lab\"  # {file}:2"),
        &format!("trash.keep_days = 3  # {file}:5"),
        "audit.keep_days = 365  # default",
        "limits.stored_bytes = \"10000GB\"  # default",
        "tls.certificate = \"a.pem\"  # JINGKU_TLS_CERT",
        "tls.key = \"b.key\"  # --tls-key",
        "containers.engine = \"none\"  # --engine",
        "# public_url =  # default",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    assert!(!text.contains("secret"), "{text}");
    assert!(shown(&["--origin", "--lang", "zh"]).contains("audit.keep_days = 365  # 默认值"));
    assert!(!shown(&[]).contains("365  #"));
    let settings = home.json(&["config", "show", "--config", &file]);
    let of = |name: &str| {
        let mut settings = settings.as_array().unwrap().iter();
        settings.find(|setting| setting["Name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!(of("trash.keep_days")["Value"], 3);
    assert_eq!(of("trash.keep_days")["At"], format!("{file}:5"));
    assert_eq!(of("jobs.workers")["Origin"], "Default");
}

/// What is shown is a configuration file, with the same settings.
#[test]
fn the_shown_settings_can_be_used_as_they_are() {
    let home = Home::with_database(None);
    let shown = home.run(&["config", "show", "--engine", "none"]).succeeded().out;
    let file = home.file("shown.toml", shown.as_bytes());
    assert_eq!(home.run(&["config", "show", "--config", &file]).succeeded().out, shown);
    home.run(&["config", "check", "--config", &file]).succeeded();
}

#[test]
fn a_configuration_is_checked_without_a_server() {
    let home = Home::with_database(None);
    home.file("disk.raw", &disk::bytes(1, 1));
    let file = home.file("jingku.toml", FILE.as_bytes());
    let said = home.run(&["config", "check", "--config", &file]).succeeded();
    assert_eq!(said.out, "The configuration is valid.\n");
    assert_eq!(home.json(&["config", "check", "--config", &file])["Valid"], true);
    // Neither the data directory nor the database is needed.
    assert!(!home.data().exists());

    home.file("short.token", b"short");
    for (text, english, chinese) in [
        ("stritc = true", "stritc", "stritc"),
        ("[trash]\nkeep_days = -1", "keep_days", "keep_days"),
        ("listen = '0.0.0.0:1'", "plain HTTP would show", "0.0.0.0:1"),
        ("tls = { certificate = 'no.pem', key = 'no.key' }", "no.pem", "no.pem"),
        ("[[instances]]\nid = 'uhost-2'\ndisk = 'no.raw'", "no.raw", "no.raw"),
        ("[[instances]]\nid = 'uhost-2'\ndisk = 'disk.raw'\nzone = 'moon'", "moon", "moon"),
        ("metrics = { token_file = 'short.token' }", "shorter than 16 bytes", "令牌"),
        ("metrics = { token_file = 'no.token' }", "token for metrics", "令牌"),
        ("[containers]\nengine = 'tcp://10.0.0.1:1'", "container engine", "tcp://10.0.0.1:1"),
        ("telemetry.otlp = 'not a url'", "traces", "not"),
    ] {
        let file = home.file("wrong.toml", text.as_bytes());
        for (lang, words) in [("en", english), ("zh", chinese)] {
            let ended = home.run(&["config", "check", "--config", &file, "--lang", lang]);
            assert!(ended.code != Some(0) && ended.err.contains(words), "{text}: {ended:?}");
        }
    }
    home.run(&["config", "check", "--config", "no.toml"]).failed(2, &["cannot be read", "no.toml"]);
}
