//! `jingku image update --cover FILE`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// The largest file that is sent, in bytes: in Base64 it fits into a request. What becomes a cover is up to the server.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The `Cover` of a request: a file's bytes in Base64, or nothing, which clears, for an empty path.
pub(super) fn read(path: &OsStr) -> Result<String, Failure> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let path = Path::new(path);
    let mut bytes = Vec::new();
    let file = File::open(path);
    let read = file.and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(Failure::file(Exit::Refused, path))?;
    if bytes.is_empty() || bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(advise(Failure::new(Exit::Refused, tr!("image-cover-size", path))));
    }
    Ok(STANDARD.encode(bytes))
}

/// Adds the rules for covers when the server refused one.
pub(super) fn explain(failure: Failure) -> Failure {
    if failure.names("Cover") { advise(failure) } else { failure }
}

fn advise(failure: Failure) -> Failure {
    failure.advise(&tr!("image-cover-limits"))
}
