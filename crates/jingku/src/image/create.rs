//! `jingku image create`.

use compshare::actions::CreateCompShareCustomImageRequest;

use super::follow;
use crate::args::{CreateArgs, Global};
use crate::connection::Connection;
use crate::failure::Failure;

pub(super) async fn run(global: &Global, connection: &Connection, args: CreateArgs) -> Result<(), Failure> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance,
        name: args.name,
        description: args.description,
        ..CreateCompShareCustomImageRequest::default()
    };
    let image_id = connection.client.create_comp_share_custom_image(&request).await?.comp_share_image_id;
    follow::begun(global, connection, &image_id, args.wait).await
}
