//! The requests, and checks of their replies.

use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context as _, Result, ensure};
use jingku_protocol::{Params, sign_request};
use serde::Serialize;
use serde_json::Value;

use super::load::{Shape, ask};
use crate::bench::bare_server::Answer;
use crate::bench::daemon::Account;
use crate::bench::process::Server;

const PAGE: u32 = 20;
/// Number of pages where rows must be read: enough that the account changes before a page is requested again, and few
/// enough that all replies have the same length, although the names of images contain numbers.
const PAGES_IN_TURN: u32 = 180;

/// Pages of one account, requested in turn.
#[derive(Serialize)]
pub(super) struct Case {
    #[serde(skip)]
    pub(super) account: i64,
    pub(super) images: u32,
    /// Of the first page; each next page begins one image later.
    pub(super) offset: u32,
    /// The account changes meanwhile, so each page is read again.
    pub(super) changing: bool,
    #[serde(skip)]
    pub(super) requests: Vec<Vec<u8>>,
    /// Of the three servers' replies; only the heads differ.
    pub(super) shapes: [Shape; 3],
}

impl Case {
    /// The numbers of the images on the pages, oldest first.
    pub(super) fn seqs(&self) -> Range<i64> {
        let newest = i64::from(self.images - self.offset);
        let pages = i64::try_from(self.requests.len()).expect("few pages");
        newest + 1 - pages - i64::from(PAGE) + 1..newest + 1
    }
}

/// The offsets of the pages of an account, and whether the account changes meanwhile.
fn pages(images: u32) -> Vec<(Range<u32>, bool)> {
    let last = images - PAGE;
    if last == 0 {
        return vec![(0..1, false)];
    }
    // Near the end, all names on these pages have three digits.
    let deep = images - 300;
    let mut pages = vec![(0..1, false), (last..last + 1, false), (0..PAGES_IN_TURN, true)];
    if deep > PAGES_IN_TURN * PAGE {
        pages.push((deep..deep + PAGES_IN_TURN, true));
    }
    pages
}

/// The cases, with Jingku's answer to the first request of each, which is checked completely.
pub(super) fn cases(address: SocketAddr, accounts: &[(Account, u32)]) -> Result<(Vec<Case>, Vec<Answer>)> {
    let (mut cases, mut answers) = (Vec::new(), Vec::new());
    for (account, images) in accounts {
        for (offsets, changing) in pages(*images) {
            let path = format!("/{}", cases.len());
            let requests: Vec<_> = offsets.clone().map(|offset| request(&path, account, offset)).collect();
            let (shape, body) = ask(address, &requests[0])?;
            let request_id = check(&body, *images, offsets.start)?;
            answers.push(Answer { body, request_id, private_key: account.private_key.clone() });
            let (account, images, offset) = (account.id, *images, offsets.start);
            cases.push(Case { account, images, offset, changing, requests, shapes: [shape; 3] });
        }
    }
    Ok((cases, answers))
}

/// A signed form, as the Python SDK sends it.
fn request(path: &str, account: &Account, offset: u32) -> Vec<u8> {
    let params = Params::for_action("DescribeCompShareCustomImages")
        .text("Offset", Some(&offset.to_string()))
        .text("Limit", Some(&PAGE.to_string()));
    let form = sign_request(params, &account.public_key, &account.private_key).to_form();
    let length = form.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: jingku-bench\r\nAccept: */*\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    );
    (head + &form).into_bytes()
}

/// Checks a page; returns its request id.
fn check(body: &str, images: u32, offset: u32) -> Result<String> {
    let page: Value = serde_json::from_str(body)?;
    ensure!(page["RetCode"] == 0 && page["TotalCount"] == images, "unexpected page: {page}");
    let rows = page["ImageSet"].as_array().context("no ImageSet")?;
    let number = |row: &Value| row["Name"].as_str()?.rsplit_once('-')?.1.parse::<u32>().ok();
    let found: Option<Vec<u32>> = rows.iter().map(number).collect();
    // Newest first, and the newest has the largest number.
    let expected: Vec<u32> = (0..PAGE).map(|place| images - 1 - offset - place).collect();
    ensure!(found.as_ref() == Some(&expected), "the page has the images {found:?}, not {expected:?}");
    Ok(page["request_uuid"].as_str().context("no request_uuid")?.to_owned())
}

/// Checks that all three servers answer every case with the same body, and records the shapes of their replies.
pub(super) fn compare(servers: &[Server; 3], cases: &mut [Case], answers: &[Answer]) -> Result<()> {
    for (case, answer) in cases.iter_mut().zip(answers) {
        for (server, expected) in servers.iter().zip(&mut case.shapes) {
            let (shape, body) = ask(server.address, &case.requests[0])?;
            *expected = shape;
            // Only the request id is new each time.
            let fresh = check(&body, case.images, case.offset)?;
            ensure!(body.replace(&fresh, &answer.request_id) == answer.body, "a server answers other bytes");
        }
    }
    Ok(())
}
