//! Background jobs, tested through the API and the library.

mod bytes;
mod deadline;
mod failures;
mod fairness;
mod limits;
mod races;
mod stopping;
mod trash;
mod unique_bytes;
mod usage;
