//! What this machine offers to instances: cores, memory and GPUs.

mod cdi;
mod offer;
mod reading;

use std::sync::{Arc, Mutex};

pub use offer::{CPU_TYPE, HostOffer, InstanceSize, OfferedType};

/// The last offer, and when it was read.
#[derive(Default)]
pub(crate) struct Host(Mutex<Option<(i64, Arc<HostOffer>)>>);
