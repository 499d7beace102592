//! Lists the account's custom images. Set `COMPSHARE_PUBLIC_KEY`, `COMPSHARE_PRIVATE_KEY` and, for your own server,
//! `COMPSHARE_BASE_URL`.
#![allow(clippy::print_stdout)] // an example prints its result

use compshare::actions::DescribeCompShareCustomImagesRequest;
use compshare::{Client, Config, Error};
use futures::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::new(Config::from_env()?)?;
    let mut images = client.custom_images(DescribeCompShareCustomImagesRequest::default());
    while let Some(image) = images.try_next().await? {
        println!("{} {} {}", image.comp_share_image_id, image.name, image.status.as_str());
    }
    Ok(())
}
