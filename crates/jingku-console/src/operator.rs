//! The pages of the operator. They call the functions of the library that the operator's commands call.

mod caller;
mod figure;
pub(crate) mod health;

/// The start page of the operator.
pub(crate) const HEALTH: &str = "/console/operator/health";
