//! Instances that the API creates: containers of the engine on this machine.
//!
//! The catalogue names what is to be done to a pod before anything is done, so that a restarted server continues: each
//! operation looks at the container first and does what is missing.

mod container;
mod error;
mod host_key;
mod operation;
mod password;
mod ports;
mod runner;
mod scheduled_stop;
mod secret;
mod size;
mod source;
mod ssh_keys;
mod state;

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

pub use operation::PodOptions;
pub use password::{is_password, new_password};
pub use ports::{HTTP_PORT, SSH_PORT, wanted_ports};
pub use secret::ResetPassword;
pub use size::{WITHOUT_GPU_TIERS, size_without_gpu};
pub use ssh_keys::is_ssh_key;
pub use state::shown_state;

/// The operations that this process runs.
#[derive(Default)]
pub struct Pods {
    /// Notified when an operation begins.
    pub wake: Notify,
    /// The running operations by the id of the pod, with the time at which each began.
    running: Mutex<HashMap<String, (i64, AbortHandle)>>,
    /// One image is loaded at a time: several pods may wait for the same one.
    loading: tokio::sync::Mutex<()>,
    /// Held while an image that no pod needs is removed, and while a pod records which one it needs.
    removing: tokio::sync::Mutex<()>,
}
