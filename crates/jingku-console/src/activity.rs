//! The page of the account's activity: what was changed and refused, when, from where.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use jingku_protocol::RetCode;
use jingku_protocol::actions::{
    Access, Action, Activity, DescribeCompShareImageActivityRequest, DescribeCompShareImageActivityResponse,
    Paging,
};

use crate::console::Caller;
use crate::failure::{Failure, explain, status};
use crate::lang::Lang;
use crate::page::{Frame, render};
use crate::shown::Time;

const ACTIVITY: &str = "/console/activity";
/// What is recorded besides actions and concerns images.
const COMMANDS: [&str; 5] = ["upload", "trash restore", "trash empty", "review approve", "review refuse"];

/// What the query of the page asks for.
#[derive(Default)]
struct Filters {
    image: String,
    activity: String,
    token: String,
}

struct Row {
    time: Option<Time>,
    activity: String,
    resource: String,
    /// The address of the activity of this resource.
    url: String,
    is_done: bool,
    result: String,
    channel: String,
    public_key: String,
    address: String,
    request_id: String,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Page {
    frame: Frame,
    filters: Filters,
    /// The names to choose from.
    activities: Vec<&'static str>,
    rows: Vec<Row>,
    total: i64,
    /// The address of the next page; empty on the last one.
    next: String,
    /// The address of the first page; empty there.
    first: String,
}

impl Filters {
    fn read(query: Vec<(String, String)>) -> Self {
        let mut filters = Self::default();
        for (name, value) in query {
            match name.as_str() {
                "image" => value.trim().clone_into(&mut filters.image),
                "activity" => value.trim().clone_into(&mut filters.activity),
                "token" => filters.token = value,
                _ => {}
            }
        }
        filters
    }

    fn are_set(&self) -> bool {
        !self.image.is_empty() || !self.activity.is_empty()
    }

    fn request(&self) -> DescribeCompShareImageActivityRequest {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        DescribeCompShareImageActivityRequest {
            image_id: filled(&self.image).as_deref().map(Into::into),
            activity: filled(&self.activity).as_deref().map(Into::into),
            paging: Paging {
                next_token: filled(&self.token).as_deref().map(Into::into),
                ..Paging::default()
            },
            ..DescribeCompShareImageActivityRequest::default()
        }
    }

    /// The address of a page of this list.
    fn url(&self, token: &str) -> String {
        url(&[("image", &self.image), ("activity", &self.activity), ("token", token)])
    }
}

/// The address of the changes of an image.
pub(crate) fn image_activity_url(id: &str) -> String {
    url(&[("image", id)])
}

fn url(fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
    format!("{ACTIVITY}?{}", query.finish())
}

impl Row {
    fn of(lang: Lang, activity: Activity) -> Self {
        let is_done = activity.result == 0;
        let result = if is_done {
            lang.t("activity-done")
        } else {
            lang.with("activity-refused", "code", activity.result.to_string())
        };
        let channel = match activity.channel.as_str() {
            "api" => lang.t("activity-api"),
            "console" if activity.public_key.is_empty() => lang.t("activity-command"),
            "console" => lang.t("activity-console"),
            "upload" => lang.t("activity-upload"),
            "command" => lang.t("activity-command"),
            "server" => lang.t("activity-server"),
            _ => activity.channel,
        };
        Self {
            time: Time::of(activity.time),
            activity: activity.activity,
            url: image_activity_url(&activity.resource_id),
            resource: activity.resource_id,
            is_done,
            result,
            channel,
            public_key: activity.public_key,
            address: activity.address,
            request_id: activity.request_id,
        }
    }
}

pub(crate) async fn show(caller: Caller, Query(query): Query<Vec<(String, String)>>) -> Response {
    let (lang, filters) = (caller.visitor.lang, Filters::read(query));
    let (listed, notice, code) = match caller.call(&filters.request()).await {
        Ok(listed) => (listed, None, StatusCode::OK),
        Err(refusal) if refusal.ret_code == RetCode::UserNotFound => {
            return Failure::from(refusal).show(&caller.visitor);
        }
        Err(refusal) => {
            let none = DescribeCompShareImageActivityResponse::default();
            (none, Some(explain(lang, &refusal)), status(&refusal))
        }
    };
    let writing = Action::ALL.iter().filter(|action| action.access() == Access::Write);
    let frame = Frame::new(&caller, lang.t("activity-title"), "activity");
    let page = Page {
        frame: Frame { notice, ..frame },
        next: if listed.next_token.is_empty() { String::new() } else { filters.url(&listed.next_token) },
        first: if filters.token.is_empty() { String::new() } else { filters.url("") },
        filters,
        activities: writing.map(|action| action.name()).chain(COMMANDS).collect(),
        rows: listed.activity_set.into_iter().map(|activity| Row::of(lang, activity)).collect(),
        total: listed.total_count,
    };
    render(code, &page)
}
