//! `cargo xtask pictures`: the pictures of the READMEs, made by the program itself.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::browser;
use crate::workspace::{Workspace, command, run as run_command};

/// Records a terminal and draws the recording as an animated SVG.
const RECORDER: &str = "svgterm==1.1.0";
/// Frames shorter than this are merged: a progress bar has hundreds.
const RECORDING: &str = "--screen-geometry 84x12 --min-frame-duration 200 --max-frame-duration 2500 \
    --loop-delay 4000 --template window_frame --command";
/// The disk of a virtual machine: a file system with some content.
const DISK: &str = "set -euo pipefail
mke2fs -q -t ext4 -d /usr/share/locale disk.raw 4G
qemu-img convert -O qcow2 disk.raw trainer.qcow2
rm disk.raw";
const KEYS: [&str; 2] = ["public-pictures", "private-pictures"];

struct Server {
    child: Child,
    base_url: String,
}

/// Writes the pictures to docs/pictures.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    run_command(&mut workspace.cargo("build --release --package jingku"))?;
    let binary = workspace.target.join("release/jingku");
    let pictures = workspace.root.join("docs/pictures");
    let folder = workspace.target.join("pictures");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    record_terminal(&binary, &folder, &pictures)?;
    photograph_console(workspace, &binary, &pictures)
}

fn record_terminal(binary: &Path, folder: &Path, pictures: &Path) -> Result<()> {
    let (data, desk) = (folder.join("data"), folder.join("desk"));
    fs::create_dir_all(&desk).with_context(|| format!("create {}", desk.display()))?;
    run_command(&mut command(folder, "python3", "-m venv venv"))?;
    run_command(
        command(folder, "venv/bin/pip", "install --quiet --disable-pip-version-check").arg(RECORDER),
    )?;
    run_command(command(&desk, "bash", "-c").arg(DISK))?;
    fs::write(folder.join("terminal.sh"), include_str!("pictures/terminal.sh"))?;
    let _server = Server::start(Command::new(binary).arg("serve").arg("--data-dir").arg(&data))?;
    let programs = binary.parent().context("the program is in a folder")?;
    let path = format!("{}:{}", programs.display(), env::var("PATH")?);
    let mut recorder = command(&desk, folder.join("venv/bin/svgterm"), RECORDING);
    recorder.arg("bash ../terminal.sh").arg(pictures.join("terminal.svg"));
    recorder.env("PATH", path).env("JINGKU_DATA_DIR", &data);
    recorder.env("LANG", "C.UTF-8").env("TERM", "xterm-256color");
    // It ends at the end of its input, and repeats everything on its output.
    let mut recording =
        recorder.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("start svgterm")?;
    let _input = recording.stdin.take();
    ensure!(recording.wait()?.success(), "svgterm failed");
    ensure!(desk.join("copy.qcow2").exists(), "a command of the recording failed: look at the picture");
    Ok(())
}

fn photograph_console(workspace: &Workspace, binary: &Path, pictures: &Path) -> Result<()> {
    let mut serve = Command::new(binary);
    serve.args(["serve", "--ephemeral", "--fixtures"]);
    let server = Server::start(serve.arg(workspace.root.join("xtask/src/pictures/fixtures.toml")))?;
    let [public_key, private_key] = KEYS;
    let pictures = pictures.to_str().context("the folder is not UTF-8")?;
    let arguments = [&server.base_url, public_key, private_key, pictures];
    browser::run_script(workspace, include_str!("pictures/console.mjs"), &arguments)?;
    Ok(())
}

impl Server {
    /// Starts a server on a free port.
    fn start(command: &mut Command) -> Result<Self> {
        let piped = command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().context("start a server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let server = Self { child, base_url: line.trim().to_owned() };
        ensure!(server.base_url.starts_with("http://"), "the server has not started");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
