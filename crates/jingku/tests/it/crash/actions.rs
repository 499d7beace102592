//! The server killed within a request: the request is done or not done, never half done.

use compshare::actions::CopyCompShareCustomImageRequest;
use serde_json::json;

use super::{assert_intact, assert_killed};
use crate::client::{block_on, client};
use crate::disk;
use crate::home::{Home, ids};
use crate::server::Server;

pub(super) const FAILPOINTS: [&str; 6] = [
    "create.before_row",
    "create.after_row",
    "copy.before_row",
    "copy.after_row",
    "delete.before_row",
    "delete.after_row",
];

/// Sends the same copy request each time and returns the id of the copy; `None` without an answer.
fn copy(home: &Home, server: &Server, image_id: &str) -> Option<String> {
    let request = CopyCompShareCustomImageRequest {
        image_id: image_id.into(),
        ..CopyCompShareCustomImageRequest::default()
    };
    let copied = block_on(client(home, server).copy_comp_share_custom_image(&request));
    copied.ok().map(|copied| copied.new_comp_share_image_id)
}

#[test]
fn a_kill_within_a_request_leaves_it_done_or_not_done() {
    let home = Home::new();
    let bytes = disk::bytes(4, 1);
    home.add_instance("uhost-1", &bytes);
    let server = home.serve();
    let kept = home.make("uhost-1", "kept");
    server.stop();
    for place in FAILPOINTS {
        let mut server = home.serve_with(&[], &[("JINGKU_FAILPOINT", place)]);
        let (action, when) = place.split_once('.').unwrap();
        let done = when == "after_row";
        let create = ["image", "create", "--instance", "uhost-1", "--name", "new"];
        match action {
            "create" => assert_ne!(home.run(&create).code, Some(0), "{place}"),
            "copy" => assert_eq!(copy(&home, &server, &kept), None, "{place}"),
            _ => assert_ne!(home.run(&["image", "delete", &kept]).code, Some(0), "{place}"),
        }
        assert_killed(server.wait(), place);
        assert_intact(&home, &[], place);

        let server = home.serve();
        let deleted = action == "delete" && done;
        let trash = ids(&home.json(&["trash", "list"]));
        assert_eq!(trash, if deleted { vec![kept.clone()] } else { vec![] }, "{place}");
        if deleted {
            // A client that got no answer repeats the request.
            home.run(&["image", "delete", &kept]).succeeded();
            home.run(&["trash", "restore", &kept]).succeeded();
        }
        let list = || ids(&home.json(&["image", "list", "--all"])["ImageSet"]);
        let mut listed = list();
        let is_made = action != "delete" && done;
        assert_eq!(listed.len(), 1 + usize::from(is_made), "{place}: {listed:?}");
        if action == "copy" {
            // The repeated request returns the first copy, or makes one; never two.
            let again = copy(&home, &server, &kept).expect("the server answers");
            assert!(!is_made || listed.contains(&again), "{place}: {again} in addition to {listed:?}");
            listed = list();
            assert_eq!(listed.len(), 2, "{place}: {listed:?}");
        }
        let made: Vec<_> = listed.iter().filter(|id| **id != kept).collect();
        for id in &listed {
            home.run(&["image", "progress", id, "--wait"]).succeeded();
            assert!(home.bytes(id) == bytes, "{place}: wrong bytes");
        }
        // The name is either taken by the image or free.
        match made.first() {
            Some(id) => home.run(&["image", "delete", id]).succeeded(),
            None => home.run(&["image", "delete", &home.make("uhost-1", "new")]).succeeded(),
        };
        home.run(&["trash", "empty"]).succeeded();
        assert_eq!(home.json(&["image", "list"])["TotalCount"], json!(1), "{place}");
        server.stop();
    }
    println!("{} kills within requests", FAILPOINTS.len());
}
