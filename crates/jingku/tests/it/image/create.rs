//! `jingku image create`, with and without `--wait`.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::disk;
use crate::home::{Ended, Home, until};
use crate::server::catches;
use crate::terminal;

#[test]
fn it_prints_only_the_id() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(3, 0));
    let _server = home.serve();
    let created = home.run(&["image", "create", "--instance", "uhost-1", "--name", "env"]).succeeded();
    let id = created.out.strip_suffix('\n').unwrap();
    assert!(id.starts_with("compshareImage-1") && id.len() == 27, "{created:?}");
    let follow = created.err.trim_end().split_once("To follow it: ").unwrap().1;
    let followed = Ended::of(&mut home.other_command("sh", &["-c", follow])).succeeded();
    assert!(followed.out.contains(&format!("{id} is available: env")), "{followed:?}");
    assert_eq!(home.run(&["image", "progress", id]).succeeded().out, "Available 100%\n");
    let progress = home.json(&["image", "progress", id]);
    assert_eq!((&progress["Process"], &progress["Status"]), (&100.0.into(), &"Available".into()));
    assert_eq!(progress["ProcessedBytes"], progress["TotalBytes"]);
}

#[test]
fn a_second_image_of_an_instance_is_refused_while_one_is_created() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(600, 0));
    let server = home.serve();
    let id = home.json(&["image", "create", "--instance", "uhost-1", "--name", "one"]);
    let id = id["CompShareImageId"].as_str().unwrap();
    let second = home.run(&["image", "create", "--instance", "uhost-1", "--name", "two"]);
    // Unless the first is already complete, on a fast machine.
    if !server.log().contains("image made") {
        second.failed(5, &["is making image"]);
    }
    home.run(&["image", "progress", id, "--wait"]).succeeded();
}

#[test]
fn waiting_shows_a_progress_bar_only_on_a_terminal() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(600, 0));
    let _server = home.serve();
    let create = ["image", "create", "--instance", "uhost-1", "--wait", "--name"];
    let (screen, code) = terminal::show(&home, &[&create[..], &["seen"]].concat(), 80);
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("B/s") && screen.contains("% ") && screen.contains("left"), "{screen:?}");
    assert!(screen.contains("is available: seen (150 MB)"), "{screen:?}");
    let piped = home.run(&[&create[..], &["unseen"]].concat()).succeeded();
    assert_eq!((piped.out.lines().count(), piped.err.as_str()), (1, ""), "{piped:?}");
}

#[test]
fn a_missing_disk_is_reported() {
    let home = Home::new();
    let disk = home.add_instance("uhost-1", &disk::bytes(3, 0));
    let _server = home.serve();
    std::fs::remove_file(disk).unwrap();
    let create = ["image", "create", "--instance", "uhost-1", "--name", "env"];
    home.refuses(&create, 3, &["uhost-1", "The disk of the instance is not there"], &["uhost-1"]);
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 0);
}

#[test]
fn ctrl_c_stops_the_waiting_and_not_the_image() {
    let home = Home::new();
    let source = disk::bytes(1200, 3);
    home.add_instance("uhost-1", &source);
    let server = home.serve();
    let mut create = home.command(&["image", "create", "--instance", "uhost-1", "--name", "env", "--wait"]);
    let create = create.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the client handles Ctrl-C", || catches(&create, Signal::INT));
    kill_process(Pid::from_child(&create), Signal::INT).unwrap();
    let left = Ended::from(create.wait_with_output().unwrap());
    let left = left.failed(130, &["Stopped waiting; the server is still creating the image."]);
    assert!(!server.log().contains("image made"), "Ctrl-C came too late");

    let follow = left.err.trim_end().split_once("To follow it: ").unwrap().1;
    let followed = Ended::of(&mut home.other_command("sh", &["-c", follow])).succeeded();
    let id = followed.out.split(' ').next().unwrap();
    assert!(home.bytes(id) == source, "wrong bytes");
}

#[test]
fn an_estimate_is_shown_in_both_languages_and_saves_nothing() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(3, 0));
    let _server = home.serve();
    let args = ["image", "create", "--instance", "uhost-1", "--name", "env", "--estimate"];
    let english = home.run(&args).succeeded().out;
    for words in ["To read", "New data", "about 1 s", "100%", "yes"] {
        assert!(english.contains(words), "{english}");
    }
    let chinese = home.run(&[&args[..], &["--lang", "zh"]].concat()).succeeded().out;
    for words in ["需读取", "新增数据", "约 1 秒", "100%"] {
        assert!(chinese.contains(words), "{chinese}");
    }
    let before = home.json(&args);
    assert_eq!((&before["NewBytes"], &before["Fits"]), (&before["SizeBytes"], &true.into()));
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 0);
    home.make("uhost-1", "first");
    assert_eq!(home.json(&args)["NewBytes"], 0);
    home.run(&[&args[..], &["--wait"]].concat()).failed(2, &["--wait"]);
}
