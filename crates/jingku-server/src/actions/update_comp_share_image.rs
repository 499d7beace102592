use jingku_catalog::{ImageChanges, Publication, UpdateImage};
use jingku_library::{group_id, price_to_cents};
use jingku_protocol::actions::{UpdateCompShareImageRequest, UpdateCompShareImageResponse};

use super::publish_comp_share_image::refused;
use crate::caller::Caller;
use crate::context::Context;
use crate::cover;
use crate::error::Error;
use crate::view::texts;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: UpdateCompShareImageRequest,
) -> Result<UpdateCompShareImageResponse, Error> {
    context.zones.resolve(&request.place)?;
    let cover = cover::check(context, request.cover.as_deref()).await?;
    let tags = request.tags.as_deref().map(texts);
    let supported_gpu_types = request.supported_gpu_types.as_deref().map(texts);
    let new_group_id = group_id(&*context.random);
    let publication = |public| {
        if public {
            Publication::Public(context.submission(&new_group_id, None))
        } else {
            Publication::Private
        }
    };
    let changes = ImageChanges {
        name: request.name.as_deref(),
        description: request.description.as_deref(),
        tags: tags.as_deref(),
        cover: cover.as_ref(),
        readme: request.readme.as_deref(),
        publication: request.public.map(publication),
        price_cents: request.price.map(|price| price_to_cents(price.0)),
        auto_start: request.auto_start,
        softwares: None,
        supported_gpu_types: supported_gpu_types.as_deref(),
        software_ports: None,
        firewall_ports: None,
        group_id: request.group_id.as_deref(),
        version_name: request.version_name.as_deref(),
        version_desc: request.version_desc.as_deref(),
    };
    match context.catalog.update_image(caller.own(), &request.image_id, changes, context.clock.now()).await? {
        UpdateImage::Updated => Ok(UpdateCompShareImageResponse {}),
        UpdateImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
        UpdateImage::NameTaken => {
            let name = request.name.as_deref().unwrap_or_default();
            Err(caller.name_taken(context, "Name", name).await)
        }
        UpdateImage::Refused(refusal) => {
            Err(refused(refusal, &request.image_id, request.group_id.as_deref()))
        }
    }
}
