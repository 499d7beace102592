//! `jingku image create`.

use compshare::actions::CreateCompShareCustomImageRequest;
use serde_json::json;

use super::follow;
use crate::args::{CreateArgs, Global};
use crate::connection;
use crate::failure::Failure;
use crate::lang::tr;
use crate::output::{print, print_json};

pub(super) async fn run(global: &Global, args: CreateArgs) -> Result<(), Failure> {
    let client = connection::client(global, args.connection)?;
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance,
        name: args.name,
        description: args.description,
        ..CreateCompShareCustomImageRequest::default()
    };
    let image_id = client.create_comp_share_custom_image(&request).await?.comp_share_image_id;
    if args.wait {
        return follow::until_made(global, &client, &image_id).await;
    }
    if global.json {
        return print_json(&json!({ "CompShareImageId": image_id }));
    }
    print(&tr(
        format!("{image_id}\nIt is being made. Follow it with: jingku image progress {image_id} --wait"),
        format!("{image_id}\n正在制作。查看进度：jingku image progress {image_id} --wait"),
    ))
}
