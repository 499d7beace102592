//! The page with all accounts.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use jingku_library::{Account, LibraryError, Limit, LimitState};

use super::caller::Operator;
use super::keys::show_new;
use super::text::{NAME_CHARS_MAX, name};
use crate::failure::error;
use crate::form::Form;
use crate::lang::Lang;
use crate::page::{Frame, Notice, render};
use crate::shown::Time;
use crate::usage::Bar;

const ACCOUNTS: &str = "/console/operator/accounts";
/// Accounts of a page.
const ROWS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "operator/accounts.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    name_chars_max: usize,
    /// The address of the next page; empty on the last one.
    next: String,
    /// The address of the first page; empty there.
    first: String,
}

struct Row {
    id: i64,
    name: String,
    created: Option<Time>,
    limits: Vec<Bar>,
}

impl Row {
    fn of(lang: Lang, account: Account, limits: &[LimitState]) -> Self {
        let shown = limits.iter().filter(|state| match state.limit {
            Limit::Images | Limit::StoredBytes => true,
            Limit::UniqueBytes => state.max < i64::MAX,
            _ => false,
        });
        Self {
            id: account.id.0,
            name: account.name,
            created: Time::of(account.created_at),
            limits: shown.map(|state| Bar::of_state(lang, state)).collect(),
        }
    }
}

pub(crate) async fn show(operator: Operator, Query(query): Query<Vec<(String, String)>>) -> Response {
    let after = query.iter().find(|(name, _)| name == "after").and_then(|(_, id)| id.parse().ok());
    page(&operator, after.unwrap_or(0).max(0), None, StatusCode::OK).await
}

async fn page(operator: &Operator, after: i64, notice: Option<Notice>, code: StatusCode) -> Response {
    let lang = operator.visitor.lang;
    let (rows, more, notice, code) = match read(operator, after).await {
        Ok((rows, more)) => (rows, more, notice, code),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            (Vec::new(), false, Some(notice), code)
        }
    };
    let next = rows.last().filter(|_| more).map(|row| format!("{ACCOUNTS}?after={}", row.id));
    let frame = operator.frame(lang.t("accounts-title"), "accounts", notice);
    let page = Page {
        frame,
        rows,
        name_chars_max: NAME_CHARS_MAX,
        next: next.unwrap_or_default(),
        first: if after == 0 { String::new() } else { ACCOUNTS.to_owned() },
    };
    render(code, &page)
}

/// The accounts of a page, and whether there are more.
async fn read(operator: &Operator, after: i64) -> Result<(Vec<Row>, bool), LibraryError> {
    let library = operator.library();
    let limit = u32::try_from(ROWS_MAX + 1).unwrap_or(u32::MAX);
    let accounts = library.accounts_after(after, limit).await?;
    let more = accounts.len() > ROWS_MAX;
    let mut rows = Vec::new();
    for account in accounts.into_iter().take(ROWS_MAX) {
        let limits = library.account_limits(account.id.0).await?;
        rows.push(Row::of(operator.visitor.lang, account, &limits));
    }
    Ok((rows, more))
}

/// Creates an account, and shows its first key pair.
pub(crate) async fn create(form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    let Some(name) = name(fields.get("name")) else {
        let text = operator.visitor.lang.with("operator-bad-name", "max", NAME_CHARS_MAX.to_string());
        return page(&operator, 0, Some(error(text)), StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    match operator.change(operator.library().create_account(name)).await {
        Ok((account, pair)) => show_new(&operator, &account, &pair),
        Err(failure) => {
            let (code, notice) = operator.explain(&failure);
            page(&operator, 0, Some(notice), code).await
        }
    }
}
