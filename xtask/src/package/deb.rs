//! The Debian package: `packaging/debian` and what the program prints about itself, packed by debhelper.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::folder::{self, copy, write};
use crate::workspace::{Workspace, command, run, succeeds};

/// Where each shell looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/jingku"),
    ("fish", "usr/share/fish/vendor_completions.d/jingku.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_jingku"),
];
const MAN_PAGES: [(&str, &str); 2] = [("en", "usr/share/man/man1"), ("zh", "usr/share/man/zh_CN/man1")];

/// Writes `deb/jingku_VERSION_ARCHITECTURE.deb` to the folder.
pub(super) fn build(workspace: &Workspace, binary: &Path, folder: &Path) -> Result<()> {
    if !succeeds(Command::new("sh").args(["-c", "command -v dh"])) {
        bail!("install the Debian package debhelper, which packs the program");
    }
    folder::create(&folder.join("deb"))?;
    let build = folder.join("deb/build");
    let payload = build.join("payload");
    folder::create(&payload)?;
    run(workspace.command("cp", "--recursive packaging/debian").arg(&build))?;
    copy(binary, &payload.join("usr/bin/jingku"))?;
    copy(&workspace.root.join("packaging/jingku.toml"), &payload.join("etc/jingku/jingku.toml"))?;
    for (shell, file) in COMPLETIONS {
        let script = output(Command::new(binary).args(["completions", shell, "--lang", "en"]))?;
        write(&payload.join(file), &script)?;
    }
    for (lang, pages) in MAN_PAGES {
        let pages = payload.join(pages);
        fs::create_dir_all(&pages).with_context(|| format!("create {}", pages.display()))?;
        run(Command::new(binary).arg("man").arg(pages).args(["--lang", lang]))?;
    }
    write(&build.join("debian/changelog"), &changelog(workspace)?)?;
    run(&mut command(&build, "debian/rules", "binary"))
}

/// The version and its date; CHANGELOG.md says the rest. The date of the commit makes the package reproducible.
fn changelog(workspace: &Workspace) -> Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    let date = output(&mut workspace.command("git", "log -1 --format=%cD"))?;
    Ok(format!(
        "jingku ({version}) stable; urgency=medium

  * See CHANGELOG.md in the source.

 -- The Jingku project <jingku@localhost>  {}
",
        date.trim()
    ))
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
