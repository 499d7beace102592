//! What this machine offers to instances: cores, memory and GPUs.

mod cdi;
mod offer;
mod reading;

use std::sync::{Arc, Mutex};

pub use offer::{CPU_TYPE, HostOffer, InstanceSize, OfferedType};

/// When this machine was last read, its CDI specs and its offer then.
#[derive(Default)]
pub(crate) struct Host(Mutex<Option<(i64, cdi::Specs, Arc<HostOffer>)>>);
