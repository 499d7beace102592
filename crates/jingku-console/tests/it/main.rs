//! The console over a server in memory.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

mod browser;
mod edit;
mod first_visit;
mod guessing;
mod hostile;
mod import;
mod operator;
mod pages;
mod routes;
mod selection;
mod sessions;
mod sign_in;
mod trash;
mod usage;
