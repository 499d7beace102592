//! The page of one image, and what its buttons do.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use fluent_bundle::FluentArgs;
use jingku_protocol::actions::{
    CommunityQuery, CopyCompShareCustomImageRequest, DescribeCommunityImagesRequest,
    DescribeCompShareCustomImagesRequest, DescribeCompShareImageShareAccountsRequest,
    DescribeCompShareImagesRequest, DescribeCompShareSharingImagesRequest, GetCompShareCustomImageUrlRequest,
    MAX_LINK_SECS, MAX_NAME_CHARS, ModifyCompShareImageShareAccountRequest, PublishCompShareImageRequest,
    UpdateCompShareImageRequest,
};
use jingku_protocol::{Image, ImageStatus, Owner, RetCode};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{Failure, error, explain, status};
use crate::form::Form;
use crate::lang::Lang;
use crate::page::{Frame, Notice, image_url, render};
use crate::progress::{Status, poll_url};
use crate::readme;
use crate::shares::{accounts, invalid};
use crate::shown::{Time, bytes, megabytes};
use crate::snippets::{self, Snippet};
use crate::tags;

/// How the caller sees an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    Shared,
    Community,
    Platform,
}

#[derive(Template)]
#[template(path = "image.html")]
struct Page {
    frame: Frame,
    id: String,
    url: String,
    name: String,
    description: String,
    tags: Vec<String>,
    /// The path of the cover; empty without one.
    cover: String,
    readme: String,
    status: Status,
    facts: Vec<(String, String)>,
    times: Vec<(String, Time)>,
    is_own: bool,
    is_available: bool,
    /// Whether it can leave as a disk.
    is_disk: bool,
    shares: Vec<Owner>,
    snippets: Vec<Snippet>,
    link: Option<Link>,
    name_chars_max: usize,
    poll: String,
}

struct Link {
    url: String,
    text: String,
    expires: Option<Time>,
}

/// The lifetimes of a link that the page offers, in seconds.
const LINK_SECS: [i64; 3] = [3600, 8 * 3600, MAX_LINK_SECS];

pub(crate) async fn show(
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let done = query.iter().find(|(name, _)| name == "done").map_or("", |(_, value)| value);
    let notice = done_message(done).map(|id| Notice::done(caller.visitor.lang.t(id)));
    page(&caller, &id, notice, None, StatusCode::OK).await
}

fn done_message(done: &str) -> Option<&'static str> {
    match done {
        "made" => Some("done-made"),
        "imported" => Some("done-imported"),
        "made-without-tags" => Some("done-made-without-tags"),
        "edited" => Some("done-edited"),
        "shared" => Some("done-shared"),
        "unshared" => Some("done-unshared"),
        "copied" => Some("done-copied"),
        "published" => Some("done-published"),
        _ => None,
    }
}

/// Finds an image among those that the caller can see.
async fn find(caller: &Caller, id: &str) -> Result<Option<(Origin, Image)>, Refusal> {
    let one = || Some(id.into());
    let own = DescribeCompShareCustomImagesRequest { image_id: one(), ..Default::default() };
    if let Some(page) = unless_absent(caller.call(&own).await)?
        && let Some(image) = page.image_set.into_iter().next()
    {
        return Ok(Some((Origin::Own, image)));
    }
    let shared = DescribeCompShareSharingImagesRequest { image_id: one(), ..Default::default() };
    if let Some(page) = unless_absent(caller.call(&shared).await)?
        && let Some(image) = page.image_set.into_iter().next()
    {
        return Ok(Some((Origin::Shared, image)));
    }
    let query = CommunityQuery { image_id: one(), ..Default::default() };
    if let Some(page) = unless_absent(caller.call(&DescribeCommunityImagesRequest { query }).await)?
        && let Some(image) = page.image_set.into_iter().next()
    {
        return Ok(Some((Origin::Community, image)));
    }
    let platform = DescribeCompShareImagesRequest { image_id: one(), ..Default::default() };
    let page = unless_absent(caller.call(&platform).await)?;
    Ok(page.and_then(|page| page.image_set.into_iter().next()).map(|image| (Origin::Platform, image)))
}

/// The action for the platform's images answers an unknown id with the second.
fn is_absent(ret_code: RetCode) -> bool {
    matches!(ret_code, RetCode::ResourceNotFound | RetCode::ParamNotAvailable)
}

fn unless_absent<T>(called: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match called {
        Ok(answer) => Ok(Some(answer)),
        Err(refusal) if is_absent(refusal.ret_code) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

async fn page(
    caller: &Caller,
    id: &str,
    notice: Option<Notice>,
    link: Option<Link>,
    code: StatusCode,
) -> Response {
    let (origin, image) = match find(caller, id).await {
        Ok(Some(found)) => found,
        Ok(None) => return Failure::NotFound.show(&caller.visitor),
        Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
    };
    let is_own = origin == Origin::Own;
    let shares = if is_own {
        let request =
            DescribeCompShareImageShareAccountsRequest { image_id: id.into(), ..Default::default() };
        match caller.call(&request).await {
            Ok(answer) => answer.account_set,
            Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
        }
    } else {
        Vec::new()
    };
    let lang = caller.visitor.lang;
    let status = Status::of(caller, &image).await;
    let poll = poll_url(std::iter::once(&status), "image");
    let frame = Frame::new(caller, image.name.clone(), "images");
    let back = form_urlencoded::byte_serialize(image_url(id).as_bytes()).collect();
    let is_available = !matches!(image.status, ImageStatus::Making | ImageStatus::UnAvailable);
    let page = Page {
        frame: Frame { notice, reloads: !poll.is_empty(), back, ..frame },
        facts: facts(lang, origin, &image),
        times: times(lang, &image),
        // Covers are at this server, whatever address its public URL has.
        cover: image.cover.rsplit_once("/covers/").map(|(_, id)| format!("/covers/{id}")).unwrap_or_default(),
        readme: image.readme.as_deref().map(readme::render).unwrap_or_default(),
        snippets: if is_own && is_available {
            snippets::of_image(caller.console.context.base_url(), id, &image.repository)
        } else {
            Vec::new()
        },
        is_own,
        is_available,
        is_disk: image.container != "True",
        id: image.comp_share_image_id,
        url: image_url(id),
        name: image.name,
        description: image.description,
        tags: image.tags,
        status,
        shares,
        link,
        name_chars_max: MAX_NAME_CHARS,
        poll,
    };
    render(code, &page)
}

/// What is known of an image, without what is not.
fn facts(lang: Lang, origin: Origin, image: &Image) -> Vec<(String, String)> {
    let kind = if image.container == "True" { "kind-container" } else { "kind-disk" };
    let origin = match origin {
        Origin::Own => "origin-own",
        Origin::Shared => "origin-shared",
        Origin::Community => "origin-community",
        Origin::Platform => "origin-platform",
    };
    let owner = &image.owner;
    let owner = if owner.account_name.is_empty() {
        String::new()
    } else {
        format!("{} ({})", owner.account_name, owner.account_id)
    };
    let softwares = image.softwares.as_ref().map(|softwares| {
        let (framework, cuda) =
            (format!("{} {}", softwares.framework, softwares.framework_version), &softwares.cuda_version);
        let cuda = if cuda.is_empty() { String::new() } else { format!("CUDA {cuda}") };
        let parts = [framework.trim().to_owned(), cuda, softwares.os_version.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    });
    let left_out = image.left_out.as_ref().filter(|left_out| left_out.count > 0).map(|left_out| {
        let args =
            FluentArgs::from_iter([("count", left_out.count.to_string()), ("size", bytes(left_out.bytes))]);
        lang.format("fact-left-out-value", &args)
    });
    let facts = [
        ("fact-kind", lang.t(kind)),
        ("fact-size", megabytes(image.size)),
        ("fact-origin", lang.t(origin)),
        ("fact-owner", owner),
        ("fact-zone", image.zone.clone()),
        ("fact-gpu", image.source_gpu_type.clone()),
        ("fact-version", image.version_name.clone()),
        ("fact-softwares", softwares.unwrap_or_default()),
        ("fact-left-out", left_out.unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(id, value)| (lang.t(id), value)).collect()
}

fn times(lang: Lang, image: &Image) -> Vec<(String, Time)> {
    let times = [
        ("fact-created", image.create_time),
        ("fact-updated", image.update_time),
        ("fact-published", image.pub_time),
    ];
    times.into_iter().filter_map(|(id, time)| Some((lang.t(id), Time::of(time)?))).collect()
}

/// Leads back to the image after a change, or shows why it was refused.
async fn after<T>(caller: &Caller, id: &str, answer: Result<T, Refusal>, done: &str) -> Response {
    match answer {
        Ok(_) => Redirect::to(&format!("{}?done={done}", image_url(id))).into_response(),
        Err(refusal) => {
            let notice = explain(caller.visitor.lang, &refusal);
            page(caller, id, Some(notice), None, status(&refusal)).await
        }
    }
}

pub(crate) async fn edit(Path(id): Path<String>, form: Form) -> Response {
    let Form { caller, fields } = form;
    let request = UpdateCompShareImageRequest {
        image_id: id.as_str().into(),
        name: Some(fields.get("name").into()),
        description: Some(fields.get("description").into()),
        tags: Some(tags::read(fields.get("tags"))),
        ..Default::default()
    };
    after(&caller, &id, caller.call(&request).await, "edited").await
}

pub(crate) async fn share(Path(id): Path<String>, form: Form) -> Response {
    change_shares(&id, form, true).await
}

pub(crate) async fn unshare(Path(id): Path<String>, form: Form) -> Response {
    change_shares(&id, form, false).await
}

async fn change_shares(id: &str, form: Form, adds: bool) -> Response {
    let Form { caller, fields } = form;
    let lang = caller.visitor.lang;
    let Some(accounts) = accounts(&fields) else {
        let notice = Some(error(lang.t("share-not-numbers")));
        return page(&caller, id, notice, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let (add, remove) = if adds { (accounts, Vec::new()) } else { (Vec::new(), accounts) };
    let request = ModifyCompShareImageShareAccountRequest {
        image_id: id.into(),
        add_accounts: add.into(),
        remove_accounts: remove.into(),
        ..Default::default()
    };
    let answer = caller.call(&request).await;
    if let Ok(answer) = &answer
        && let Some(notice) = invalid(lang, answer)
    {
        return page(&caller, id, Some(notice), None, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    after(&caller, id, answer, if adds { "shared" } else { "unshared" }).await
}

pub(crate) async fn copy(Path(id): Path<String>, form: Form) -> Response {
    let Form { caller, fields } = form;
    let target_name = fields.filled("name").map(Into::into);
    let request =
        CopyCompShareCustomImageRequest { image_id: id.as_str().into(), target_name, ..Default::default() };
    match caller.call(&request).await {
        Ok(copy) => after(&caller, &copy.new_comp_share_image_id, Ok(()), "copied").await,
        Err(refusal) => after(&caller, &id, Err::<(), _>(refusal), "").await,
    }
}

pub(crate) async fn publish(Path(id): Path<String>, form: Form) -> Response {
    let Form { caller, fields } = form;
    let request = PublishCompShareImageRequest {
        image_id: id.as_str().into(),
        version_name: fields.filled("version").map(Into::into),
        version_desc: fields.filled("version_desc").map(Into::into),
        ..Default::default()
    };
    after(&caller, &id, caller.call(&request).await, "published").await
}

/// Shows a link to download the disk. It is in no URL of the console, so that it stays out of the history.
pub(crate) async fn link(Path(id): Path<String>, form: Form) -> Response {
    let Form { caller, fields } = form;
    let secs = fields.get("expires").parse().ok().filter(|secs| LINK_SECS.contains(secs));
    let request = GetCompShareCustomImageUrlRequest {
        image_id: id.as_str().into(),
        expires_secs: secs.map(Into::into),
    };
    match caller.call(&request).await {
        Ok(answer) => {
            let size = bytes(u64::try_from(answer.size_bytes).unwrap_or(0));
            let text = caller.visitor.lang.with("link-size", "size", size);
            let link = Link { url: answer.url, text, expires: Time::of(answer.expire_time) };
            page(&caller, &id, None, Some(link), StatusCode::OK).await
        }
        Err(refusal) => after(&caller, &id, Err::<(), _>(refusal), "").await,
    }
}
