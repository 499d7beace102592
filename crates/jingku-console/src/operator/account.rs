//! The page of one account: its limits and its keys.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jingku_library::{Account, ByteSize, Key, LibraryError, Limit, LimitState};

use super::caller::Operator;
use super::text::NAME_CHARS_MAX;
use crate::failure::{Failure, error};
use crate::form::{Fields, Form};
use crate::lang::Lang;
use crate::page::{Frame, Notice, render};
use crate::shown::Time;
use crate::usage::Bar;

/// The most revoked keys that are listed, newest first.
const REVOKED_MAX: usize = 20;

#[derive(Template)]
#[template(path = "operator/account.html")]
struct Page {
    frame: Frame,
    id: i64,
    name: String,
    project: String,
    created: Option<Time>,
    limits: Vec<LimitRow>,
    keys: Vec<KeyRow>,
    revoked: Vec<KeyRow>,
    name_chars_max: usize,
}

struct LimitRow {
    /// The name of its field.
    field: String,
    /// What the field contains: empty for the default of the server.
    value: String,
    is_size: bool,
    bar: Bar,
}

struct KeyRow {
    public_key: String,
    name: String,
    created: Option<Time>,
    revoked: Option<Time>,
    read_only: bool,
    /// One range per line.
    addresses: String,
    limits: String,
}

pub(super) fn url(id: i64) -> String {
    format!("/console/operator/accounts/{id}")
}

/// The number of an account in a path.
pub(super) fn number(id: &str) -> Option<i64> {
    id.parse().ok().filter(|id| *id > 0)
}

pub(crate) async fn show(
    operator: Operator,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let done = query.iter().find(|(name, _)| name == "done").map_or("", |(_, value)| value);
    let id_of_text = match done {
        "limits" => Some("account-limits-set"),
        "restricted" => Some("key-restricted"),
        "revoked" => Some("key-revoked"),
        _ => None,
    };
    let notice = id_of_text.map(|id| Notice::done(operator.visitor.lang.t(id)));
    page(&operator, &id, notice, StatusCode::OK).await
}

/// Leads back to the page after a change, or shows why it was refused.
pub(super) async fn after(
    operator: &Operator,
    id: &str,
    changed: Result<(), LibraryError>,
    done: &str,
) -> Response {
    match changed {
        Ok(()) => Redirect::to(&format!("/console/operator/accounts/{id}?done={done}")).into_response(),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            page(operator, id, Some(notice), code).await
        }
    }
}

pub(super) async fn page(
    operator: &Operator,
    id: &str,
    notice: Option<Notice>,
    code: StatusCode,
) -> Response {
    let lang = operator.visitor.lang;
    let (account, limits, keys) = match read(operator, id).await {
        Ok(Some(found)) => found,
        Ok(None) => return Failure::NotFound.show(&operator.visitor),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            return operator.failed(code, notice);
        }
    };
    let frame = operator.frame(account.name.clone(), "accounts", notice);
    let (revoked, keys): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(|key| key.revoked_at.is_some());
    let page = Page {
        frame: Frame { back: url(account.id.0), ..frame },
        id: account.id.0,
        name: account.name,
        project: account.project_id,
        created: Time::of(account.created_at),
        limits: limits.iter().map(|state| LimitRow::of(lang, state)).collect(),
        keys: keys.into_iter().map(|key| KeyRow::of(lang, key)).collect(),
        revoked: revoked.into_iter().rev().take(REVOKED_MAX).map(|key| KeyRow::of(lang, key)).collect(),
        name_chars_max: NAME_CHARS_MAX,
    };
    render(code, &page)
}

type Found = (Account, Vec<LimitState>, Vec<Key>);

async fn read(operator: &Operator, id: &str) -> Result<Option<Found>, LibraryError> {
    let library = operator.library();
    let Some(id) = number(id) else { return Ok(None) };
    let Some(account) = library.account(id).await? else { return Ok(None) };
    let (limits, keys) = (library.account_limits(id).await?, library.keys(Some(id)).await?);
    Ok(Some((account, limits, keys)))
}

/// Sets the limits that differ from the present ones.
pub(crate) async fn set_limits(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    let found = match read(&operator, &id).await {
        Ok(Some((account, limits, _))) => Ok((account, limits)),
        Ok(None) => return Failure::NotFound.show(&operator.visitor),
        Err(failure) => Err(failure),
    };
    let (account, limits) = match found {
        Ok(found) => found,
        Err(failure) => return after(&operator, &id, Err(failure), "").await,
    };
    match changes(&fields, &limits) {
        Ok(changes) if changes.is_empty() => after(&operator, &id, Ok(()), "limits").await,
        Ok(changes) => {
            let set = operator.library().set_account_limits(account.id.0, &changes);
            after(&operator, &id, operator.change(set).await, "limits").await
        }
        Err(limit) => {
            let lang = operator.visitor.lang;
            let name = Bar::of_state(lang, limit).name;
            let notice = error(lang.with("account-bad-limit", "limit", name));
            page(&operator, &id, Some(notice), StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// The new values of the fields of a form, or the first limit whose field is not a number or a size.
fn changes<'a>(
    fields: &Fields,
    limits: &'a [LimitState],
) -> Result<Vec<(Limit, Option<i64>)>, &'a LimitState> {
    let mut changes = Vec::new();
    for state in limits {
        let to = match fields.filled(&field(state.limit)) {
            None => None,
            Some(text) => Some(parse(state.limit, text).ok_or(state)?),
        };
        if to != state.own.then_some(state.max) {
            changes.push((state.limit, to));
        }
    }
    Ok(changes)
}

fn parse(limit: Limit, text: &str) -> Option<i64> {
    if is_size(limit) {
        Some(text.parse::<ByteSize>().ok()?.0)
    } else {
        Some(text.parse::<u32>().ok()?.into())
    }
}

fn is_size(limit: Limit) -> bool {
    matches!(limit, Limit::StoredBytes | Limit::UniqueBytes | Limit::UploadBytes)
}

fn field(limit: Limit) -> String {
    format!("limit-{limit:?}")
}

/// A size as [`ByteSize`] reads it, exactly.
fn exact_size(bytes: i64) -> String {
    let units = [(1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB")];
    let unit = units.into_iter().find(|(size, _)| bytes > 0 && bytes % size == 0);
    unit.map_or_else(|| bytes.to_string(), |(size, name)| format!("{}{name}", bytes / size))
}

impl LimitRow {
    fn of(lang: Lang, state: &LimitState) -> Self {
        let is_size = is_size(state.limit);
        let value = match (state.own, is_size) {
            (false, _) => String::new(),
            (true, true) => exact_size(state.max),
            (true, false) => state.max.to_string(),
        };
        Self { field: field(state.limit), value, is_size, bar: Bar::of_state(lang, state) }
    }
}

impl KeyRow {
    fn of(lang: Lang, key: Key) -> Self {
        let addresses = key.limits.addresses.join(", ");
        let limits = match (key.limits.read_only, addresses.is_empty()) {
            (false, true) => lang.t("key-unrestricted"),
            (true, true) => lang.t("key-read-only"),
            (false, false) => lang.with("key-from", "addresses", addresses),
            (true, false) => lang.with("key-read-only-from", "addresses", addresses),
        };
        Self {
            public_key: key.public_key,
            name: key.name,
            created: Time::of(key.created_at),
            revoked: key.revoked_at.and_then(Time::of),
            read_only: key.limits.read_only,
            addresses: key.limits.addresses.join("\n"),
            limits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_they_are_read() {
        for (bytes, text) in [(0, "0"), (1, "1"), (1 << 20, "1MB"), (3 << 30, "3GB"), (5 << 40, "5TB")] {
            assert_eq!(exact_size(bytes), text);
            assert_eq!(text.parse::<ByteSize>().unwrap().0, bytes);
        }
    }
}
