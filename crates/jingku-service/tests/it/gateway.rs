//! What stands before every action.

mod connections;
mod health;
mod key_limits;
mod limits;
mod log;
mod order;
mod spellings;
