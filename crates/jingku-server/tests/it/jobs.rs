//! The making of images, from outside.

mod bytes;
mod deadline;
mod failures;
mod fairness;
mod limits;
mod races;
mod stopping;
mod trash;
mod usage;
