//! A temporary Jingku server for tests of code that uses the CompShare image API, and the client of its lab.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = jingku_testing::Server::start(None)?;
//! let client = server.client()?;
//! server.lab.fail("DescribeCompShareCustomImages", 153, None, 1).await?;
//! let page = client.describe_comp_share_custom_images(&Default::default()).await?; // retries by itself
//! # Ok(())
//! # }
//! ```
//!
//! docs/operate/lab.md describes the fixtures file and what a lab can do.

mod lab;
mod server;

pub use lab::{Lab, LabError};
pub use server::{Account, KeyPair, Server, StartError};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
