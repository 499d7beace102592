//! Detects that an address has the wrong one of `http://` and `https://`, which errors do not say.

use std::error::Error;
use std::io;

use crate::messages::tr;

/// Advice for a failed call, if the scheme is the likely cause.
pub(crate) fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    let chain = std::iter::successors(Some(error), |error| below(*error));
    for error in chain {
        if let Some(rustls::Error::InvalidMessage(_)) = error.downcast_ref() {
            return Some(tr!("connection-no-tls"));
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return Some(tr!("connection-no-http"));
        }
    }
    None
}

/// The cause of an error. An I/O error hides its inner error: its `source` skips it.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
