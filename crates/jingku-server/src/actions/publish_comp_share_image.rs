use jingku_catalog::{ImageChanges, PublishImage, PublishRefusal, Submission};
use jingku_library::{Approve, group_id, price_to_cents};
use jingku_protocol::actions::{PublishCompShareImageRequest, PublishCompShareImageResponse};

use crate::caller::Caller;
use crate::context::Context;
use crate::cover;
use crate::error::Error;
use crate::view::{texts, to_json};

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: PublishCompShareImageRequest,
) -> Result<PublishCompShareImageResponse, Error> {
    context.zones.resolve(&request.place)?;
    let cover = cover::check(context, request.cover.as_deref()).await?;
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
    let new_group_id = group_id(&*context.random);
    let submission = context.submission(&new_group_id, request.community_name.as_deref());
    let (scope, own_request, now) = (caller.own(), caller.request.as_deref(), context.clock.now());
    match context
        .catalog
        .publish_image(scope, &request.image_id, submission, changes, own_request, now)
        .await?
    {
        PublishImage::Published(group_id) => {
            Ok(PublishCompShareImageResponse { new_comp_share_image_id: request.image_id.into(), group_id })
        }
        PublishImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
        PublishImage::AlreadyPublished => Err(Error::not_available("CompShareImageId")),
        PublishImage::Refused(refusal) => {
            Err(refused(refusal, &request.image_id, request.group_id.as_deref()))
        }
    }
}

/// Why an image cannot be published, or moved to a group or version.
pub(super) fn refused(refusal: PublishRefusal, image_id: &str, group_id: Option<&str>) -> Error {
    match refusal {
        PublishRefusal::GroupNotFound => Error::ResourceNotFound(group_id.unwrap_or_default().to_owned()),
        PublishRefusal::VersionTaken(name) => Error::VersionTaken(name),
        PublishRefusal::NotAvailable => Error::ImageNotAvailable(image_id.to_owned()),
        PublishRefusal::NotFromContainer => Error::not_available("CompShareImageId"),
    }
}

impl Context {
    /// The rules for publishing. A strict server accepts only images of containers, like the real service.
    pub(super) fn submission<'a>(
        &self,
        new_group_id: &'a str,
        community_name: Option<&'a str>,
    ) -> Submission<'a> {
        Submission {
            new_group_id,
            community_name,
            approve: self.config.community.approve == Approve::Automatic,
            containers_only: self.config.strict,
        }
    }
}
