//! `jingku image url`.

use compshare::Client;
use compshare::actions::GetCompShareCustomImageUrlRequest;

use crate::args::{Global, UrlArgs};
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{note, print, print_json, time};

pub(super) async fn run(global: &Global, client: &Client, args: UrlArgs) -> Result<(), Failure> {
    let request = GetCompShareCustomImageUrlRequest {
        image_id: args.one.image_id.into(),
        expires_secs: Some(args.expires.into()),
    };
    let link = client.get_comp_share_custom_image_url(&request).await?;
    if global.json {
        return print_json(&link);
    }
    // Only the link on standard output: `curl -C - -o disk.raw "$(jingku image url …)"`.
    print(&link.url)?;
    note(&tr!("image-link-note", time = time(link.expire_time)));
    Ok(())
}
