//! `jingku image list` on a terminal and in a pipe.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use compshare::actions::{CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest};

use crate::client::{block_on, client};
use crate::disk;
use crate::home::{Ended, Home};
use crate::server::{Server, wait};
use crate::terminal::{self, width};

const LONG_NAME: &str = "a-name-longer-than-there-is-room-for-beside-an-id";

fn home_with_images() -> (Home, Server, [String; 2]) {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    let ids = [LONG_NAME, "我的环境"].map(|name| home.make("uhost-1", name));
    (home, server, ids)
}

#[test]
fn a_table_fits_the_terminal_and_never_cuts_ids() {
    let (home, _server, ids) = home_with_images();
    for columns in [60, 80, 200] {
        for language in ["en", "zh"] {
            let (screen, code) = terminal::show(&home, &["image", "list", "--lang", language], columns);
            assert_eq!(code, Some(0));
            assert!(screen.contains("\u{1b}[1m"), "headings are bold: {screen:?}");
            let screen = plain(&screen);
            for line in screen.lines() {
                assert!(width(line) <= columns.into(), "wider than {columns}: {line}");
            }
            assert!(ids.iter().all(|id| screen.contains(id)), "{columns}: {screen}");
            assert!(screen.contains(if language == "en" { "NAME" } else { "名称" }), "{screen}");
            assert_eq!(screen.contains(LONG_NAME), columns == 200, "{screen}");
        }
    }
}

#[test]
fn piped_output_has_no_colours_and_is_not_cut() {
    let (home, _server, ids) = home_with_images();
    let listed = home.run(&["image", "list"]).succeeded();
    assert!(listed.err.is_empty() && !listed.out.contains('\u{1b}'), "{listed:?}");
    let lines: Vec<&str> = listed.out.lines().collect();
    assert_eq!(lines.len(), 3, "{listed:?}");
    // Both may be created in the same second, so their order is not fixed.
    for (id, name) in ids.iter().zip([LONG_NAME, "我的环境"]) {
        assert!(lines[1..].iter().any(|line| line.starts_with(id) && line.contains(name)), "{listed:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (home, _server, _ids) = home_with_images();
    let mut child =
        home.command(&["image", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut stderr).unwrap();
    assert_eq!((wait(&mut child).code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn pages_filters_and_all_images_are_listed() {
    const IMAGES: usize = 250;
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    make_many(&home, &server, IMAGES);
    let names = |args: &[&str]| -> Vec<String> {
        let page = home.json(&[&["image", "list"], args].concat());
        assert_eq!(page["TotalCount"], IMAGES);
        let images = page["ImageSet"].as_array().unwrap();
        images.iter().map(|image| image["Name"].as_str().unwrap().to_owned()).collect()
    };
    let mut sorted = names(&["--all"]);
    let all = sorted.clone();
    sorted.sort();
    assert_eq!(sorted, (0..IMAGES).map(|number| format!("env-{number:03}")).collect::<Vec<_>>());
    assert_eq!(names(&[]), all[..20]);
    assert_eq!(names(&["--limit", "100"]), all[..100]);
    assert_eq!(names(&["--offset", "240", "--limit", "30"]), all[240..]);
    assert_eq!(names(&["--offset", "9999"]), [""; 0]);

    let piped = home.run(&["image", "list", "--all"]).succeeded();
    assert_eq!((piped.out.lines().count(), piped.err.as_str()), (IMAGES + 1, ""));
    let page = home.run(&["image", "list"]).succeeded();
    assert_eq!((page.out.lines().count(), page.err.as_str()), (21, "20 of 250 images\n"));

    let one = page.out.lines().nth(7).unwrap().split(' ').next().unwrap();
    let found = home.json(&["image", "list", "--id", one]);
    assert_eq!((&found["TotalCount"], &found["ImageSet"][0]["CompShareImageId"]), (&1.into(), &one.into()));
    assert_eq!(home.json(&["image", "list", "--id", "compshareImage-1"])["TotalCount"], 0);
    home.refuses(
        &["image", "list", "--limit", "101"],
        1,
        &["Params [Limit] not available"],
        &["请修改请求参数"],
    );
    home.run(&["image", "list", "--all", "--limit", "5"]).failed(2, &["--all"]);
    Ended::of(&mut home.other_command(
        "sh",
        &["-c", &format!("{} image list --all | head -n 1", env!("CARGO_BIN_EXE_jingku"))],
    ))
    .succeeded();
}

/// Creates images from this process: spawning a client for each would take minutes.
fn make_many(home: &Home, server: &Server, images: usize) {
    let client = client(home, server);
    block_on(async {
        for number in 0..images {
            let request = CreateCompShareCustomImageRequest {
                instance_id: "uhost-1".into(),
                name: format!("env-{number:03}").into(),
                ..CreateCompShareCustomImageRequest::default()
            };
            // An instance allows one image at a time.
            while let Err(error) = client.create_comp_share_custom_image(&request).await {
                assert!(error.is_retryable(), "{error}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let list = DescribeCompShareCustomImagesRequest::default();
        assert_eq!(
            client.describe_comp_share_custom_images(&list).await.unwrap().total_count,
            i64::try_from(images).unwrap()
        );
    });
}

/// The screen without escape sequences.
fn plain(screen: &str) -> String {
    let mut parts = screen.split("\u{1b}[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}
