//! The page of one image, and what its buttons do.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_protocol::actions::{
    CommunityQuery, CopyCompShareCustomImageRequest, DescribeCommunityImagesRequest,
    DescribeCompShareCustomImageSyncDetailRequest, DescribeCompShareCustomImagesRequest,
    DescribeCompShareImageShareAccountsRequest, DescribeCompShareImagesRequest,
    DescribeCompShareSharingImagesRequest, DescribeSelfCommunityImagesRequest,
    GetCompShareCustomImageUrlRequest, MAX_LINK_SECS, MAX_NAME_CHARS,
    ModifyCompShareImageShareAccountRequest, PublishCompShareImageRequest,
};
use jingku_protocol::{Image, ImageStatus, Owner, RetCode};
use jingku_server::{COVER_BYTES_MAX, Refusal};

use crate::activity::image_activity_url;
use crate::console::Caller;
use crate::facts::{Origin, facts, times, weight};
use crate::failure::{Failure, error, explain, status};
use crate::form::{Fields, Form};
use crate::page::{Frame, Notice, image_url, render};
use crate::progress::{Status, poll_url};
use crate::readme;
use crate::shares::{accounts, invalid};
use crate::shown::{Time, bytes};
use crate::snippets::{self, Snippet};
use crate::update::{digest_cover, digest_texts};

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
    /// The image that it is a copy of, and the address of its page.
    source: Option<(String, String)>,
    /// The address of its changes.
    activity: String,
    /// The versions of its group, newest first.
    versions: Vec<Version>,
    times: Vec<(String, Time)>,
    is_own: bool,
    is_available: bool,
    /// Whether the caller may have a link to its disk.
    has_link: bool,
    shares: Vec<Owner>,
    snippets: Vec<Snippet>,
    link: Option<Link>,
    entered: Entered,
    seen_texts: String,
    seen_cover: String,
    cover_bytes_max: usize,
    cover_size_max: String,
    name_chars_max: usize,
    poll: String,
}

/// An image of a group.
struct Version {
    url: String,
    /// Such as `v1.0`.
    label: String,
    name: String,
    status: Status,
    published: Option<Time>,
    /// Whether the page shows it.
    is_here: bool,
}

/// What a form has of the texts of an image.
pub(crate) struct Entered {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: String,
}

/// What the page shows beside the image.
#[derive(Default)]
pub(crate) struct Beside {
    notice: Option<Notice>,
    link: Option<Link>,
    /// What was entered and could not be saved.
    entered: Option<Entered>,
}

struct Link {
    url: String,
    text: String,
    expires: Option<Time>,
}

/// The lifetimes of a link that the page offers, in seconds.
const LINK_SECS: [i64; 3] = [3600, 8 * 3600, MAX_LINK_SECS];

impl Entered {
    pub(crate) fn read(fields: &Fields) -> Self {
        let [name, description, tags] =
            ["name", "description", "tags"].map(|name| fields.get(name).to_owned());
        Self { name, description, tags }
    }

    fn of(image: &Image) -> Self {
        let (name, description) = (image.name.clone(), image.description.clone());
        Self { name, description, tags: image.tags.join(", ") }
    }
}

impl Beside {
    pub(crate) fn notice(notice: Notice) -> Self {
        Self { notice: Some(notice), ..Self::default() }
    }

    pub(crate) fn unsaved(notice: Notice, entered: Entered) -> Self {
        Self { entered: Some(entered), ..Self::notice(notice) }
    }
}

pub(crate) async fn show(
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let done = query.iter().find(|(name, _)| name == "done").map_or("", |(_, value)| value);
    let notice = done_message(done).map(|id| Notice::done(caller.visitor.lang.t(id)));
    page(&caller, &id, Beside { notice, ..Beside::default() }, StatusCode::OK).await
}

fn done_message(done: &str) -> Option<&'static str> {
    match done {
        "made" => Some("done-made"),
        "imported" => Some("done-imported"),
        "made-without-tags" => Some("done-made-without-tags"),
        "edited" => Some("done-edited"),
        "covered" => Some("done-covered"),
        "uncovered" => Some("done-uncovered"),
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

/// What only the owner of an image learns.
#[derive(Default)]
struct Owned {
    shares: Vec<Owner>,
    weight: Vec<(String, String)>,
    source: Option<(String, String)>,
}

impl Owned {
    async fn of(caller: &Caller, image: &Image) -> Result<Self, Refusal> {
        let id = || image.comp_share_image_id.as_str().into();
        let shares = DescribeCompShareImageShareAccountsRequest { image_id: id(), ..Default::default() };
        let shares = caller.call(&shares).await?.account_set;
        let copied = DescribeCompShareCustomImageSyncDetailRequest { image_id: id(), ..Default::default() };
        let source = unless_absent(caller.call(&copied).await)?.map(|answer| {
            let id = answer.source_comp_share_image_id;
            (id.clone(), image_url(&id))
        });
        let weight = if is_available(image) { weight(caller, image).await? } else { Vec::new() };
        Ok(Self { shares, weight, source })
    }
}

fn is_available(image: &Image) -> bool {
    !matches!(image.status, ImageStatus::Making | ImageStatus::UnAvailable)
}

/// The versions of an image's group that the caller can see.
async fn versions(caller: &Caller, origin: Origin, image: &Image) -> Result<Vec<Version>, Refusal> {
    if image.group_id.is_empty() {
        return Ok(Vec::new());
    }
    let group_id = Some(image.group_id.as_str().into());
    let query = CommunityQuery { group_id, exclude_readme: true, ..Default::default() };
    let groups = if origin == Origin::Own {
        unless_absent(caller.call(&DescribeSelfCommunityImagesRequest { query }).await)?
            .map(|page| page.groups)
    } else {
        unless_absent(caller.call(&DescribeCommunityImagesRequest { query }).await)?.map(|page| page.groups)
    };
    let mut versions = Vec::new();
    for version in groups.unwrap_or_default().into_iter().flat_map(|group| group.data) {
        versions.push(Version {
            status: Status::of(caller, &version).await,
            url: image_url(&version.comp_share_image_id),
            is_here: version.comp_share_image_id == image.comp_share_image_id,
            published: Time::of(version.pub_time),
            label: version.version_name,
            name: version.name,
        });
    }
    Ok(versions)
}

pub(crate) async fn page(caller: &Caller, id: &str, beside: Beside, code: StatusCode) -> Response {
    match read_page(caller, id, beside).await {
        Ok(Some(page)) => render(code, &page),
        Ok(None) => Failure::NotFound.show(&caller.visitor),
        Err(refusal) => Failure::from(refusal).show(&caller.visitor),
    }
}

async fn read_page(caller: &Caller, id: &str, beside: Beside) -> Result<Option<Page>, Refusal> {
    let Some((origin, image)) = find(caller, id).await? else {
        return Ok(None);
    };
    let is_own = origin == Origin::Own;
    let owned = if is_own { Owned::of(caller, &image).await? } else { Owned::default() };
    let lang = caller.visitor.lang;
    let status = Status::of(caller, &image).await;
    let status = if is_own { status.advised(lang) } else { status };
    let poll = poll_url(std::iter::once(&status), "image");
    let frame = Frame::new(caller, image.name.clone(), "images");
    let back = form_urlencoded::byte_serialize(image_url(id).as_bytes()).collect();
    let is_available = is_available(&image);
    // Others cannot take the content of an image that has a price.
    let can_export = is_available && (is_own || image.price <= 0.0);
    let facts = facts(lang, origin, &image).into_iter().chain(owned.weight);
    Ok(Some(Page {
        frame: Frame { notice: beside.notice, reloads: !poll.is_empty(), back, ..frame },
        facts: facts.collect(),
        times: times(lang, &image),
        source: owned.source,
        activity: image_activity_url(id),
        versions: versions(caller, origin, &image).await?,
        // Covers are at this server, whatever address its public URL has.
        cover: image.cover.rsplit_once("/covers/").map(|(_, id)| format!("/covers/{id}")).unwrap_or_default(),
        readme: image.readme.as_deref().map(readme::render).unwrap_or_default(),
        snippets: if can_export { snippets::of_image(caller, origin, &image) } else { Vec::new() },
        is_own,
        is_available,
        has_link: can_export && image.container != "True",
        seen_texts: digest_texts(&image),
        seen_cover: digest_cover(&image),
        cover_bytes_max: COVER_BYTES_MAX,
        cover_size_max: bytes(COVER_BYTES_MAX as u64),
        entered: beside.entered.unwrap_or_else(|| Entered::of(&image)),
        id: image.comp_share_image_id,
        url: image_url(id),
        name: image.name,
        description: image.description,
        tags: image.tags,
        status,
        shares: owned.shares,
        link: beside.link,
        name_chars_max: MAX_NAME_CHARS,
        poll,
    }))
}

/// Leads back to the image after a change, or shows why it was refused.
async fn after<T>(caller: &Caller, id: &str, answer: Result<T, Refusal>, done: &str) -> Response {
    match answer {
        Ok(_) => Redirect::to(&format!("{}?done={done}", image_url(id))).into_response(),
        Err(refusal) => {
            let notice = explain(caller.visitor.lang, &refusal);
            page(caller, id, Beside::notice(notice), status(&refusal)).await
        }
    }
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
        let beside = Beside::notice(error(lang.t("share-not-numbers")));
        return page(&caller, id, beside, StatusCode::UNPROCESSABLE_ENTITY).await;
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
        return page(&caller, id, Beside::notice(notice), StatusCode::UNPROCESSABLE_ENTITY).await;
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
            page(&caller, &id, Beside { link: Some(link), ..Beside::default() }, StatusCode::OK).await
        }
        Err(refusal) => after(&caller, &id, Err::<(), _>(refusal), "").await,
    }
}
