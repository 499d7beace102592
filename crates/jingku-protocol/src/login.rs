//! How people sign in to an instance.

use serde::{Deserialize, Serialize};

use crate::bounded::SshPublicKey;
use crate::list::List;

/// The most SSH keys of an instance. Ours.
pub(crate) const MAX_SSH_KEYS: usize = 10;

/// The SSH keys of an instance.
pub type SshPublicKeys = List<SshPublicKey, MAX_SSH_KEYS>;

/// How people sign in to an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum LoginMode {
    /// With a password. The only mode in the documents of CompShare.
    #[default]
    Password,
    /// With SSH keys and without a password. The word of UCloud's virtual machines.
    KeyPair,
}
