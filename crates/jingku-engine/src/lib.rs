//! The containers of a Docker or Podman engine on this machine, over the engine's socket.
//!
//! Both answer the Docker Engine API. Every call has a deadline; nothing is retried here.

mod container;
mod create;
mod engine;
mod error;
mod exec;
mod export;
mod images;
#[cfg(feature = "testing")]
pub mod testing;
mod upload;
mod usage;

pub use crate::container::{Container, Limits, Listed, RootPlace, State};
pub use crate::create::NewContainer;
pub use crate::engine::Engine;
pub use crate::error::EngineError;
pub use crate::export::Export;
pub use crate::upload::NewFile;
pub use crate::usage::Usage;
