//! The libraries for a registry.

use std::path::Path;

use anyhow::Result;

use super::folder::{self, copy};
use crate::workspace::{Workspace, run};

/// The published crates. Cargo finds their order.
pub(crate) const CRATES: [&str; 3] = ["jingku-protocol", "compshare", "jingku-testing"];

/// Writes `crates/NAME-VERSION.crate` to the folder. The crates are not built: the tests build a project that uses them.
pub(super) fn build(workspace: &Workspace, folder: &Path) -> Result<()> {
    let crates = folder.join("crates");
    folder::create(&crates)?;
    // Tests package what is not committed yet.
    let mut cargo = workspace.cargo("package --quiet --no-verify --allow-dirty");
    for name in CRATES {
        cargo.args(["--package", name]);
    }
    run(&mut cargo)?;
    for name in CRATES {
        let file = format!("{name}-{}.crate", env!("CARGO_PKG_VERSION"));
        copy(&workspace.target.join("package").join(&file), &crates.join(&file))?;
    }
    Ok(())
}
