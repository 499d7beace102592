//! The page of images: the caller's own, those shared with it, the community's and the platform's.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_protocol::actions::{
    CommunityQuery, DescribeCommunityImagesRequest, DescribeCompShareCustomImagesRequest,
    DescribeCompShareImagesRequest, DescribeCompShareSharingImagesRequest, ImageQuery, ImageSort, Paging,
    TerminateCompShareCustomImageRequest,
};
use jingku_protocol::{Image, ImageStatus};
use jingku_server::Refusal;

use crate::console::Caller;
use crate::failure::{Failure, explain, status};
use crate::form::Form;
use crate::page::{Frame, Notice, image_url, render};
use crate::progress::{Status, poll_url};
use crate::shown::{Time, megabytes};

/// The start page of the console.
pub(crate) const IMAGES: &str = "/console/images";
/// The platform's images have no pages of their own kind: as many of each type as a call can list.
const MAX_PLATFORM_IMAGES: u32 = 100;

/// What the query of the page asks for.
#[derive(Default)]
pub(crate) struct Filters {
    pub(crate) tab: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) sort: String,
    token: String,
}

pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) owner: String,
    pub(crate) size: String,
    pub(crate) created: Option<Time>,
    pub(crate) status: Status,
}

#[derive(Template)]
#[template(path = "images.html")]
struct Page {
    frame: Frame,
    filters: Filters,
    rows: Vec<Row>,
    total: i64,
    /// The address of the next page; empty on the last one.
    next: String,
    /// The address of the first page; empty there.
    first: String,
    poll: String,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    frame: Frame,
    images: Vec<(String, String)>,
    keep_days: u16,
}

/// Images, their number on all pages, and the token of the next page.
type Listed = (Vec<Image>, i64, String);

impl Filters {
    fn read(query: Vec<(String, String)>) -> Self {
        let mut filters = Self { tab: "own".to_owned(), ..Self::default() };
        for (name, value) in query {
            match name.as_str() {
                "tab" if ["own", "shared", "community", "platform"].contains(&value.as_str()) => {
                    filters.tab = value;
                }
                "name" => value.trim().clone_into(&mut filters.name),
                "status" => filters.status = value,
                "sort" => filters.sort = value,
                "token" => filters.token = value,
                _ => {}
            }
        }
        filters
    }

    pub(crate) fn is(&self, tab: &str) -> bool {
        self.tab == tab
    }

    pub(crate) fn has_status(&self, status: &str) -> bool {
        self.status == status
    }

    pub(crate) fn has_sort(&self, sort: &str) -> bool {
        self.sort == sort
    }

    pub(crate) fn are_set(&self) -> bool {
        !self.name.is_empty() || !self.status.is_empty()
    }

    /// The address of a page of this list.
    fn url(&self, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("tab", &*self.tab),
            ("name", &self.name),
            ("status", &self.status),
            ("sort", &self.sort),
            ("token", token),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("{IMAGES}?{}", query.finish())
    }

    async fn list(&self, caller: &Caller) -> Result<Listed, Refusal> {
        let token = Some(&*self.token).filter(|token| !token.is_empty()).map(Into::into);
        let paging = Paging { next_token: token, ..Paging::default() };
        let name = Some(&*self.name).filter(|name| !name.is_empty()).map(Into::into);
        match self.tab.as_str() {
            "shared" => {
                let request = DescribeCompShareSharingImagesRequest { paging, ..Default::default() };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, page.next_token))
            }
            "community" => {
                let query =
                    CommunityQuery { fuzzy_search: name, exclude_readme: true, paging, ..Default::default() };
                let page = caller.call(&DescribeCommunityImagesRequest { query }).await?;
                // The newest version stands for its group, whose name people know.
                let newest = page.groups.into_iter().filter_map(|group| {
                    let image = group.data.into_iter().next()?;
                    Some(Image { name: group.image_name, description: group.image_desc, ..image })
                });
                Ok((newest.collect(), page.total_count, page.next_token))
            }
            "platform" => {
                let paging = Paging { limit: Some(MAX_PLATFORM_IMAGES.into()), ..Paging::default() };
                let request = DescribeCompShareImagesRequest { name, paging, ..Default::default() };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, String::new()))
            }
            _ => {
                let query = ImageQuery { name, statuses: self.statuses(), sort: self.sort(), ..self.order() };
                let request = DescribeCompShareCustomImagesRequest { query, paging, ..Default::default() };
                let page = caller.call(&request).await?;
                Ok((page.image_set, page.total_count, page.next_token))
            }
        }
    }

    fn statuses(&self) -> Vec<ImageStatus> {
        let all = [
            ImageStatus::Making,
            ImageStatus::Available,
            ImageStatus::UnAvailable,
            ImageStatus::Reviewing,
            ImageStatus::Offline,
        ];
        all.into_iter().filter(|status| status.as_str() == self.status).collect()
    }

    fn sort(&self) -> ImageSort {
        match self.sort.as_str() {
            "name" => ImageSort::Name,
            "size" => ImageSort::Size,
            "updated" => ImageSort::UpdateTime,
            _ => ImageSort::CreateTime,
        }
    }

    /// Names begin with A; everything else with the largest or newest.
    fn order(&self) -> ImageQuery {
        ImageQuery { ascending: self.has_sort("name"), ..ImageQuery::default() }
    }
}

impl Row {
    async fn of(caller: &Caller, image: Image) -> Self {
        let status = Status::of(caller, &image).await;
        let own = image.owner.account_id == caller.session.identity.account_id().to_string();
        Self {
            url: image_url(&image.comp_share_image_id),
            id: image.comp_share_image_id,
            name: image.name,
            description: image.description,
            tags: image.tags,
            owner: if own { String::new() } else { image.owner.account_name },
            size: megabytes(image.size),
            created: Time::of(image.create_time),
            status,
        }
    }
}

pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let lang = caller.visitor.lang;
    let deleted =
        query.iter().find(|(name, _)| name == "deleted").and_then(|(_, count)| count.parse::<u32>().ok());
    let notice = deleted.map(|count| Notice::done(lang.with("images-deleted", "count", count)));
    page(&caller, Filters::read(query), notice, StatusCode::OK).await
}

async fn page(caller: &Caller, filters: Filters, notice: Option<Notice>, code: StatusCode) -> Response {
    let lang = caller.visitor.lang;
    let ((images, total, token), notice, code) = match filters.list(caller).await {
        Ok(listed) => (listed, notice, code),
        Err(refusal) if refusal.ret_code == jingku_protocol::RetCode::UserNotFound => {
            return Failure::from(refusal).show(&caller.visitor);
        }
        Err(refusal) => (Listed::default(), Some(explain(lang, &refusal)), status(&refusal)),
    };
    let mut rows = Vec::with_capacity(images.len());
    for image in images {
        rows.push(Row::of(caller, image).await);
    }
    let poll = poll_url(rows.iter().map(|row| &row.status), "list");
    let frame = Frame::new(caller, lang.t("images-title"), "images");
    let page = Page {
        frame: Frame { notice, reloads: !poll.is_empty(), ..frame },
        next: if token.is_empty() { String::new() } else { filters.url(&token) },
        first: if filters.token.is_empty() { String::new() } else { filters.url("") },
        filters,
        rows,
        total,
        poll,
    };
    render(code, &page)
}

/// Asks whether the selected images are to be deleted, then deletes them.
pub(crate) async fn delete(form: Form) -> Response {
    let Form { caller, fields } = form;
    let ids: Vec<&str> = fields.all("id").filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Redirect::to(IMAGES).into_response();
    }
    if fields.filled("confirmed").is_none() {
        return confirm(&caller, &ids).await;
    }
    for (done, id) in ids.iter().enumerate() {
        let request = TerminateCompShareCustomImageRequest { image_id: (*id).into(), ..Default::default() };
        if let Err(refusal) = caller.call(&request).await {
            let mut notice = explain(caller.visitor.lang, &refusal);
            if done > 0 {
                notice.text += &caller.visitor.lang.with("images-deleted-before", "count", done);
            }
            return page(&caller, Filters::read(Vec::new()), Some(notice), status(&refusal)).await;
        }
    }
    Redirect::to(&format!("{IMAGES}?deleted={}", ids.len())).into_response()
}

async fn confirm(caller: &Caller, ids: &[&str]) -> Response {
    let mut images = Vec::new();
    for id in ids {
        let request =
            DescribeCompShareCustomImagesRequest { image_id: Some((*id).into()), ..Default::default() };
        match caller.call(&request).await {
            Ok(page) => {
                images
                    .extend(page.image_set.into_iter().map(|image| (image.comp_share_image_id, image.name)));
            }
            Err(refusal) => return Failure::from(refusal).show(&caller.visitor),
        }
    }
    if images.is_empty() {
        return Failure::NotFound.show(&caller.visitor);
    }
    let frame = Frame::new(caller, caller.visitor.lang.t("delete-title"), "images");
    // The page cannot be opened by its address.
    let frame = Frame { back: "/console/images".to_owned(), ..frame };
    let keep_days = caller.console.context.library.config.trash.keep_days;
    render(StatusCode::OK, &DeletePage { frame, images, keep_days })
}
