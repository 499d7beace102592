//! The image commands. They use the API, so they work with this server and the cloud.

mod archive;
mod cover;
mod export;
mod fingerprint;
mod follow;
mod import;
mod input;
pub(crate) mod list;
mod look;
mod producer;
mod reader;
mod source;
mod sparse_file;

use compshare::actions::{
    CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest,
    GetCompShareCustomImageUrlRequest, TerminateCompShareCustomImageRequest, UpdateCompShareImageRequest,
};
use compshare::{Client, Image};
use serde_json::json;

use crate::args::{CreateArgs, Global, ImageCommand, OneImage, UpdateArgs, UrlArgs, Visibility};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{done, note, print, print_fields, print_json, size, time, warn};

pub(crate) async fn run(global: &Global, command: ImageCommand) -> Result<(), Failure> {
    let connection = Connection::open(global, command.connection())?;
    let client = &connection.client;
    let outcome = match command {
        ImageCommand::List(args) => list::run(global, client, args).await,
        ImageCommand::Show(args) => show(&connection, &args.image_id).await,
        ImageCommand::Create(args) => create(&connection, args).await,
        ImageCommand::Progress { one, wait: true } => follow::until_made(&connection, &one.image_id).await,
        ImageCommand::Progress { one, wait: false } => follow::progress(&connection, &one.image_id).await,
        ImageCommand::Update(args) => update(global, client, args).await,
        ImageCommand::Delete(args) => delete(global, client, args).await,
        ImageCommand::Export(args) => export::run(&connection, args).await,
        ImageCommand::Import(args) => import::run(&connection, args).await,
        ImageCommand::Url(args) => url(global, client, args).await,
    };
    outcome.map_err(|failure| connection.explain(failure))
}

async fn show(connection: &Connection<'_>, image_id: &str) -> Result<(), Failure> {
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
        (tr!("image-field-left-out"), counted(left_out.count)),
        (tr!("image-field-secrets"), counted(left_out.secret_count)),
    ])?;
    for left in &left_out.paths {
        print(&format!("  {} ({})", left.path, left.reason))?;
    }
    for secret in &left_out.secrets {
        print(&tr!("image-secret", path = secret.as_str()))?;
    }
    match &image.readme {
        Some(readme) if !readme.is_empty() => print(&format!("\n{readme}")),
        _ => Ok(()),
    }
}

/// The command that pulls a container image; `None` for the image of a disk.
fn pull_command(connection: &Connection<'_>, image: &Image) -> Option<String> {
    let host = connection.base_url.split_once("://").map_or("", |(_, host)| host).trim_end_matches('/');
    let plain = if connection.base_url.starts_with("http://") { "--tls-verify=false " } else { "" };
    let repository = Some(&image.repository).filter(|repository| !repository.is_empty())?;
    Some(format!("podman pull {plain}{host}/{repository}:latest"))
}

async fn create(connection: &Connection<'_>, args: CreateArgs) -> Result<(), Failure> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance.into(),
        name: args.name.into(),
        description: args.description.map(Into::into),
        // Absent, the server's setting applies.
        pause: args.pause.then_some(true),
        exclude_secrets: args.exclude_secrets.then_some(true),
        ..CreateCompShareCustomImageRequest::default()
    };
    let created = connection.client.create_comp_share_custom_image(&request).await?;
    // With --wait, the warnings are shown at the end.
    if !args.wait {
        created.warnings.iter().for_each(|warning| warn(warning));
    }
    follow::begun(connection, &created.comp_share_image_id, args.wait).await
}

async fn update(global: &Global, client: &Client, args: UpdateArgs) -> Result<(), Failure> {
    let image_id = args.one.image_id;
    let cover = args.cover.as_deref().map(cover::read).transpose()?;
    let request = UpdateCompShareImageRequest {
        image_id: image_id.as_str().into(),
        name: args.name.map(Into::into),
        description: args.description.map(Into::into),
        readme: args.readme.map(Into::into),
        cover: cover.map(Into::into),
        public: args.visibility.map(|visibility| visibility == Visibility::Public),
        tags: changed(args.tags).map(Into::into),
        supported_gpu_types: changed(args.gpu_types).map(Into::into),
        auto_start: args.auto_start,
        ..UpdateCompShareImageRequest::default()
    };
    client.update_comp_share_image(&request).await.map_err(|error| cover::explain(error.into()))?;
    if global.json { print_json(&find(client, &image_id).await?) } else { print(&tr!("image-updated")) }
}

/// A repeated option: absent changes nothing, a single empty value clears.
fn changed(values: Vec<String>) -> Option<Vec<String>> {
    (!values.is_empty()).then(|| values.into_iter().filter(|value| !value.is_empty()).collect())
}

async fn delete(global: &Global, client: &Client, args: OneImage) -> Result<(), Failure> {
    let request = TerminateCompShareCustomImageRequest {
        image_id: args.image_id.as_str().into(),
        ..TerminateCompShareCustomImageRequest::default()
    };
    client.terminate_comp_share_custom_image(&request).await?;
    done(global, &json!({ "CompShareImageId": args.image_id }), &tr!("image-deleted"))
}

async fn url(global: &Global, client: &Client, args: UrlArgs) -> Result<(), Failure> {
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
