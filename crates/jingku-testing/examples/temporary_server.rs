//! Starts a temporary server, lets its first answer be a failure, and lists the images of its account. Needs the program
//! `jingku`, in `JINGKU_BIN` or on the `PATH`.
#![allow(clippy::print_stdout)] // an example prints its result

use std::error::Error;

use compshare::actions::DescribeCompShareCustomImagesRequest;
use jingku_testing::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(None)?;
    server.lab.fail("DescribeCompShareCustomImages", 153, None, 1).await?;
    // The client tries again by itself.
    let request = DescribeCompShareCustomImagesRequest::default();
    let page = server.client()?.describe_comp_share_custom_images(&request).await?;
    println!("{} images", page.total_count);
    Ok(())
}
