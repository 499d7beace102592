//! `jingku serve --demo`: creates an image through the API, lists it, and prints what to try next.

use compshare::actions::{CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest};
use compshare::{Image, WaitOptions};
use jingku_library::DEMO_IMAGE_NAME;

use crate::args::{ConnectionArgs, Global, Settings};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::hint;
use crate::image::list::print_images;
use crate::messages::tr;
use crate::output::{print, print_json};

/// Creates an image of the first instance, unless there is one, and suggests creating one of the second.
/// `key_is_elsewhere`: the key pair comes from the environment, not from the data directory.
pub(super) async fn show(
    global: &Global,
    base_url: &str,
    instances: [&str; 2],
    key_is_elsewhere: bool,
) -> Result<(), Failure> {
    let [first, second] = instances;
    let settings = Settings {
        base_url: Some(base_url.to_owned()),
        public_key: std::env::var("JINGKU_PUBLIC_KEY").ok(),
        private_key: std::env::var("JINGKU_PRIVATE_KEY").ok(),
        ..Settings::default()
    };
    let client = Connection::open(global, &ConnectionArgs { settings, profile: None })?.client;
    let list = DescribeCompShareCustomImagesRequest::default();
    if client.describe_comp_share_custom_images(&list).await?.total_count == 0 {
        let request = CreateCompShareCustomImageRequest {
            instance_id: first.into(),
            name: DEMO_IMAGE_NAME.into(),
            description: Some(tr!("serve-demo-description").into()),
            ..CreateCompShareCustomImageRequest::default()
        };
        let made = client.create_comp_share_custom_image(&request).await?;
        client.wait_until_available(&made.comp_share_image_id, &WaitOptions::default(), |_| {}).await?;
    }
    let page = client.describe_comp_share_custom_images(&list).await?;
    if global.json {
        return print_json(&page);
    }
    print_images(&page.image_set)?;
    print(&next_steps(global, &page.image_set, second, key_is_elsewhere))
}

/// Command lines for another terminal, each on its own line.
fn next_steps(global: &Global, images: &[Image], instance_id: &str, key_is_elsewhere: bool) -> String {
    let first = if key_is_elsewhere { tr!("serve-demo-try-with-keys") } else { tr!("serve-demo-try") };
    let mut lines = vec![format!("\n{first}")];
    let mut add = |words: &[&str]| lines.push(format!("  {}", hint::command(global, words)));
    add(&["image", "list"]);
    add(&["image", "create", "--instance", instance_id, "--name", "my-second-env", "--wait"]);
    if let Some(image) = images.first() {
        add(&["image", "export", &image.comp_share_image_id, "-o", "disk.raw"]);
    }
    add(&["instance", "list"]);
    lines.join("\n")
}
