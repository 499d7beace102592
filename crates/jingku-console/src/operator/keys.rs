//! Keys of an account: creating, restricting and revoking them.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use jingku_library::{Account, Key, KeyLimits, KeyPair, LibraryError};
use secrecy::ExposeSecret;

use super::account::{after, number, page, url};
use super::caller::Operator;
use super::text::{NAME_CHARS_MAX, name};
use crate::failure::{Failure, error};
use crate::form::{Fields, Form};
use crate::page::{Frame, render};

#[derive(Template)]
#[template(path = "operator/key.html")]
struct NewPage {
    frame: Frame,
    account: i64,
    account_name: String,
    public_key: String,
    /// Shown only here.
    private_key: String,
}

#[derive(Template)]
#[template(path = "operator/revoke.html")]
struct RevokePage {
    frame: Frame,
    account: i64,
    account_name: String,
    public_key: String,
    name: String,
    /// Whether the account cannot use the API without it.
    is_last: bool,
}

/// Shows a new key pair. The page cannot be opened by its address.
pub(super) fn show_new(operator: &Operator, account: &Account, pair: &KeyPair) -> Response {
    let frame = operator.frame(operator.visitor.lang.t("key-new-title"), "accounts", None);
    let page = NewPage {
        frame: Frame { back: url(account.id.0), ..frame },
        account: account.id.0,
        account_name: account.name.clone(),
        public_key: pair.public_key.clone(),
        private_key: pair.private_key.expose_secret().to_owned(),
    };
    render(StatusCode::OK, &page)
}

/// The restrictions in a form.
fn limits(fields: &Fields) -> KeyLimits {
    let words =
        fields.get("addresses").split([',', '，', '、', ' ', '\r', '\n']).filter(|word| !word.is_empty());
    KeyLimits {
        read_only: fields.filled("read_only").is_some(),
        addresses: words.map(str::to_owned).collect(),
    }
}

pub(crate) async fn create(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    let lang = operator.visitor.lang;
    let Some(name) = name(fields.get("name")) else {
        let notice = error(lang.with("operator-bad-name", "max", NAME_CHARS_MAX.to_string()));
        return page(&operator, &id, Some(notice), StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let Some(account) = number(&id) else { return Failure::NotFound.show(&operator.visitor) };
    let library = operator.library();
    let created = async {
        let Some(account) = library.account(account).await? else { return Ok(None) };
        let (pair, _) = operator.change(library.create_key(account.id.0, name, &limits(&fields))).await?;
        Ok::<_, LibraryError>(Some((account, pair)))
    };
    match created.await {
        Ok(Some((account, pair))) => show_new(&operator, &account, &pair),
        Ok(None) => Failure::NotFound.show(&operator.visitor),
        Err(failure) => after(&operator, &id, Err(failure), "").await,
    }
}

/// The valid key of a form with its account, and whether it is the only one of the account.
async fn find(
    operator: &Operator,
    id: &str,
    fields: &Fields,
) -> Result<Option<(Account, Key, bool)>, LibraryError> {
    let Some(id) = number(id) else { return Ok(None) };
    let Some(account) = operator.library().account(id).await? else { return Ok(None) };
    let mut keys = operator.library().keys(Some(id)).await?;
    keys.retain(|key| key.revoked_at.is_none());
    let is_last = keys.len() == 1;
    let key = keys.into_iter().find(|key| key.public_key == fields.get("key"));
    Ok(key.map(|key| (account, key, is_last)))
}

pub(crate) async fn restrict(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    match find(&operator, &id, &fields).await {
        Ok(Some((_, key, _))) => {
            let limits = limits(&fields);
            let restrict = operator.library().restrict_key(&key.public_key, &limits);
            let done = operator.change(restrict).await.map(|_| ());
            after(&operator, &id, done, "restricted").await
        }
        Ok(None) => Failure::NotFound.show(&operator.visitor),
        Err(failure) => after(&operator, &id, Err(failure), "").await,
    }
}

/// Asks whether a key is to be revoked, then revokes it.
pub(crate) async fn revoke(Path(id): Path<String>, form: Form<Operator>) -> Response {
    let Form { caller: operator, fields } = form;
    match find(&operator, &id, &fields).await {
        Ok(Some((account, key, is_last))) if fields.filled("confirmed").is_none() => {
            let frame = operator.frame(operator.visitor.lang.t("revoke-title"), "accounts", None);
            let page = RevokePage {
                frame: Frame { back: url(account.id.0), ..frame },
                account: account.id.0,
                account_name: account.name,
                public_key: key.public_key,
                name: key.name,
                is_last,
            };
            render(StatusCode::OK, &page)
        }
        Ok(Some((_, key, _))) => {
            let revoke = operator.library().revoke_key(&key.public_key);
            after(&operator, &id, operator.change(revoke).await, "revoked").await
        }
        Ok(None) => Failure::NotFound.show(&operator.visitor),
        Err(failure) => after(&operator, &id, Err(failure), "").await,
    }
}
