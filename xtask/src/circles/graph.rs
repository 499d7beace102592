//! The graph of the files of a crate.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;

/// The names that a file uses, by the file that defines them.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What each file of a crate uses.
pub(super) struct Graph(BTreeMap<String, Uses>);

impl Graph {
    pub(super) fn new(modules: &Modules) -> Self {
        let mut graph = BTreeMap::<String, Uses>::new();
        for (path, module) in &modules.0 {
            let imports =
                module.imports.iter().filter(|import| import.is_private).map(|import| &import.target);
            let uses = graph.entry(module.file.clone()).or_default();
            for used in imports.chain(&module.paths) {
                let definition = modules.definition(path, used);
                if let Some(definition) = definition.filter(|definition| definition.file != module.file) {
                    uses.entry(definition.file).or_default().insert(definition.name);
                }
            }
        }
        Self(graph)
    }

    /// The files that a file uses, with the names from there.
    pub(super) fn uses(&self, file: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let uses = self.0.get(file).into_iter().flatten();
        uses.map(|(target, names)| (&**target, names.iter().map(String::as_str).collect()))
    }

    /// The groups of files that each reach all others of their group.
    pub(super) fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|file| (&**file, self.reachable(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reach {
            let circle: BTreeSet<&str> =
                reached.iter().copied().filter(|other| reach[other].contains(file)).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
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

    use super::*;

    /// The circles of a crate with these files.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let graph = Graph::new(&Modules::read(folder.path(), &folder.path().join("lib.rs")).unwrap());
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
