//! The gateway: what happens to a request before its action.

mod bodies;
mod bounds;
mod connections;
mod health;
mod key_limits;
mod limits;
mod log;
mod order;
mod shapes;
mod spellings;
