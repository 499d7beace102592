//! Cookies of requests and responses.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

/// The value of a cookie; the first one if several have the name.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
}

/// Leads to another page with a cookie, given as the value of `Set-Cookie`.
pub(crate) fn redirect(to: &str, cookie: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set(&mut response, cookie);
    response
}

pub(crate) fn set(response: &mut Response, cookie: &str) {
    let value = HeaderValue::from_str(cookie).expect("names and values of our cookies are ASCII");
    response.headers_mut().append(header::SET_COOKIE, value);
}
