//! `jingku image promote` and `demote`: platform images.

use serde_json::json;

use crate::args::{Global, PlatformCommand};
use crate::failure::Failure;
use crate::library::open;
use crate::messages::tr;
use crate::output::{done, note, print, print_json};

pub(crate) async fn platform(global: &Global, command: PlatformCommand) -> Result<(), Failure> {
    match command {
        PlatformCommand::Promote { image_id, image_type, name } => {
            let context = open(global).await?;
            let image = context.promote_image(&image_id, image_type, name.as_deref()).await?;
            if global.json {
                return print_json(&json!({
                    "CompShareImageId": image.id, "Name": image.name,
                    "ImageType": image.platform_type.as_str(), "CopiedFrom": image.copied_from,
                }));
            }
            print(&image.id)?;
            note(&tr!("operate-promoted", name = image.name, kind = image.platform_type.as_str()));
            Ok(())
        }
        PlatformCommand::Demote { image_id } => {
            open(global).await?.demote_image(&image_id).await?;
            done(global, &json!({ "CompShareImageId": image_id }), &tr!("operate-demoted"))
        }
    }
}
