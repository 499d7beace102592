//! A failed import withdraws its upload, unless it can be resumed.

use std::io::Write;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{SEGMENT, large};
use crate::home::{Ended, Home, until};
use crate::server::catches;

#[test]
fn an_import_stopped_before_its_first_segment_is_withdrawn() {
    let home = Home::new();
    let _server = home.serve();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        // Without input no upload starts. With a little it starts, and no byte is sent yet.
        for (little, started) in [(&b""[..], 0), (b"a little of a disk", 1)] {
            let mut client = home.start_import("-", "env", &["--size", "1G"]);
            // It stays open, because its end would end the import.
            let mut stdin = client.stdin.take().unwrap();
            stdin.write_all(little).unwrap();
            until("the upload is started", || home.json(&["image", "list"])["TotalCount"] == started);
            until("the client handles the signal", || catches(&client, signal));
            kill_process(Pid::from_child(&client), signal).unwrap();
            Ended::from(client.wait_with_output().unwrap()).failed(code, &["Stopped."]);
            home.assert_nothing_is_left();
        }
    }
}

#[test]
fn an_import_stopped_later_can_be_resumed_or_deleted() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = large();
    let size = bytes.len().to_string();
    let stated = ["--size", &*size];
    for (lang, words) in [("en", "run the same command again"), ("zh", "续传")] {
        let mut client = home.start_import("-", "env", &[stated[0], stated[1], "--lang", lang]);
        let mut stdin = client.stdin.take().unwrap();
        stdin.write_all(&bytes[..SEGMENT + 1000]).unwrap();
        until("a segment has arrived", || home.received("env") == SEGMENT as u64);
        kill_process(Pid::from_child(&client), Signal::INT).unwrap();
        let ended = Ended::from(client.wait_with_output().unwrap());
        ended.failed(130, &[words, "image delete compshareImage-"]);
        assert_eq!(home.received("env"), SEGMENT as u64);
    }
    let mut client = home.start_import("-", "env", &stated);
    client.stdin.take().unwrap().write_all(&bytes).unwrap();
    let id = Ended::from(client.wait_with_output().unwrap()).succeeded().out;
    home.run(&["image", "progress", id.trim_end(), "--wait"]).succeeded();
    assert!(home.bytes(id.trim_end()) == bytes);
}

#[test]
fn the_import_stops_its_command() {
    let home = Home::new();
    let _server = home.serve();
    let line = "echo $$ > pid; head -c 100 /dev/zero; exec sleep 1000";
    let import = ["image", "import", "--name", "env", "--", "sh", "-c", line];
    let mut client = home.command(&import);
    let client = client.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
    let client = client.unwrap();
    until("the upload is started", || home.json(&["image", "list"])["TotalCount"] == 1);
    let pid: i32 = std::fs::read_to_string(home.path("pid")).unwrap().trim_end().parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    test_kill_process(pid).unwrap();
    kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
    Ended::from(client.wait_with_output().unwrap()).failed(143, &["Stopped."]);
    assert!(test_kill_process(pid).is_err(), "the command still runs");
    home.assert_nothing_is_left();
}

/// Also when the server refuses the import because an image has the name.
#[test]
fn a_failed_import_withdraws_no_image_of_another() {
    let home = Home::new();
    let _server = home.serve();
    let bytes = large();
    let file = home.file("disk.raw", &bytes);
    let kept = home.import(&file, "kept");
    home.run(&["image", "import", &file, "--name", "kept"]).failed(1, &["Name"]);
    assert!(home.bytes(&kept) == bytes);

    // An upload of another client without a segment is not withdrawn by an import that fails.
    let mut other = home.start_import("-", "env", &["--size", "1G"]);
    let mut stdin = other.stdin.take().unwrap();
    stdin.write_all(b"a little").unwrap();
    let started = || home.json(&["image", "list"])["TotalCount"] == 2;
    until("the upload is started", started);
    let failing =
        ["image", "import", "--name", "env", "--size", "1G", "--", "sh", "-c", "echo x; sleep 1; exit 4"];
    home.run(&failing).failed(7, &["exit status: 4"]);
    assert!(started());
    kill_process(Pid::from_child(&other), Signal::INT).unwrap();
    Ended::from(other.wait_with_output().unwrap()).failed(130, &["Stopped."]);
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 1);
}
