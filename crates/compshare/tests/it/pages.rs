//! The stream over all pages.

use compshare::actions::{DescribeCompShareCustomImagesRequest, Paging};
use compshare::{Error, Image};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::server::{Answer, Seen, Server};

fn rows(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(|number| json!({"CompShareImageId": format!("i{number}"), "Status": "Available"})).collect()
}

fn number(seen: &Seen, name: &str) -> usize {
    seen.text(name).map_or(0, |text| text.parse().unwrap())
}

/// Pages as the cloud gives them, by `Offset` alone, with a total made from the true one and the page's.
fn by_offset(
    total: usize,
    claimed_total: fn(usize, usize) -> usize,
) -> impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static {
    move |_, seen| {
        let from = number(seen, "Offset").min(total);
        let page = rows(from..total.min(from + number(seen, "Limit")));
        Answer::Json(json!({"RetCode": 0, "TotalCount": claimed_total(total, page.len()), "ImageSet": page}))
    }
}

/// Pages as Jingku gives them.
fn by_token(total: usize) -> impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static {
    move |_, seen| {
        let from = seen.text("NextToken").map_or(number(seen, "Offset"), |token| token[6..].parse().unwrap());
        let to = total.min(from + number(seen, "Limit"));
        let next = if to < total { format!("token-{to}") } else { String::new() };
        Answer::Json(
            json!({"RetCode": 0, "TotalCount": total, "ImageSet": rows(from..to), "NextToken": next}),
        )
    }
}

fn limit(limit: u32) -> DescribeCompShareCustomImagesRequest {
    let paging = Paging { limit: Some(limit.into()), ..Paging::default() };
    DescribeCompShareCustomImagesRequest { paging, ..DescribeCompShareCustomImagesRequest::default() }
}

async fn ids(server: &Server, request: DescribeCompShareCustomImagesRequest) -> Vec<String> {
    let images: Vec<Image> = server.client().custom_images(request).try_collect().await.unwrap();
    images.into_iter().map(|image| image.comp_share_image_id).collect()
}

fn expected(total: usize) -> Vec<String> {
    (0..total).map(|number| format!("i{number}")).collect()
}

#[tokio::test]
async fn paging_by_offset_lists_every_row_once() {
    // Total of the account, page requests: a total no larger than the one page proves nothing, see `after`.
    for (total, pages) in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (20, 2), (25, 3), (30, 3)] {
        let server = Server::start(by_offset(total, |total, _| total)).await;
        assert_eq!(ids(&server, limit(10)).await, expected(total));
        assert_eq!(server.seen().len(), pages, "{total} rows");
        let offsets: Vec<_> = server.seen().iter().map(|seen| number(seen, "Offset")).collect();
        assert_eq!(offsets, (0..pages).map(|page| 10 * page).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_wrong_total_hides_no_row() {
    for claimed_total in [|_, page| page, |_, _| 0] {
        let server = Server::start(by_offset(30, claimed_total)).await;
        assert_eq!(ids(&server, limit(10)).await, expected(30));
        assert_eq!(server.seen().len(), 4);
    }
}

#[tokio::test]
async fn paging_by_token_lists_every_row_once() {
    for (total, pages) in [(0, 1), (9, 1), (11, 2), (20, 2), (25, 3)] {
        let server = Server::start(by_token(total)).await;
        assert_eq!(ids(&server, limit(10)).await, expected(total));
        let seen = server.seen();
        assert_eq!(seen.len(), pages, "{total} rows");
        for (page, seen) in seen.iter().enumerate().skip(1) {
            assert_eq!(seen.text("NextToken"), Some(format!("token-{}", 10 * page).as_str()));
            assert_eq!(seen.text("Offset"), None);
        }
    }
}

#[tokio::test]
async fn paging_starts_at_the_requested_offset_with_large_pages() {
    let server = Server::start(by_offset(250, |total, _| total)).await;
    let mut request = limit(0);
    request.paging.offset = Some(120.into());
    assert_eq!(ids(&server, request).await, expected(250)[120..]);
    let asked: Vec<_> =
        server.seen().iter().map(|seen| (number(seen, "Offset"), number(seen, "Limit"))).collect();
    assert_eq!(asked, [(120, 100), (220, 100)]);
}

#[tokio::test]
async fn a_page_is_requested_only_when_needed() {
    let server = Server::start(by_offset(30, |total, _| total)).await;
    let mut images = server.client().custom_images(limit(10));
    assert_eq!(server.seen().len(), 0);
    for _ in 0..10 {
        images.try_next().await.unwrap().unwrap();
    }
    assert_eq!(server.seen().len(), 1);
    images.try_next().await.unwrap().unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let pages = by_offset(30, |total, _| total);
    let server = Server::start(move |before, seen| match before {
        1 => Answer::Json(json!({"RetCode": 230, "Message": "Params [Offset] not available"})),
        _ => pages(before, seen),
    })
    .await;
    let all: Vec<Result<Image, Error>> = server.client().custom_images(limit(10)).collect().await;
    assert_eq!(all.len(), 11);
    assert_eq!(all[10].as_ref().unwrap_err().ret_code(), Some(230));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_repeated_page_ends_the_stream() {
    let server =
        Server::start(|_, _| Answer::Json(json!({"RetCode": 0, "TotalCount": 10, "ImageSet": rows(0..10)})))
            .await;
    let all: Vec<Result<Image, Error>> = server.client().custom_images(limit(10)).collect().await;
    assert_eq!(all.len(), 11);
    assert!(all[10].as_ref().unwrap_err().to_string().contains("the one before"), "{:?}", all[10]);
    assert_eq!(server.seen().len(), 2);
}
