//! A server that loses the database or the bucket, while another one does not.

use std::time::{Duration, Instant};

use compshare::actions::DescribeCompShareCustomImagesRequest;

use super::link::{Link, State};
use super::{Host, Shared};
use crate::client::{block_on, client_with};
use crate::disk;
use crate::home::until;
use crate::server::Server;

/// How many images a server lists; `None` if it refuses.
fn count(server: &Server) -> Option<i64> {
    let client = client_with(server, "first", "first-secret");
    let request = DescribeCompShareCustomImagesRequest::default();
    block_on(client.describe_comp_share_custom_images(&request)).ok().map(|list| list.total_count)
}

fn create(host: &Host, name: &str) {
    host.run(&["image", "create", "--instance", "uhost-a", "--name", name]).succeeded();
}

fn assert_made(host: &Host, name: &str, bytes: &[u8]) {
    host.until_made(name);
    let id = host.image(name).unwrap()["CompShareImageId"].as_str().unwrap().to_owned();
    assert!(host.bytes(&id) == bytes);
}

#[test]
fn a_server_without_the_database_refuses_and_continues_later() {
    let Some(shared) = Shared::new() else { return };
    let (link, database) = Link::to_database(&shared.database);
    let a = Host::over("a", "", &database, &shared.s3.endpoint());
    let b = shared.host("b", "");
    let (server_a, server_b) = (a.serve(), b.serve());
    let bytes = disk::bytes(40, 1);
    a.add_instance("uhost-a", &bytes);
    for (number, state) in [(1, State::Cut), (2, State::Silent)] {
        let name = format!("image-{number}");
        create(&b, &name);
        until("the job runs", || b.1.runs_job("a") || b.1.is_available(&name));
        link.set(state);
        if state == State::Cut {
            assert_eq!(count(&server_a), None);
        }
        let begun = Instant::now();
        assert_eq!(count(&server_b), Some(number));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        until("the lease has ended", || !b.1.is_live("a"));
        link.set(State::Up);
        until("the server is back", || b.1.is_live("a"));
        assert_made(&b, &name, &bytes);
        until("it answers", || {
            std::thread::sleep(Duration::from_millis(50));
            count(&server_a) == Some(number)
        });
    }
    b.assert_intact();
    server_a.stop();
    server_b.stop();
}

#[test]
fn a_server_without_the_bucket_continues_later_and_a_slow_one_is_only_slow() {
    let Some(shared) = Shared::new() else { return };
    let (bucket, endpoint) = Link::to_bucket(shared.s3.port());
    let (link, database) = Link::to_database(&shared.database);
    let a = Host::over("a", "", &database, &endpoint);
    let b = shared.host("b", "");
    let (server_a, server_b) = (a.serve(), b.serve());
    let bytes = disk::bytes(20, 1);
    a.add_instance("uhost-a", &bytes);
    bucket.set(State::Cut);
    create(&b, "without");
    // The list needs no bucket.
    assert_eq!((count(&server_a), count(&server_b)), (Some(1), Some(1)));
    until("the job runs", || b.1.runs_job("a"));
    assert_eq!(b.image("without").unwrap()["Status"], "Making");
    bucket.set(State::Up);
    assert_made(&b, "without", &bytes);

    let slow = State::Slow(Duration::from_millis(20));
    bucket.set(slow);
    link.set(slow);
    let other = disk::bytes(10, 2);
    a.run(&["instance", "remove", "uhost-a"]).succeeded();
    std::fs::remove_file(a.0.path("uhost-a.raw")).unwrap();
    a.add_instance("uhost-a", &other);
    create(&b, "slow");
    assert_made(&a, "slow", &other);
    assert_eq!(b.status_of("a")["Live"], true);
    b.assert_intact();
    server_a.stop();
    server_b.stop();
}
