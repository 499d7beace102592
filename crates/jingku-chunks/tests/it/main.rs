//! Tests of the store's public interface. One binary, one file per topic.

#![allow(
    clippy::unwrap_used,
    reason = "clippy takes only functions marked #[test] for tests, not what they call"
)]

mod backends;
mod bucket;
mod check;
mod concurrency;
mod damage;
mod dedup;
mod disk;
mod faults;
mod formats;
mod ranges;
mod round_trip;
mod sample;
mod streams;
mod sweep;
