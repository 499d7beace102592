//! Tests of the built binary: each spawns it in a temporary home.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failed unwrap fails the test; a skipped test prints why

mod audit;
mod authority;
mod backup;
mod beside;
mod boot;
mod bucket;
mod check;
mod client;
mod cluster;
mod completions;
mod containers;
mod corruption;
mod crash;
mod damage;
mod disk;
mod env;
mod ephemeral;
mod health;
mod home;
mod hostile;
mod image;
mod import;
mod kinds;
mod lab;
mod man;
mod memory;
mod migrate;
mod old_data;
mod operate;
mod postgres;
mod private;
mod qemu;
mod read_only;
mod reference;
mod room;
mod run;
mod serve;
mod server;
mod soak;
mod sweep;
mod terminal;
mod testing;
mod trash;
mod usage;
