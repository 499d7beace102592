//! The operator's work: accounts, keys, instances, platform images, sign-ins. It needs no signature, only access to the data directory.

mod accounts;
mod condition;
mod hosts;
mod instances;
mod platform;
mod sign_ins;

pub use condition::Condition;
pub use hosts::ForgottenHost;
pub(crate) use instances::check_instance_id;
pub use instances::{NewInstance, caution_of};
pub use platform::PlatformImage;
