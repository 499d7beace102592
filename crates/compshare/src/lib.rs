//! A client for the CompShare image API: typed calls, signing, paging, retries and waiting, against a Jingku server or
//! the cloud.
//!
//! ```no_run
//! use compshare::actions::DescribeCompShareCustomImagesRequest;
//! use compshare::{Client, Config};
//!
//! # async fn run() -> Result<(), compshare::Error> {
//! let client = Client::new(Config::from_env()?)?;
//! let page = client.describe_comp_share_custom_images(&DescribeCompShareCustomImagesRequest::default()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Every action is a method named as in the Python SDK. [`Client::custom_images`] lists all pages,
//! [`Client::wait_until_available`] waits for an image that is being made, [`Client::export`] downloads an image, and
//! [`Client::start_import`] uploads a disk as an image.

mod class;
mod client;
mod config;
mod error;
mod exchange;
mod export;
mod methods;
mod pages;
mod reply;
mod retry;
mod upload;
mod wait;

pub use client::Client;
pub use config::{Config, DEFAULT_BASE_URL};
pub use error::{Cause, Error};
pub use reply::MAX_REPLY_BYTES;
pub use upload::Upload;
pub use wait::WaitOptions;

pub use jingku_protocol::{
    Class, DeliveryState, FileHasher, HashKind, Image, ImageStatus, NameRefusal, Owner, PlatformType,
    RetCode, SoftwarePort, Softwares, SupportedZone, WebhookEvent, actions,
};
pub use secrecy::SecretString;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
