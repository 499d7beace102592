//! `jingku-testing` in use: tests of code that pages, retries, and handles a failed image.

use std::path::Path;

use compshare::actions::{CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest};
use compshare::{Client, Error, WaitOptions};
use futures::TryStreamExt;
use jingku_testing::{Server, StartError};

use crate::home::Home;

const FIXTURES: &str = "../../testing/pytest-jingku/example/fixtures.toml";

fn start() -> Server {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES);
    // Outside this workspace `Server::start` finds the program.
    Server::start_program(Path::new(env!("CARGO_BIN_EXE_jingku")), Some(&fixtures)).unwrap()
}

/// The code under test: creates an image of the first instance that allows one.
async fn save(client: &Client, name: &str, instances: &[&str]) -> Result<String, Error> {
    let mut last = None;
    for instance in instances {
        let request = CreateCompShareCustomImageRequest {
            instance_id: (*instance).into(),
            name: name.into(),
            ..CreateCompShareCustomImageRequest::default()
        };
        let id = client.create_comp_share_custom_image(&request).await?.comp_share_image_id;
        match client.wait_until_available(&id, &WaitOptions::default(), |_| {}).await {
            Ok(_) => return Ok(id),
            Err(error @ Error::ImageFailed { .. }) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.expect("there is an instance"))
}

#[tokio::test]
async fn code_that_pages_and_retries_passes() {
    let server = start();
    let client = server.client().unwrap();
    server.lab.fail("DescribeCompShareCustomImages", 153, None, 1).await.unwrap();
    server.lab.drop_calls("DescribeCompShareCustomImages", true, 1).await.unwrap();
    let request = DescribeCompShareCustomImagesRequest::default();
    let images: Vec<_> = client.custom_images(request).try_collect().await.unwrap();
    assert_eq!(images.len(), 250);
    assert_eq!(images[0].name, "nightly-250");
    let trace = server.lab.trace(0).await.unwrap();
    let codes: Vec<_> = trace.iter().map(|entry| entry["ret_code"].as_i64().unwrap()).collect();
    // The first call fails, the second breaks off, then follow three pages.
    assert_eq!(codes, [153, 0, 0, 0, 0], "{trace:?}");
    assert!(trace.iter().all(|entry| entry["unknown"].as_array().unwrap().is_empty()), "{trace:?}");
}

#[tokio::test]
async fn code_that_handles_a_failed_image_passes() {
    let server = start();
    let client = server.client().unwrap();
    let id = save(&client, "mine", &["uhost-worn-out", "uhost-trainer"]).await.unwrap();
    let request = DescribeCompShareCustomImagesRequest { image_id: Some(id.into()), ..Default::default() };
    let page = client.describe_comp_share_custom_images(&request).await.unwrap();
    assert_eq!(page.image_set[0].name, "mine");
    server.lab.reset().await.unwrap();
    let error = save(&client, "mine", &["uhost-worn-out"]).await.unwrap_err();
    assert!(error.to_string().contains("disk changed while it was read"), "{error}");
}

#[test]
fn a_program_that_is_not_jingku_is_reported() {
    let home = Home::new();
    let missing = Server::start_program(&home.path("jingku"), None).unwrap_err();
    assert!(matches!(missing, StartError::Program { .. }), "{missing}");
    let wrong = Server::start_program(Path::new("/bin/true"), None).unwrap_err();
    assert!(matches!(wrong, StartError::Output { .. }), "{wrong}");
    // The reason is on standard error.
    let file = home.path("fixtures.toml");
    std::fs::write(&file, "x = 1").unwrap();
    let refused = Server::start_program(Path::new(env!("CARGO_BIN_EXE_jingku")), Some(&file)).unwrap_err();
    assert!(matches!(refused, StartError::Output { .. }), "{refused}");
}
