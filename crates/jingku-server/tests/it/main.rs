//! Tests of the server over HTTP: signed requests in, responses out. One file per action, and one per guarantee that
//! covers several actions.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

mod audit;
mod cover;
mod database_failures;
mod edge;
mod fixtures;
mod gateway;
mod instructions;
mod isolation;
mod jobs;
mod lab;
mod name_refusal;
mod operator;
mod patroni;
mod registry;
mod repeats;
mod review;
mod round_trips;
mod servers;
mod support;
mod surface;
mod sweep;
mod tenancy;
mod transfers;

/// Every action has a test file of its name; the compiler asks for one that is missing.
macro_rules! action_tests {
    ($($action:ident $file:ident $request:ident $response:ident;)*) => { $(mod $file;)* };
}

jingku_protocol::for_each_action!(action_tests);
