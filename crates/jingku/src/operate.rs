//! The operator's commands on accounts, keys, instances and platform images. They open the data directory themselves, with
//! or without a server running on it.

mod account;
mod instance;
mod key;
mod platform;

pub(crate) use account::account;
pub(crate) use instance::instance;
pub(crate) use key::key;
pub(crate) use platform::platform;
