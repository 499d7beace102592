//! docker-registry, and what registries serve.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::bench::process::Server;
use crate::workspace::succeeds;

const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Fails if a required program is missing.
pub(super) fn ensure_tools() -> Result<()> {
    for (program, package) in [
        ("podman", "podman"),
        ("runc", "runc"),
        ("/bin/busybox", "busybox-static"),
        ("docker-registry", "docker-registry"),
        ("skopeo", "skopeo"),
    ] {
        ensure!(
            succeeds(Command::new(program).arg("--help")),
            "{program} is not installed; install the package {package}"
        );
    }
    Ok(())
}

/// Starts docker-registry with its defaults, on a free port, with this folder.
pub(super) fn start_registry(folder: &Path) -> Result<Server> {
    fs::create_dir_all(folder)?;
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let config = folder.with_extension("yml");
    let root = folder.to_str().context("the folder's name is not UTF-8")?;
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\nhttp: {{addr: \"{address}\"}}\n"
    );
    fs::write(&config, text)?;
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server { child: command.spawn().context("start docker-registry")?, address };
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(start.elapsed() < START_TIMEOUT, "docker-registry does not start");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

/// The bytes of an image's layers and configuration, which a client without any of them pulls.
pub(super) fn image_bytes(server: &Server, name: &str, credentials: Option<&str>) -> Result<u64> {
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--raw", "--tls-verify=false"]);
    if let Some(credentials) = credentials {
        skopeo.args(["--creds", credentials]);
    }
    let output =
        skopeo.arg(format!("docker://{}/{name}", server.address)).output().context("start skopeo")?;
    ensure!(output.status.success(), "skopeo inspect: {}", String::from_utf8_lossy(&output.stderr));
    let manifest: Value = serde_json::from_slice(&output.stdout).context("read a manifest")?;
    let blobs = manifest["layers"].as_array().into_iter().flatten().chain([&manifest["config"]]);
    blobs.map(|blob| blob["size"].as_u64().context("a blob without a size")).sum()
}
