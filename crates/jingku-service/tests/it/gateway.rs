//! What stands before every action.

mod connections;
mod health;
mod limits;
mod log;
mod order;
mod spellings;
