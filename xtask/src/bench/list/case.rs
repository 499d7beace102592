//! The requests, and checks of their replies.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use jingku_protocol::{Params, sign_request};
use serde_json::Value;

use super::load::{Shape, ask, request};
use crate::bench::bare_server::Answer;
use crate::bench::daemon::Account;
use crate::bench::process::Server;

pub(super) const PAGE: u32 = 20;
/// Number of pages where rows must be read: enough that the account changes before a page is requested again, and few
/// enough that all replies have the same length, although the names of images contain numbers.
const PAGES_IN_TURN: u32 = 180;

/// Pages of one account, requested in turn.
pub(super) struct Case {
    pub(super) account: i64,
    pub(super) images: u32,
    /// Of the first page; each next page begins one image later.
    pub(super) offset: u32,
    /// The account changes meanwhile, so each page is read again.
    pub(super) changing: bool,
    pub(super) requests: Arc<[Vec<u8>]>,
    /// Of the three servers' replies; only the heads differ.
    pub(super) shapes: [Shape; 3],
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
pub(super) async fn cases(
    address: SocketAddr,
    accounts: &[(Account, u32)],
) -> Result<(Vec<Case>, Vec<Answer>)> {
    let (mut cases, mut answers) = (Vec::new(), Vec::new());
    for (account, images) in accounts {
        for (offsets, changing) in pages(*images) {
            let path = format!("/{}", cases.len());
            let requests: Arc<[Vec<u8>]> =
                offsets.clone().map(|offset| request(&path, &form(account, offset))).collect();
            let (shape, body) = ask(address, &requests[0]).await?;
            let request_id = check(&body, *images, offsets.start)?;
            let private_key = account.private_key.clone();
            answers.push(Answer { body: String::from_utf8(body)?, request_id, private_key });
            let (account, images, offset) = (account.id, *images, offsets.start);
            cases.push(Case { account, images, offset, changing, requests, shapes: [shape; 3] });
        }
    }
    Ok((cases, answers))
}

fn form(account: &Account, offset: u32) -> String {
    let params = Params::for_action("DescribeCompShareCustomImages")
        .text("Offset", Some(&offset.to_string()))
        .text("Limit", Some(&PAGE.to_string()));
    sign_request(params, &account.public_key, &account.private_key).to_form()
}

/// Checks a page; returns its request id.
fn check(body: &[u8], images: u32, offset: u32) -> Result<String> {
    let page: Value = serde_json::from_slice(body)?;
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
pub(super) async fn compare(servers: &[Server; 3], cases: &mut [Case], answers: &[Answer]) -> Result<()> {
    for (case, answer) in cases.iter_mut().zip(answers) {
        for (server, expected) in servers.iter().zip(&mut case.shapes) {
            let (shape, body) = ask(server.address, &case.requests[0]).await?;
            *expected = shape;
            // Only the request id is new each time.
            let fresh = check(&body, case.images, case.offset)?;
            let same = String::from_utf8(body)?.replace(&fresh, &answer.request_id) == answer.body;
            ensure!(same, "a server answers other bytes");
        }
    }
    Ok(())
}
