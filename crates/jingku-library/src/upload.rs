//! Files on their way in.

mod spool;
mod spools;

pub use spool::{Acknowledged, Spool};
pub use spools::{Place, Spools};

pub(crate) use spools::UNPACKED;
