//! `jingku image create`.

use compshare::actions::CreateCompShareCustomImageRequest;

use super::follow;
use crate::args::CreateArgs;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::warn;

pub(super) async fn run(connection: &Connection<'_>, args: CreateArgs) -> Result<(), Failure> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance.into(),
        name: args.name.into(),
        description: args.description.map(Into::into),
        ..CreateCompShareCustomImageRequest::default()
    };
    let created = connection.client.create_comp_share_custom_image(&request).await?;
    // With --wait, the warnings are shown at the end.
    if !args.wait {
        created.warnings.iter().for_each(|warning| warn(warning));
    }
    follow::begun(connection, &created.comp_share_image_id, args.wait).await
}
