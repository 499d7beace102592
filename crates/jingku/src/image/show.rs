//! `jingku image show`.

use compshare::actions::DescribeCompShareCustomImagesRequest;
use compshare::{Client, Image};

use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{note, print, print_fields, print_json, size, time};

/// The most paths of each kind shown to people; JSON has up to 1000.
const PATHS_SHOWN: usize = 20;

pub(super) async fn run(connection: &Connection<'_>, image_id: &str) -> Result<(), Failure> {
    let global = connection.global;
    let image = find(&connection.client, image_id).await?;
    if global.json { print_json(&image) } else { describe(connection, &image) }
}

pub(super) async fn find(client: &Client, image_id: &str) -> Result<Image, Failure> {
    let request = DescribeCompShareCustomImagesRequest {
        image_id: Some(image_id.into()),
        ..DescribeCompShareCustomImagesRequest::default()
    };
    let page = client.describe_comp_share_custom_images(&request).await?;
    // The cloud has been observed to answer with another image.
    page.image_set
        .into_iter()
        .find(|image| image.comp_share_image_id == image_id)
        .ok_or_else(|| Failure::new(Exit::NotThere, tr!("image-missing", id = image_id)))
}

fn describe(connection: &Connection<'_>, image: &Image) -> Result<(), Failure> {
    let left_out = image.left_out.clone().unwrap_or_default();
    let counted = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    print_fields([
        (tr!("image-field-id"), image.comp_share_image_id.clone()),
        (tr!("image-field-name"), image.name.clone()),
        (tr!("image-field-status"), image.status.as_str().to_owned()),
        (tr!("image-field-reason"), image.failed_reason.clone()),
        (tr!("image-field-size"), size(image.size)),
        (tr!("image-field-zone"), image.zone.clone()),
        (tr!("image-field-created"), time(image.create_time)),
        (tr!("image-field-tags"), image.tags.join(", ")),
        (tr!("image-field-gpu"), image.source_gpu_type.clone()),
        (tr!("image-field-cover"), image.cover.clone()),
        (tr!("image-field-description"), image.description.clone()),
        (tr!("image-field-pull"), pull_command(connection, image).unwrap_or_default()),
        (tr!("image-field-read-from"), left_out.read_from),
        (tr!("image-field-left-out"), counted(left_out.count)),
        (tr!("image-field-secrets"), counted(left_out.secret_count)),
    ])?;
    let left = left_out.paths.iter().map(|left| format!("{} ({})", left.path, left.reason));
    let secrets = left_out.secrets.iter().map(|path| tr!("image-secret", path = path.as_str()));
    let lines: Vec<String> = left.take(PATHS_SHOWN).chain(secrets.take(PATHS_SHOWN)).collect();
    lines.iter().try_for_each(|line| print(&format!("  {line}")))?;
    if left_out.paths.len().max(left_out.secrets.len()) > PATHS_SHOWN {
        note(&tr!("image-paths-more", shown = PATHS_SHOWN));
    }
    match &image.readme {
        Some(readme) if !readme.is_empty() => print(&format!("\n{readme}")),
        _ => Ok(()),
    }
}

/// The command that pulls a container image; `None` for the image of a disk.
pub(super) fn pull_command(connection: &Connection<'_>, image: &Image) -> Option<String> {
    let host = connection.base_url.split_once("://").map_or("", |(_, host)| host).trim_end_matches('/');
    let plain = if connection.base_url.starts_with("http://") { "--tls-verify=false " } else { "" };
    let repository = Some(&image.repository).filter(|repository| !repository.is_empty())?;
    Some(format!("podman pull {plain}{host}/{repository}:latest"))
}
