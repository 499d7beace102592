//! Jobs: the making of images by workers.
//!
//! | from | to | by |
//! |---|---|---|
//! | – | waiting | `create_image`, `finish_upload` |
//! | waiting, or leased and expired | leased | `claim_job` |
//! | leased | leased for longer | `heartbeat` |
//! | leased | waiting | `release_job` |
//! | leased | done, failed | `complete_job`, `fail_job` |
//! | waiting, or leased and expired | failed | `claim_job`, after [`ATTEMPTS_MAX`] attempts |
//! | waiting, leased | cancelled | `delete_image` |

pub(crate) mod claim;
pub(crate) mod lease;
pub(crate) mod queue;
pub(crate) mod row;
