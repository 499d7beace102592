use jingku_catalog::{ImageChanges, PublishImage, Submission};
use jingku_library::{Approve, group_id, price_to_cents};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::cover;
use crate::error::Error;
use crate::view::{texts, to_json};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::PublishCompShareImageRequest,
) -> Result<api::PublishCompShareImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let cover = cover::check(call.context, request.cover.as_deref()).await?;
    let tags = request.tags.as_deref().map(texts);
    let supported_gpu_types = request.supported_gpu_types.as_deref().map(texts);
    let softwares = request.softwares.as_ref().map(to_json);
    let changes = ImageChanges {
        description: request.description.as_deref(),
        tags: tags.as_deref(),
        cover: cover.as_ref(),
        readme: request.readme.as_deref(),
        // Absent is free, not unchanged: the documents require a price for every version.
        price_cents: Some(request.price.map_or(0, |price| price_to_cents(price.0))),
        auto_start: request.auto_start,
        softwares: softwares.as_deref(),
        supported_gpu_types: supported_gpu_types.as_deref(),
        group_id: request.group_id.as_deref(),
        version_name: request.version_name.as_deref(),
        version_desc: request.version_desc.as_deref(),
        ..ImageChanges::default()
    };
    let new_group_id = group_id(&*call.library.random);
    let submission = call.submission(&new_group_id, request.community_name.as_deref());
    let (catalog, now) = (&call.library.catalog, call.library.clock.now());
    let (id, own_request) = (&request.image_id, call.request.as_deref());
    match catalog.publish_image(call.own(), id, submission, changes, own_request, now).await? {
        PublishImage::Published(group_id) => Ok(api::PublishCompShareImageResponse {
            new_comp_share_image_id: request.image_id.into(),
            group_id,
        }),
        PublishImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
        PublishImage::AlreadyPublished | PublishImage::NotFromContainer => {
            Err(Error::not_available("CompShareImageId"))
        }
        PublishImage::NotAvailable => Err(Error::ImageNotAvailable(request.image_id.into())),
        PublishImage::GroupNotFound => {
            Err(Error::ResourceNotFound(request.group_id.unwrap_or_default().into()))
        }
        PublishImage::VersionTaken => {
            Err(Error::VersionTaken(request.version_name.unwrap_or_default().into()))
        }
    }
}

impl Call<'_> {
    /// The rules for publishing. A strict server accepts only images of containers, like the real service.
    pub(super) fn submission<'a>(
        &self,
        new_group_id: &'a str,
        community_name: Option<&'a str>,
    ) -> Submission<'a> {
        Submission {
            new_group_id,
            community_name,
            approve: self.library.config.community.approve == Approve::Automatic,
            containers_only: self.library.config.strict,
        }
    }
}
