//! The pages of the operator. They call the functions of the library that the operator's commands call.

pub(crate) mod account;
pub(crate) mod accounts;
mod caller;
mod figure;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod review;
mod text;

/// The start page of the operator.
pub(crate) const HEALTH: &str = "/console/operator/health";
