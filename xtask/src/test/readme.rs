//! Runs the commands of the README unchanged.
//!
//! All blocks marked `sh` between the two markers form one script. It runs in a copy of the checkout with a new home
//! folder and stops at the first error. A block marked `sh background` starts a server; the next block runs when the
//! server has printed its address.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, command, run as run_command};

const START: &str = "<!-- ci:start -->";
const END: &str = "<!-- ci:end -->";
/// The time limit of the commands, in seconds: one of them can be a clean release build.
const SECONDS_MAX: &str = "900";
/// Samples that both READMEs contain unchanged.
const SAMPLES: [&str; 2] =
    ["crates/compshare/examples/list_custom_images.rs", "crates/compshare/examples/list_custom_images.py"];
const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];
/// Comes before the commands. Ends the servers and their children when the script ends.
const PROLOGUE: &str = "set -euo pipefail
servers=()
trap 'for server in \"${servers[@]}\"; do kill -- -$server || true; done; wait' EXIT
";

/// Copies the files that are tracked or could be added to a folder, except those that are tracked but deleted.
const COPY: &str = "set -euo pipefail
git ls-files -z --cached --others --exclude-standard |
    tar --create --null --ignore-failed-read --files-from=- | tar --extract --directory \"$1\"
";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    for (readme, sample) in READMES.iter().flat_map(|readme| SAMPLES.map(|sample| (readme, sample))) {
        if !workspace.read(readme)?.contains(&workspace.read(sample)?) {
            bail!("{readme} does not contain {sample} unchanged");
        }
    }
    let script = format!("{PROLOGUE}{}", commands(&workspace.read("README.md")?)?);

    let folder_above = workspace.target.join("readme");
    let [copy, home, build] = ["copy", "home", "build"].map(|name| folder_above.join(name));
    for folder in [&copy, &home] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
        }
    }
    for folder in [&copy, &home, &build] {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    run_command(workspace.command("bash", "-c").args([COPY, "bash"]).arg(&copy))?;
    // Keeps built dependencies. Not the target folder of the checkout: cargo identifies crates by their path inside the
    // workspace and would mix those of the copy with those of the checkout.
    std::os::unix::fs::symlink(&build, copy.join("target")).context("link the target folder")?;

    let mut bash = command(&copy, "timeout", "--kill-after=10");
    newcomer(bash.args([SECONDS_MAX, "bash", "-xc", &script]), &home);
    // The commands are tested, not how fast the program is: optimizing it takes minutes.
    bash.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let settings = folder_above.join(".cargo");
    fs::create_dir_all(&settings).with_context(|| format!("create {}", settings.display()))?;
    fs::write(settings.join("config.toml"), not_optimized(&workspace.read("Cargo.toml")?))?;
    run_command(&mut bash).context("the commands of README.md fail")
}

/// The settings of cargo that replace the optimisation of single packages.
fn not_optimized(manifest: &str) -> String {
    let packages = manifest.split_once("\n[profile.release.package]\n").map_or("", |(_, packages)| packages);
    let names = packages.lines().map_while(|line| line.split_once(" = "));
    let unset = names.map(|(name, _)| format!("{name} = {{ opt-level = 0 }}\n"));
    unset.fold("[profile.release.package]\n".to_owned(), |settings, line| settings + &line)
}

/// Sets the environment of a user with a Rust toolchain and without Jingku.
fn newcomer(command: &mut Command, home: &Path) {
    // The toolchain stays in the old home.
    let old_home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(variable, env::var_os(variable).unwrap_or_else(|| old_home.join(folder).into()));
    }
    for (name, _) in env::vars_os() {
        let ours = |name: &str| ["JINGKU_", "XDG_", "CARGO_TARGET"].iter().any(|ours| name.starts_with(ours));
        if name.to_str().is_some_and(ours) {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("CARGO_INSTALL_ROOT", home.join(".cargo"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(home.join(".cargo/bin")).chain(env::split_paths(&path));
    command.env("PATH", env::join_paths(folders).expect("they were joined before"));
}

/// The commands in the `sh` blocks between the markers.
fn commands(readme: &str) -> Result<String> {
    let marked = readme.split_once(START).and_then(|(_, rest)| rest.split_once(END));
    let Some((marked, _)) = marked else {
        bail!("README.md has no {START} … {END} around the commands that are tested");
    };
    let mut script = String::new();
    let mut lines = marked.lines();
    while let Some(line) = lines.next() {
        let background = match line.trim() {
            "```sh" => false,
            "```sh background" => true,
            _ => continue,
        };
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: String = block.flat_map(|line| [line, "\n"]).collect();
        script += &if background { in_background(&block) } else { block };
    }
    if script.is_empty() {
        bail!("README.md has no ```sh block between {START} and {END}");
    }
    Ok(script)
}

/// Starts a server and waits for its address. Fails if it ends before.
///
/// It gets its own session and so its own process group: killing only the shell would leave the server running.
fn in_background(block: &str) -> String {
    let quoted = block.replace('\'', r"'\''");
    format!(
        "log=$(mktemp)
setsid bash -euxc '
{quoted}' >\"$log\" &
servers+=($!)
until grep -q '^http' \"$log\"; do kill -0 $!; sleep 0.2; done
"
    )
}

#[cfg(test)]
mod tests {
    use walkdir::WalkDir;

    use super::*;

    #[test]
    fn only_marked_sh_blocks_are_run_in_order() {
        let readme = format!(
            "```sh\nbefore\n```\n{START}\ntext\n```sh\none\n  two\n```\n```text\noutput\n```\n```sh\nthree\n```\n{END}\n```sh\nafter\n```"
        );
        assert_eq!(commands(&readme).unwrap(), "one\n  two\nthree\n");
    }

    #[test]
    fn a_background_block_is_a_server() {
        let readme = format!("{START}\n```sh background\nserve 'it'\n```\n```sh\nask\n```\n{END}");
        let script = commands(&readme).unwrap();
        assert!(script.contains(r"'\''it'\''"), "{script}");
        assert!(script.ends_with("done\nask\n"), "{script}");
    }

    #[test]
    fn every_link_of_a_document_leads_to_a_file() {
        let root = Workspace::new().root;
        let documents = WalkDir::new(root.join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
        let documents = documents.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        for document in documents.chain(READMES.map(|name| root.join(name))) {
            let text = fs::read_to_string(&document).unwrap();
            let folder = document.parent().unwrap();
            let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            let pictures = text.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"'));
            for (link, _) in links.chain(pictures) {
                let path = link.split('#').next().unwrap_or_default();
                let is_file = path.is_empty() || path.contains(':') || folder.join(path).exists();
                assert!(is_file, "{}: {link}", document.display());
            }
        }
    }

    #[test]
    fn a_readme_without_tested_commands_is_refused() {
        assert!(commands("```sh\ntrue\n```").unwrap_err().to_string().contains(START));
        assert!(commands(&format!("{END} {START}")).is_err());
        assert!(commands(&format!("{START}\n```text\n$ true\n```\n{END}")).is_err());
    }
}
