//! `cargo xtask circles`: finds files of a crate that use each other in a circle, and files and functions that are too
//! long.
//!
//! File a uses file b when a private import or a path in a names an item that b defines. Re-exports are followed to the
//! definition. Declaring a module (`mod b;`) and re-exporting from it (`pub use b::Item;`) are not uses. Code for tests
//! only does not count. A method call names no item, so a method that is defined in another file is not seen.

mod graph;
mod modules;
mod sizes;

use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace::{self, Workspace};
use graph::Graph;
use modules::Modules;

/// Prints what it finds. Fails if there is a circle.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    let graphs = graphs(root)?;
    let circles: Vec<_> = graphs
        .iter()
        .flat_map(|graph| graph.circles().into_iter().map(move |circle| (graph, circle)))
        .collect();
    for (graph, circle) in &circles {
        println!("{} files use each other in a circle:", circle.len());
        for file in circle {
            println!("  {file}");
            for (target, names) in graph.uses(file).filter(|(target, _)| circle.contains(target)) {
                println!("    uses {target}: {}", names.join(", "));
            }
        }
    }
    for finding in sizes::too_long(root)? {
        println!("{finding}");
    }
    if circles.is_empty() { Ok(()) } else { bail!("circles of files: {}", circles.len()) }
}

/// The graph of each crate.
fn graphs(root: &Path) -> Result<Vec<Graph>> {
    let crates = workspace::crate_roots(root)?;
    crates.iter().map(|crate_root| Ok(Graph::new(&Modules::read(root, crate_root)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_crate_has_a_circle_of_files() {
        let graphs = graphs(&Workspace::new().root).unwrap();
        assert!(graphs.len() > 5, "only {} crates were read", graphs.len());
        let circles: Vec<_> = graphs.iter().flat_map(Graph::circles).collect();
        assert!(circles.is_empty(), "see cargo xtask circles: {circles:?}");
    }
}
