//! What must hold for any bytes that come from outside or have lain on a disk.
//!
//! Each target takes bytes as they come and panics where a promise is broken. They run in two places: under cargo-fuzz
//! (`/fuzz`, on nightly), and for a short while on every `cargo test` (`tests/smoke.rs`), over the same corpus in
//! `/fuzz/corpus` and changes to it that [`Mutations`] makes.
//!
//! Formats are checked against a second reading of `docs/format`, written here from the document and not from the code.
#![allow(clippy::missing_panics_doc, reason = "to panic is how a target tells")]

mod chunk;
pub mod corpus;
mod disk;
mod manifest;
mod mutation;
mod qcow2;
mod request;

pub use mutation::Mutations;

/// One thing to try bytes on.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of the folder of its corpus and of the program in `/fuzz`.
    pub name: &'static str,
    /// Tries these bytes; panics where a promise is broken.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 5] = [
    Target { name: "chunk", run: chunk::run },
    Target { name: "disk", run: disk::run },
    Target { name: "manifest", run: manifest::run },
    Target { name: "qcow2", run: qcow2::run },
    Target { name: "request", run: request::run },
];

/// Runs the target of this name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target is called {name}")).run)(input);
}
