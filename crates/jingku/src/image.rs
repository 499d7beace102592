//! The image commands. They use the API, so they work with this server and the cloud.

mod archive;
mod cover;
mod estimate;
mod export;
mod fingerprint;
mod follow;
mod import;
mod input;
pub(crate) mod list;
mod look;
mod producer;
mod reader;
mod show;
mod source;
mod sparse_file;
mod trash;
mod usage;

use compshare::Client;
use compshare::actions::{
    CreateCompShareCustomImageRequest, GetCompShareCustomImageUrlRequest,
    TerminateCompShareCustomImageRequest, UpdateCompShareImageRequest,
};
use serde_json::json;

use crate::args::{CreateArgs, Global, ImageCommand, OneImage, UpdateArgs, UrlArgs, Visibility};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{done, note, print, print_json, time, warn};

pub(crate) async fn run(global: &Global, command: ImageCommand) -> Result<(), Failure> {
    let connection = Connection::open(global, command.connection())?;
    let client = &connection.client;
    let outcome = match command {
        ImageCommand::List(args) => list::run(global, client, args).await,
        ImageCommand::Show(args) => show::run(&connection, &args.image_id).await,
        ImageCommand::Create(args) => create(&connection, args).await,
        ImageCommand::Progress { one, wait: true } => follow::until_made(&connection, &one.image_id).await,
        ImageCommand::Progress { one, wait: false } => follow::progress(&connection, &one.image_id).await,
        ImageCommand::Update(args) => update(global, client, args).await,
        ImageCommand::Delete(args) => delete(global, client, args).await,
        ImageCommand::Export(args) => export::run(&connection, args).await,
        ImageCommand::Import(args) => import::run(&connection, args).await,
        ImageCommand::Url(args) => url(global, client, args).await,
        ImageCommand::Usage { image_id, .. } => usage::run(global, client, image_id.as_deref()).await,
        ImageCommand::Trash { command } => trash::run(global, client, command).await,
    };
    outcome.map_err(|failure| connection.explain(failure))
}

async fn create(connection: &Connection<'_>, args: CreateArgs) -> Result<(), Failure> {
    let request = CreateCompShareCustomImageRequest {
        instance_id: args.instance.into(),
        name: args.name.into(),
        description: args.description.map(Into::into),
        // Absent, the server's setting applies.
        pause: args.pause.then_some(true),
        exclude_secrets: args.exclude_secrets.then_some(true),
        estimate: args.estimate.then_some(true),
        ..CreateCompShareCustomImageRequest::default()
    };
    let created = connection.client.create_comp_share_custom_image(&request).await?;
    if args.estimate {
        return estimate::show(connection.global, created);
    }
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
    if global.json { print_json(&show::find(client, &image_id).await?) } else { print(&tr!("image-updated")) }
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
