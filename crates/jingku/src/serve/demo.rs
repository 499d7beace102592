//! `jingku serve --demo`: makes an image through the API, lists it, and says what to type next.

use compshare::WaitOptions;
use compshare::actions::{CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest};
use jingku_service::DEMO_IMAGE_NAME;

use crate::args::{ConnectionArgs, Global};
use crate::connection;
use crate::failure::Failure;
use crate::image::print_images;
use crate::lang::tr;
use crate::output::print;

const INSTANCE: &str = "uhost-demo1";

pub(super) async fn show(global: &Global, base_url: &str) -> Result<(), Failure> {
    let args = ConnectionArgs {
        base_url: Some(base_url.to_owned()),
        public_key: std::env::var("JINGKU_PUBLIC_KEY").ok(),
        private_key: std::env::var("JINGKU_PRIVATE_KEY").ok(),
        region: None,
        zone: None,
        profile: None,
    };
    let client = connection::client(global, args)?;
    let list = DescribeCompShareCustomImagesRequest::default();
    if client.describe_comp_share_custom_images(&list).await?.total_count == 0 {
        let request = CreateCompShareCustomImageRequest {
            instance_id: INSTANCE.to_owned(),
            name: DEMO_IMAGE_NAME.to_owned(),
            description: Some(tr("made by jingku serve --demo", "由 jingku serve --demo 制作").to_owned()),
            ..CreateCompShareCustomImageRequest::default()
        };
        let made = client.create_comp_share_custom_image(&request).await?;
        client.wait_until_available(&made.comp_share_image_id, &WaitOptions::default(), |_| {}).await?;
    }
    let page = client.describe_comp_share_custom_images(&list).await?;
    print_images(&page.image_set)?;
    print(&next_steps(global, &page.image_set[0].comp_share_image_id))
}

fn next_steps(global: &Global, image_id: &str) -> String {
    let folder = match &global.data_dir {
        Some(path) => format!(" --data-dir {}", path.display()),
        None => String::new(),
    };
    let commands = format!(
        "  jingku image list{folder}
  jingku image create --instance uhost-demo2 --name my-second-env --wait{folder}
  jingku image export {image_id} -o disk.raw{folder}
  jingku instance list{folder}"
    );
    tr(format!("\nTry in another terminal:\n{commands}"), format!("\n可以在另一个终端里试试：\n{commands}"))
}
