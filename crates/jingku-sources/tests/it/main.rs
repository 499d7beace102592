//! Tests of the public interface. One binary, one file per topic.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "test disks are small, and a panic fails the test"
)]

mod archive;
mod archive_layers;
mod bytes;
mod changes;
mod content;
mod declaration;
mod holes;
mod hostile;
mod installed_tools;
mod packed;
mod qemu;
mod sizes;
mod tree;
mod tree_entries;
mod tree_properties;
mod tree_root;
mod uploads;
mod writing;
