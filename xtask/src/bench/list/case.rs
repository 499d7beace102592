//! The requests, and checks of their replies.

use std::iter::StepBy;
use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
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
/// Number of pages whose rows are not in memory: they have several times the rows that it holds.
const COLD_PAGES: u32 = 4000;
/// The least images for so many pages that do not overlap.
const COLD_IMAGES_MIN: u32 = 100_000;

/// A list with many images.
pub(super) struct List {
    /// Whose requests these are; each has a list of its own.
    pub(super) callers: Vec<Account>,
    pub(super) kind: Kind,
    /// The account whose images are listed: the only caller, or who shares or publishes them.
    pub(super) owner: i64,
    pub(super) images: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Own,
    /// The own images whose names contain a part of all names.
    Filtered,
    Shared,
    Community,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Filtered => "filtered",
            Self::Shared => "shared",
            Self::Community => "community",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Own | Self::Filtered => "DescribeCompShareCustomImages",
            Self::Shared => "DescribeCompShareSharingImages",
            Self::Community => "DescribeCommunityImages",
        }
    }
}

/// Where the rows of the pages come from.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rows {
    /// The same page repeatedly.
    Memory,
    /// The account changes meanwhile, so each page is read again.
    Changing,
    /// So many pages that their rows are not in memory when they are requested again.
    Cold,
}

impl Rows {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Changing => "changing",
            Self::Cold => "cold",
        }
    }
}

/// Pages of a list, requested in turn.
#[derive(Serialize)]
pub(super) struct Case {
    pub(super) kind: Kind,
    #[serde(skip)]
    pub(super) account: i64,
    pub(super) images: u32,
    /// Of the first page.
    pub(super) offset: u32,
    pub(super) rows: Rows,
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

/// The offsets of the pages of a list.
fn pages(kind: Kind, images: u32) -> Vec<(StepBy<Range<u32>>, Rows)> {
    let last = images - PAGE;
    let mut pages = vec![((0..1).step_by(1), Rows::Memory)];
    if last == 0 {
        return pages;
    }
    // One page: the next step is beyond the end.
    pages.push(((last..images).step_by(PAGE as usize), Rows::Memory));
    if kind == Kind::Community {
        return pages;
    }
    pages.push(((0..PAGES_IN_TURN).step_by(1), Rows::Changing));
    // Near the end, all names on these pages have three digits.
    let deep = images - 300;
    if deep > PAGES_IN_TURN * PAGE {
        pages.push(((deep..deep + PAGES_IN_TURN).step_by(1), Rows::Changing));
    }
    // The names on these pages have as many digits as that of the newest image.
    if kind == Kind::Own && images >= COLD_IMAGES_MIN {
        let same_digits = 10_u32.pow((images - 1).ilog10());
        let step = (images - same_digits) / COLD_PAGES;
        pages.push(((0..images - same_digits - PAGE).step_by(step as usize), Rows::Cold));
    }
    pages
}

/// The cases with these rows, with Jingku's answer to the first request of each, which is checked completely.
pub(super) fn cases(
    address: SocketAddr,
    lists: &[List],
    wanted: &[Rows],
) -> Result<(Vec<Case>, Vec<Answer>)> {
    let (mut cases, mut answers) = (Vec::new(), Vec::new());
    for List { callers, kind, owner, images } in lists {
        for (offsets, rows) in pages(*kind, *images).into_iter().filter(|(_, rows)| wanted.contains(rows)) {
            let path = format!("/{}", cases.len());
            let request = |offset| {
                callers.iter().map({
                    let path = &path;
                    move |caller| request(path, *kind, caller, offset)
                })
            };
            let requests: Vec<_> = offsets.clone().flat_map(request).collect();
            let offset = offsets.min().context("no pages")?;
            let (shape, body) = ask(address, &requests[0])?;
            let request_id = check(&body, *kind, *images, offset)?;
            let private_keys =
                callers.iter().map(|caller| (caller.public_key.clone(), caller.private_key.clone()));
            answers.push(Answer { body, request_id, private_keys: private_keys.collect() });
            let (kind, account, images, shapes) = (*kind, *owner, *images, [shape; 3]);
            cases.push(Case { kind, account, images, offset, rows, requests, shapes });
        }
    }
    Ok((cases, answers))
}

/// A signed request for the first page of an account's own images.
pub(in crate::bench) fn first_page(account: &Account) -> Vec<u8> {
    request("/", Kind::Own, account, 0)
}

/// A signed form, as the Python SDK sends it.
fn request(path: &str, kind: Kind, account: &Account, offset: u32) -> Vec<u8> {
    let params = Params::for_action(kind.action())
        .text("Offset", Some(&offset.to_string()))
        .text("Limit", Some(&PAGE.to_string()))
        .text("Name", (kind == Kind::Filtered).then_some("训练"));
    let form = sign_request(params, &account.public_key, &account.private_key).to_form();
    let length = form.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: jingku-bench\r\nAccept: */*\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    );
    (head + &form).into_bytes()
}

/// Checks a page; returns its request id.
fn check(body: &str, kind: Kind, images: u32, offset: u32) -> Result<String> {
    let page: Value = serde_json::from_str(body)?;
    ensure!(page["RetCode"] == 0 && page["TotalCount"] == images, "unexpected {} page: {page}", kind.name());
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
            let fresh = check(&body, case.kind, case.images, case.offset)?;
            ensure!(body.replace(&fresh, &answer.request_id) == answer.body, "a server answers other bytes");
        }
    }
    Ok(())
}

/// These numbers of images, each at most `max`.
pub(super) fn sizes(images: &[u32], max: u32) -> Vec<u32> {
    let mut sizes: Vec<u32> = images.iter().map(|images| *images.min(&max)).collect();
    sizes.dedup();
    sizes
}
