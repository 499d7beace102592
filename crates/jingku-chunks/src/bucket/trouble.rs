//! Why a request failed, in words for the operator.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use crate::error::Error;
use crate::key::Key;

/// Codes and texts of object stores, and what the operator can do.
const ADVICE: [(&str, &str); 8] = [
    (
        "RequestTimeTooSkewed",
        "the clock of this machine differs from that of the object store by more than 15 minutes. Set the clock",
    ),
    (
        "RequestExpired",
        "the clock of this machine differs from that of the object store, or the request took too long. Set the clock",
    ),
    (
        "SignatureDoesNotMatch",
        "the object store rejects the secret key. Check AWS_SECRET_ACCESS_KEY and the region",
    ),
    ("InvalidAccessKeyId", "the object store does not know the access key. Check AWS_ACCESS_KEY_ID"),
    ("NoSuchBucket", "the bucket does not exist. Create it, or check its name"),
    (
        "AccessDenied",
        "the key pair may not do this. It needs to read, write, list and delete objects of the bucket",
    ),
    ("SlowDown", "the object store is overloaded. Try again later"),
    ("169.254.169.254", "no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
];

/// Codes of a store or bucket that takes no more.
const FULL: [&str; 4] = ["QuotaExceeded", "InsufficientCapacity", "StorageFull", "EntityTooLarge"];

/// Why a request failed.
pub(super) enum Trouble {
    /// The object does not exist.
    NotFound,
    /// The store takes no more.
    Full,
    /// Anything else.
    Io(io::Error),
}

impl Trouble {
    pub(super) fn timeout(limit: Duration) -> Self {
        let text = format!("the object store did not answer within {} s", limit.as_secs());
        Self::Io(io::Error::new(io::ErrorKind::TimedOut, text))
    }

    /// Explains what the object store answered.
    pub(super) fn explain(answer: &str) -> Self {
        if FULL.iter().any(|code| answer.contains(code)) {
            return Self::Full;
        }
        let advice = ADVICE.iter().find(|(code, _)| answer.contains(code));
        Self::Io(io::Error::other(match advice {
            Some((_, advice)) => format!("{advice}. It answered: {}", first_line(answer)),
            None => first_line(answer).to_owned(),
        }))
    }

    /// The error of a request for one object.
    pub(super) fn of_object(self, verb: &str, key: Key) -> Error {
        match self {
            Self::NotFound => Error::NotFound(key),
            other => other.of(format!("{verb} {key}")),
        }
    }

    /// The error of a request; `doing` completes the sentence "cannot …".
    pub(super) fn of(self, doing: impl Into<String>) -> Error {
        let doing = doing.into();
        match self {
            Self::NotFound => Error::Io { doing, source: io::ErrorKind::NotFound.into() },
            Self::Full => Error::NoSpace { doing },
            Self::Io(source) => Error::Io { doing, source },
        }
    }
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        // Outer errors often repeat inner ones.
        while let Some(inner) = source {
            let more = inner.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            source = inner.source();
        }
        match error {
            // A missing bucket is not a missing object.
            object_store::Error::NotFound { .. } if !text.contains("NoSuchBucket") => Self::NotFound,
            _ => Self::explain(&text),
        }
    }
}

/// Answers are XML documents of many lines.
fn first_line(text: &str) -> &str {
    const BYTES_MAX: usize = 600;
    let line = text.trim();
    let end = line.char_indices().map(|(at, _)| at).take_while(|at| *at <= BYTES_MAX).last().unwrap_or(0);
    if line.len() <= BYTES_MAX { line } else { &line[..end] }
}
