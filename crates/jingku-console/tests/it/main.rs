//! The console over a server in memory.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

mod browser;
mod hostile;
mod pages;
mod sessions;
mod sign_in;
