//! The operator's work: accounts, keys, instances, platform images. It needs no signature, only access to the data folder.

mod accounts;
mod instances;
mod platform;

pub use accounts::AccountError;
pub(crate) use instances::check_instance_id;
pub use instances::{InstanceError, NewInstance, caution_of};
pub use platform::{PlatformError, PlatformImage};
