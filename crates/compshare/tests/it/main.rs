//! The client against a server on loopback that verifies every signature.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

mod calls;
mod errors;
mod export;
mod pages;
mod retries;
mod server;
mod upload;
mod wait;
