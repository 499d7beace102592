//! The web console: pages at `/console` over the actions of a server.
//!
//! A page calls actions as the holder of a key, through [`jingku_server::Context::call`]. There is no other way from the
//! pages of accounts to images. The operator's pages are in `operator`, and call what the operator's commands call.

mod activity;
mod assets;
mod chart;
mod console;
mod cookie;
mod edit;
mod facts;
mod failure;
mod filters;
mod form;
mod image;
mod images;
mod import;
mod lang;
mod make;
mod operator;
mod page;
mod progress;
mod readme;
mod readme_page;
mod selection;
mod sessions;
mod shares;
mod shown;
mod sign_in;
mod snippets;
mod tags;
mod trash;
mod turns;
mod update;
mod usage;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use jingku_server::Context;

use console::Console;

/// The routes of the console.
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/console", get(sign_in::redirect))
        .route("/console/", get(sign_in::redirect))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/links", post(sign_in::create_link))
        .route("/console/language/{lang}", get(lang::choose))
        .route("/console/assets/{name}", get(assets::serve))
        .route("/console/images", get(images::show))
        .route("/console/images/delete", post(selection::delete))
        .route("/console/images/tag", post(selection::tag))
        .route("/console/images/share", post(selection::share))
        .route("/console/images/{id}", get(image::show))
        .route("/console/images/{id}/edit", post(edit::edit))
        .route("/console/images/{id}/cover", post(edit::cover))
        .route("/console/images/{id}/readme", get(readme_page::show).post(readme_page::save))
        .route("/console/images/{id}/share", post(image::share))
        .route("/console/images/{id}/unshare", post(image::unshare))
        .route("/console/images/{id}/copy", post(image::copy))
        .route("/console/images/{id}/publish", post(image::publish))
        .route("/console/images/{id}/link", post(image::link))
        .route("/console/activity", get(activity::show))
        .route("/console/progress", get(progress::show))
        .route("/console/import", get(import::show))
        .route("/console/import/start", post(import::start))
        .route("/console/import/cancel", post(import::cancel))
        .route("/console/trash", get(trash::show))
        .route("/console/trash/restore", post(trash::restore))
        .route("/console/trash/purge", post(trash::purge))
        .route("/console/usage", get(usage::show))
        .route("/console/operator/health", get(operator::health::show))
        .route("/console/operator/accounts", get(operator::accounts::show).post(operator::accounts::create))
        .route("/console/operator/accounts/{id}", get(operator::account::show))
        .route("/console/operator/accounts/{id}/limits", post(operator::account::set_limits))
        .route("/console/operator/accounts/{id}/keys", post(operator::keys::create))
        .route("/console/operator/accounts/{id}/restrict", post(operator::keys::restrict))
        .route("/console/operator/accounts/{id}/revoke", post(operator::keys::revoke))
        .route("/console/operator/review", get(operator::review::list))
        .route("/console/operator/review/{id}", get(operator::review::show))
        .route("/console/operator/review/{id}/approve", post(operator::review::approve))
        .route("/console/operator/review/{id}/refuse", post(operator::review::refuse))
        .route("/console/make", get(make::show).post(make::make))
        .route("/console/{*path}", get(failure::not_found).post(failure::not_found))
        .layer(from_fn(failure::fill))
        .layer(from_fn(form::refuse_other_sites))
        .layer(from_fn(page::secure))
        .with_state(Arc::new(Console::new(context)))
}
