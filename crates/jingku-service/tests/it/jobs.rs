//! The making of images, from outside.

mod bytes;
mod failures;
mod races;
mod stopping;
mod trash;
mod usage;
