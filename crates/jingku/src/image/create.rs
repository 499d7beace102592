//! `jingku image create`.

use compshare::actions::CreateCompShareCustomImageRequest;
use serde_json::json;

use super::follow;
use crate::args::{CreateArgs, Global};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::lang::tr;
use crate::output::{note, print, print_json};

pub(super) async fn run(global: &Global, connection: &Connection, args: CreateArgs) -> Result<(), Failure> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance,
        name: args.name,
        description: args.description,
        ..CreateCompShareCustomImageRequest::default()
    };
    let image_id = connection.client.create_comp_share_custom_image(&request).await?.comp_share_image_id;
    if args.wait {
        return follow::until_made(global, connection, &image_id).await;
    }
    if global.json {
        return print_json(&json!({ "CompShareImageId": image_id }));
    }
    // The id alone on standard output: `id=$(jingku image create …)`.
    print(&image_id)?;
    let follow = connection.command(global, &["image", "progress", &image_id, "--wait"]);
    note(&tr(format!("It is being made. Follow it with: {follow}"), format!("正在制作。查看进度：{follow}")));
    Ok(())
}
