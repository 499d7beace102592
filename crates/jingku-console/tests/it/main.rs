//! The console over a server in memory.

mod browser;
mod hostile;
mod pages;
mod sign_in;
