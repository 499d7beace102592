//! What stands before every action.

mod limits;
mod log;
mod order;
mod spellings;
