//! The audit log: who changed what, as a chain of hashes.
//!
//! The entry of a change is written by the transaction that makes the change, just before it commits. A task-local
//! ([`scope`]) carries what is known of the change from [`Catalog::audited`](crate::Catalog::audited) to the commit, so no
//! method that changes something can miss it. docs/operate/audit.md defines the hash.

pub(crate) mod append;
pub(crate) mod entry;
pub(crate) mod expire;
pub(crate) mod list;
pub(crate) mod scope;
pub(crate) mod verify;
