//! Pods: containers that the API created. The operator's containers have no pod.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod login;
pub(crate) mod operation;
pub(crate) mod ports;
pub(crate) mod row;
