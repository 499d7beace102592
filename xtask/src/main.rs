//! Developer commands: `cargo xtask test` is the one test command, `cargo xtask bench` measures.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands for people at a terminal")]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[cfg(feature = "bench")]
mod bench;
mod browser;
mod circles;
mod fmt;
mod limits;
mod package;
mod pictures;
mod semver;
mod soak;
mod test;
mod workspace;

use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need and run all of them.
    Test(test::Args),
    /// Format all files, also those that `cargo fmt` does not find.
    Fmt,
    /// Find files that use each other in a circle, and files and functions that are too long.
    Circles,
    /// Write docs/operate/limits.md from the constants in the code.
    Limits,
    /// Write docs/wire/openapi.json from the request and response types.
    Openapi,
    /// Build the Debian package, the folder of the container image and the crates.
    Package(package::Args),
    /// Compare the public items of the published crates with those of an earlier revision.
    Semver(semver::Args),
    /// Write the pictures of the READMEs to docs/pictures.
    Pictures,
    /// Use both kinds of installation for a while, with kills and restarts, and check that nothing is lost.
    Soak(soak::Args),
    /// Measure the release binary.
    #[cfg(feature = "bench")]
    Bench(bench::Args),
    /// Measure the release binary.
    #[cfg(not(feature = "bench"))]
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    match run(&Workspace::new(), task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(workspace: &Workspace, task: Task) -> Result<()> {
    match task {
        Task::Test(args) => test::run(workspace, &args),
        Task::Fmt => fmt::run(workspace),
        Task::Circles => circles::run(workspace),
        Task::Limits => limits::run(workspace),
        Task::Soak(args) => soak::run(workspace, &args),
        Task::Semver(args) => semver::run(workspace, &args),
        Task::Pictures => pictures::run(workspace),
        Task::Package(args) => package::run(workspace, &args),
        Task::Openapi => {
            let mut test =
                workspace.cargo("test --quiet -p jingku-protocol --features schema --test openapi");
            workspace::run(test.env("JINGKU_WRITE_DOCS", "1"))
        }
        #[cfg(feature = "bench")]
        Task::Bench(args) => bench::run(workspace, args),
        // Runs this program again, as an optimized build with the feature `bench`.
        #[cfg(not(feature = "bench"))]
        Task::Bench { arguments } => {
            let mut cargo =
                workspace.cargo("run --quiet --release --package xtask --features bench -- bench");
            // It has printed its error.
            std::process::exit(cargo.args(arguments).status()?.code().unwrap_or(1))
        }
    }
}
