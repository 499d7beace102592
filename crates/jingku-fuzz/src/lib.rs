//! Properties that must hold for any bytes from outside or from a disk.
//!
//! Each target takes arbitrary bytes and panics if a property does not hold. Targets run under cargo-fuzz (`/fuzz`, on
//! nightly) and briefly in every `cargo test` (`tests/smoke.rs`), on the corpus in `/fuzz/corpus` and on [`Mutations`]
//! of it.
//!
//! Formats are compared with a second decoder, written from `docs/format` and not from the code.
#![allow(clippy::missing_panics_doc, reason = "a target reports failures by a panic")]

mod archive;
mod chunk;
pub mod corpus;
mod disk;
mod manifest;
mod mutation;
mod qcow2;
mod request;
mod tree;

pub use mutation::Mutations;

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also of its corpus folder and its program in `/fuzz`.
    pub name: &'static str,
    /// Tests these bytes; panics if a property does not hold.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target { name: "archive", run: archive::run },
    Target { name: "chunk", run: chunk::run },
    Target { name: "disk", run: disk::run },
    Target { name: "manifest", run: manifest::run },
    Target { name: "qcow2", run: qcow2::run },
    Target { name: "request", run: request::run },
    Target { name: "tree", run: tree::run },
];

/// Runs the target of this name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target {name}")).run)(input);
}
