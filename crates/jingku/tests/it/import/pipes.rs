//! An input that ends early never becomes an image.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::disk::{self, gzip};
use crate::home::{Ended, Home};

const JINGKU: &str = env!("CARGO_BIN_EXE_jingku");

impl Home {
    /// A shell command in which `jingku` is the binary.
    fn shell(&self, line: &str) -> Command {
        let line = format!("jingku() {{ {JINGKU} \"$@\"; }}; {line}");
        self.other_command("bash", &["-c", &line])
    }

    fn import_of(&self, options: &[&str], command: &[&str]) -> Ended {
        let import = ["image", "import", "--name", "env", "--wait", "--json"];
        self.run(&[&import[..], options, &["--"], command].concat())
    }
}

fn id(ended: Ended) -> String {
    let image: serde_json::Value = serde_json::from_str(&ended.succeeded().out).unwrap();
    image["CompShareImageId"].as_str().unwrap().to_owned()
}

#[test]
fn a_raw_disk_from_a_pipe_needs_a_size_or_a_hash() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(4, 1);
    home.file("disk.raw", &bytes);
    for line in [
        "cat disk.raw | jingku image import - --name env",
        "cat disk.raw | jingku image import /dev/stdin --name env",
        "jingku image import <(cat disk.raw) --name env",
        "mkfifo pipe; cat disk.raw > pipe & jingku image import pipe --name env",
        // A file of which a part has been read.
        "(head -c 1 > first; jingku image import - --name env) < disk.raw",
        "echo text | jingku image import - --name env",
    ] {
        let ended = Ended::of(&mut home.shell(line));
        let forms = ["image import --name env -- COMMAND", "--name env --size BYTES", "--blake3 HEX"];
        ended.failed(2, &forms);
        home.assert_nothing_is_left();
    }
    let line = "cat disk.raw | jingku image import - --name env --lang zh";
    Ended::of(&mut home.shell(line)).failed(2, &["image import --name env -- COMMAND", "没有结束标记"]);
    let line = ": | jingku image import - --name env";
    Ended::of(&mut home.shell(line)).failed(1, &["- is empty"]);
    home.assert_nothing_is_left();
}

#[test]
fn a_failing_command_creates_no_image() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(300, 1);
    let file = home.file("disk.raw", &bytes);
    let script = home.file("script", b"");
    let sh = |line: &str| home.import_of(&[], &["sh", "-c", line]);
    sh("head -c 1000000 disk.raw; exit 3").failed(7, &["sh -c head", "exit status: 3"]);
    // The command fails after all output, before any, and while another process still holds the pipe open.
    sh("cat disk.raw; exit 1").failed(7, &["exit status: 1"]);
    sh("exit 9").failed(7, &["exit status: 9"]);
    sh("sleep 20 & head -c 100 disk.raw; exit 5").failed(7, &["exit status: 5"]);
    sh("cat disk.raw; kill -9 $$").failed(7, &["signal: 9"]);
    sh("exit 0").failed(1, &["is empty"]);
    let export = [JINGKU, "image", "export", "compshareImage-nowhere", "-o", "-"];
    home.import_of(&[], &export).failed(7, &["exit status: 3"]);
    home.import_of(&[], &["nowhere"]).failed(127, &["no command \\\"nowhere\\\""]);
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.import_of(&[], &[&script]).failed(126, &["Cannot run"]);
    home.run(&["image", "import", "--name", "env", "--lang", "zh", "--", "false"])
        .failed(7, &["命令 `false` 失败"]);
    home.assert_nothing_is_left();
    home.run(&["image", "import", &file, "--name", "env", "--", "cat"]).failed(2, &[]);
    home.run(&["image", "import", "--name", "env"]).failed(2, &[]);

    // A command that succeeds, as in the README.
    let first = id(home.import_of(&[], &["cat", &file]));
    assert!(home.bytes(&first) == bytes);
    let piped = ["image", "import", "--name", "from-a-pipe", "--wait", "--json", "--"];
    let second = id(home.run(&[&piped[..], &[JINGKU, "image", "export", &first, "-o", "-"]].concat()));
    assert!(home.bytes(&second) == bytes);
}

#[test]
fn a_stated_size_or_hash_is_verified() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(8, 1);
    let file = home.file("disk.raw", &bytes);
    let (size, hash) = (bytes.len().to_string(), blake3::hash(&bytes).to_hex().to_string());
    let other = blake3::hash(b"other").to_hex().to_string();
    let pipe = |cut: usize, stated: &str| {
        let line =
            format!("head -c {cut} disk.raw | jingku image import - --name env --wait --json {stated}");
        Ended::of(&mut home.shell(&line))
    };
    let whole = bytes.len();
    let (by_size, by_hash) = (format!("--size {size}"), format!("--blake3 {hash}"));
    for (ended, words) in [
        (pipe(whole - 1, &by_size), "are expected"),
        (pipe(whole - 1, &by_hash), "BLAKE3"),
        (pipe(whole, &format!("--size {}", whole - 1)), "more than the"),
        (pipe(whole, "--size 1K"), "more than the"),
        (pipe(whole, &format!("--blake3 {other}")), "BLAKE3"),
        (Ended::of(&mut home.shell("jingku image import /dev/zero --name env --size 64M")), "more than the"),
        (home.run(&["image", "import", &file, "--name", "env", "--size", "64M"]), "are expected"),
        (home.run(&["image", "import", &file, "--name", "env", "--blake3", &other]), "BLAKE3"),
        (home.import_of(&["--size", "64M"], &["cat", &file]), "are expected"),
        (home.import_of(&["--blake3", &other], &["cat", &file]), "BLAKE3"),
    ] {
        ended.failed(1, &[words]);
        home.assert_nothing_is_left();
    }
    for wrong in [["--size", "0"], ["--size", "1.5G"], ["--size", "much"], ["--blake3", "ab"]] {
        home.run(&["image", "import", &file, "--name", "env", wrong[0], wrong[1]]).failed(2, &[]);
    }
    for (name, stated) in
        [("size", by_size), ("hash", by_hash.to_uppercase().replace("--BLAKE3", "--blake3"))]
    {
        let line = format!("cat disk.raw | jingku image import - --name {name} --wait --json {stated}");
        assert!(home.bytes(&id(Ended::of(&mut home.shell(&line)))) == bytes, "{name}");
    }
    let stated = ["image", "import", &file, "--name", "file", "--wait", "--size", &size, "--blake3", &hash];
    home.run(&stated).succeeded();
}

/// Gzip and qcow2; the server's own tests cover zstd.
#[test]
fn formats_with_an_end_mark_need_no_size_or_hash() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = disk::bytes(40, 1);
    let file = home.file("disk.raw", &bytes);
    home.file("disk.gz", &gzip(&bytes));
    let first = home.import(&file, "first");
    home.run(&["image", "export", &first, "--format", "qcow2", "-o", "disk.qcow2"]).succeeded();
    for name in ["disk.gz", "disk.qcow2"] {
        let line = format!("cat {name} | jingku image import - --name {name} --wait --json");
        assert!(home.bytes(&id(Ended::of(&mut home.shell(&line)))) == bytes, "{name}");
        // The last cluster of the qcow2 file is partly padding.
        let length = home.path(name).metadata().unwrap().len();
        for (number, cut) in [length - 4000, length / 2, 20].into_iter().enumerate() {
            let line =
                format!("head -c {cut} {name} | jingku image import - --name cut-{number}-{name} --wait");
            Ended::of(&mut home.shell(&line)).failed(1, &["could not be made"]);
        }
    }
    let available = home.json(&["image", "list", "--status", "Available"]);
    assert_eq!(available["TotalCount"], 3, "{available}");
}
