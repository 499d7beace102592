//! From a page that a call asks for to rows of the catalogue, and back.

use jingku_catalog::{Cursor, InvalidCursor, Paging as Rows};
use jingku_protocol::actions::Paging;

use crate::error::Error;

/// The place a `NextToken` stands for, as the list that it is for reads it.
pub(crate) fn cursor(
    paging: &Paging,
    parse: impl Fn(&str) -> Result<Cursor, InvalidCursor>,
) -> Result<Option<Cursor>, Error> {
    let token = paging.next_token.as_deref();
    token.map(parse).transpose().map_err(|InvalidCursor| Error::not_available("NextToken"))
}

/// The `NextToken` of a page; empty on the last one.
pub(crate) fn next_token(next: Option<Cursor>) -> String {
    next.map(|cursor| cursor.to_string()).unwrap_or_default()
}

/// Which rows of the catalogue a page is.
pub(crate) fn rows<'a>(paging: &Paging, cursor: Option<&'a Cursor>) -> Rows<'a> {
    let limit = paging.limit();
    match cursor {
        Some(cursor) => Rows::After { cursor, limit },
        // No list is longer than this, so a larger offset is past its end as well.
        None => Rows::Offset { offset: u32::try_from(paging.offset()).unwrap_or(u32::MAX), limit },
    }
}
