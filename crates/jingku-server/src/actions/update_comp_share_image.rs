use jingku_catalog::{ImageChanges, Publication, UpdateImage};
use jingku_library::{group_id, price_to_cents};
use jingku_protocol::actions as api;

use super::publish_comp_share_image::refused;
use crate::call::Call;
use crate::cover;
use crate::error::Error;
use crate::view::texts;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::UpdateCompShareImageRequest,
) -> Result<api::UpdateCompShareImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let cover = cover::check(call.context, request.cover.as_deref()).await?;
    let tags = request.tags.as_deref().map(texts);
    let supported_gpu_types = request.supported_gpu_types.as_deref().map(texts);
    let new_group_id = group_id(&*call.library.random);
    let publication = |public| {
        if public { Publication::Public(call.submission(&new_group_id, None)) } else { Publication::Private }
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
        supported_gpu_types: supported_gpu_types.as_deref(),
        group_id: request.group_id.as_deref(),
        version_name: request.version_name.as_deref(),
        version_desc: request.version_desc.as_deref(),
        ..ImageChanges::default()
    };
    match call
        .library
        .catalog
        .update_image(call.own(), &request.image_id, changes, call.library.clock.now())
        .await?
    {
        UpdateImage::Updated => Ok(api::UpdateCompShareImageResponse {}),
        UpdateImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
        UpdateImage::NameTaken => {
            let name = request.name.as_deref().unwrap_or_default();
            call.name_taken("Name", name).await
        }
        UpdateImage::Refused(refusal) => {
            Err(refused(refusal, &request.image_id, request.group_id.as_deref()))
        }
    }
}
