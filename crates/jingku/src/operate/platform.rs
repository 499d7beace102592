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
            let (name, kind) = (&image.name, image.platform_type.as_str());
            note(&tr!("operate-promoted", name = name, kind = kind));
            Ok(())
        }
        PlatformCommand::Demote { image_id } => {
            open(global).await?.demote_image(&image_id).await?;
            let text = tr!("operate-demoted");
            done(global, &json!({ "CompShareImageId": image_id }), &text)
        }
    }
}
