//! `cargo xtask bench`: measures the release binary and a reference in the same run.
//!
//! Machines differ and are shared, so compare ratios within one run rather than absolute figures.

mod bare_server;
mod bare_store;
mod chunks;
mod console;
mod container;
mod daemon;
mod disk;
mod http;
mod list;
mod make;
mod overload;
mod process;
mod report;
mod s3;
mod size;

use anyhow::Result;
use clap::Subcommand;

use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Bench {
    /// Compare chunk sizes, cutting, grouping and compression levels on a disk and changed copies of it. Needs 26 GB.
    Chunks(disk::Args),
    /// Open the first page of 10,000 images in the web console; compare with the same list of the API.
    Console(console::Args),
    /// Save a running container and pull its image; compare with Podman and docker-registry. Needs 12 GB.
    Container(container::Args),
    /// List pages of 20 images; the reference is a bare server with the same HTTP stack and replies.
    List(list::Args),
    /// Create images of a 4 GiB disk and export them; compare with a bare loop, qemu-img, restic and borg. Needs 17 GB.
    Make(disk::Args),
    /// Create and export an image of a 4 GiB disk in an object store; compare with the plain client. Needs 17 GB.
    S3(s3::Args),
    /// List images with ten times the load, and beside a flood of another account.
    Overload(overload::Args),
    /// Measure size, dependencies, start time, idle memory and build time.
    Size(size::Args),
    /// Serve prepared replies; `list` starts it as a reference.
    #[command(hide = true)]
    BareServer(bare_server::Args),
    /// Serve a folder as an object store; `s3` starts it.
    #[command(hide = true)]
    ObjectStore(s3::object_store::Args),
}

/// Measures in a new folder, and prints the report.
pub(crate) fn run(workspace: &Workspace, args: Args) -> Result<()> {
    let machine = report::machine();
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&workspace.target)?;
    let report = match args.bench {
        Bench::Chunks(disk) => chunks::run(folder.path(), &disk)?,
        Bench::Console(args) => console::run(workspace, folder.path(), &args)?,
        Bench::Container(args) => container::run(workspace, folder.path(), &args)?,
        Bench::List(args) => list::run(workspace, folder.path(), &args)?,
        Bench::Make(disk) => make::run(workspace, folder.path(), &disk)?,
        Bench::S3(args) => s3::run(workspace, folder.path(), &args)?,
        Bench::Overload(args) => overload::run(workspace, folder.path(), &args)?,
        Bench::Size(args) => size::run(workspace, folder.path(), &args)?,
        Bench::BareServer(args) => return bare_server::run(&args),
        Bench::ObjectStore(args) => return s3::object_store::run(&args),
    };
    if args.json {
        let all = serde_json::json!({ "machine": machine, "results": report.json });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("\n{machine}\n\n{}", report.text);
    }
    Ok(())
}
