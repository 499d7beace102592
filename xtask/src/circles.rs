//! `cargo xtask circles`: finds files of a crate that use each other in a circle, and files and functions that are too
//! long.
//!
//! File a uses file b when a private import or a path in a names an item that b defines. Re-exports are followed to the
//! definition. Declaring a module (`mod b;`) and re-exporting from it (`pub use b::Item;`) are not uses. Code for tests
//! only does not count. A method call names no item, so a method that is defined in another file is not seen.

mod modules;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::workspace::Workspace;
use modules::Modules;

/// Prints what it finds. Fails if there is a circle.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut circles = 0;
    for graph in graphs(workspace)? {
        for circle in graph.circles() {
            circles += 1;
            println!("{} files use each other in a circle:", circle.len());
            for file in &circle {
                println!("  {file}");
                for (target, names) in graph.uses(file).filter(|(target, _)| circle.contains(target)) {
                    println!("    uses {target}: {}", names.join(", "));
                }
            }
        }
    }
    for finding in sizes::too_long(workspace)? {
        println!("{finding}");
    }
    ensure!(circles == 0, "circles of files: {circles}");
    Ok(())
}

fn graphs(workspace: &Workspace) -> Result<Vec<Graph>> {
    let is_root = |file: &PathBuf| file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
    let roots = workspace.sources()?.into_iter().filter(is_root);
    roots.map(|file| Ok(Graph::new(&Modules::read(&workspace.root, &file)?))).collect()
}

/// The names that a file uses, by the file that defines them.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What each file of a crate uses.
struct Graph(BTreeMap<String, Uses>);

impl Graph {
    fn new(modules: &Modules) -> Self {
        let mut graph = BTreeMap::<String, Uses>::new();
        for (path, module) in &modules.0 {
            let imports = module.imports.iter().filter(|import| import.is_private);
            let uses = graph.entry(module.file.clone()).or_default();
            let named = imports.map(|import| &import.target).chain(&module.paths);
            for (file, name) in named.filter_map(|named| modules.definition(path, named)) {
                if file != module.file {
                    uses.entry(file).or_default().insert(name);
                }
            }
        }
        Self(graph)
    }

    /// The files that a file uses, with the names from there.
    fn uses(&self, file: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let uses = self.0.get(file).into_iter().flatten();
        uses.map(|(target, names)| (&**target, names.iter().map(String::as_str).collect()))
    }

    /// The groups of files that each reach all others of their group.
    fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|file| (&**file, self.reachable(file))).collect();
        let circles = reach.iter().map(|(file, reached)| {
            reached.iter().copied().filter(|other| reach[other].contains(file)).collect::<BTreeSet<_>>()
        });
        circles.filter(|circle| circle.len() > 1).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn reachable(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = self.uses(file).map(|(target, _)| target).collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(self.uses(next).map(|(target, _)| target));
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn no_crate_has_a_circle_of_files() {
        let graphs = graphs(&Workspace::new()).unwrap();
        assert!(graphs.len() > 5, "only {} crates were read", graphs.len());
        let circles: Vec<_> = graphs.iter().flat_map(Graph::circles).collect();
        assert!(circles.is_empty(), "see cargo xtask circles: {circles:?}");
    }

    /// The circles of a crate with these files.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let graph = Graph::new(&Modules::read(folder.path(), Path::new("lib.rs")).unwrap());
        graph.circles().into_iter().map(|circle| circle.into_iter().map(str::to_owned).collect()).collect()
    }

    const A_USES_B: (&str, &str) = ("a.rs", "use crate::b::B; pub struct A(B);");

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let lib = ("lib.rs", "mod a; mod b;");
        let found = vec![vec!["a.rs".to_owned(), "b.rs".to_owned()]];
        for b in [
            "use super::a::A; pub struct B(A);",
            "use super::a; pub struct B(a::A);",
            "pub struct B; fn f() { let a: crate::a::A; }",
            "pub struct B; fn f() { vec![crate::a::A]; }",
            "pub struct B; fn f() { use crate::a::*; A; } ",
            "#[serde(with = \"crate::a::text\")] pub struct B;",
            "pub struct B; mod inner { use super::super::a::A; }",
        ] {
            assert_eq!(circles(&[lib, A_USES_B, ("b.rs", b)]), found, "{b}");
        }
        for b in [
            "pub struct B;",
            "pub(crate) struct B; pub(in crate::a) struct C;",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            "/// See [`crate::a::A`].\npub struct B;",
            "use std::a::A; pub struct B(A);",
        ] {
            assert_eq!(circles(&[lib, A_USES_B, ("b.rs", b)]), Vec::<Vec<String>>::new(), "{b}");
        }
    }

    #[test]
    fn a_reexport_is_followed_and_is_not_a_use() {
        let lib = "mod a; mod b; pub use a::A; pub use b::*;";
        let a = ("a.rs", "use crate::B; pub struct A(B);");
        assert!(circles(&[("lib.rs", lib), a, ("b.rs", "pub struct B;")]).is_empty());
        assert_eq!(circles(&[("lib.rs", lib), a, ("b.rs", "pub struct B(crate::A);")]).len(), 1);
        // The root uses what it re-exports, and defines what a child uses.
        let lib = format!("{lib} pub struct Root(A);");
        let a = ("a.rs", "use crate::Root; pub struct A;");
        assert_eq!(circles(&[("lib.rs", &lib), a, ("b.rs", "")])[0], ["a.rs", "lib.rs"]);
    }

    #[test]
    fn a_parent_and_its_child_are_a_circle_if_they_use_each_other() {
        let lib = ("lib.rs", "mod a;");
        let child = ("a/child.rs", "use super::A; pub struct Child(A);");
        assert_eq!(circles(&[lib, ("a.rs", "mod child; pub struct A(child::Child);"), child]).len(), 1);
        assert!(
            circles(&[lib, ("a.rs", "mod child; pub use child::Child; pub struct A;"), child]).is_empty()
        );
    }
}
