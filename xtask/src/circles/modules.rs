//! The modules of a crate: their files, the names they define and import, and the paths they use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMod, ItemUse, Macro, Meta, UseTree, VisRestricted, Visibility};

/// Segments of a path, without generic arguments.
pub(super) type Segments = Vec<String>;

/// How many re-exports are followed to a definition.
const REEXPORTS_MAX: usize = 16;

/// One module; several can be in the same file.
#[derive(Default)]
pub(super) struct Module {
    /// Relative to the workspace.
    pub(super) file: String,
    names: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    /// The paths in its code, without imports.
    pub(super) paths: BTreeSet<Segments>,
}

/// `use target as name;`
pub(super) struct Import {
    /// `*` for all of the target's names.
    name: String,
    pub(super) target: Segments,
    pub(super) is_private: bool,
}

/// The modules of a crate by their path from its root.
#[derive(Default)]
pub(super) struct Modules(pub(super) BTreeMap<Segments, Module>);

impl Modules {
    /// Reads a crate, beginning with the file of its root module, which is relative to the workspace.
    pub(super) fn read(workspace: &Path, crate_root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        let folder = crate_root.parent().expect("it is a file").to_owned();
        let mut unread = vec![(Segments::new(), crate_root.to_owned(), folder)];
        while let Some((path, file, folder)) = unread.pop() {
            let shown = file.display().to_string();
            let text = fs::read_to_string(workspace.join(&file)).with_context(|| format!("read {shown}"))?;
            let items = syn::parse_file(&text).with_context(|| format!("parse {shown}"))?.items;
            for (path, folder) in modules.add(path, &shown, &items, &folder) {
                let child = folder.with_extension("rs");
                let file = if workspace.join(&child).is_file() { child } else { folder.join("mod.rs") };
                unread.push((path, file, folder));
            }
        }
        Ok(modules)
    }

    /// Adds a module and the modules written inside it. Returns those in other files, with the folders of their
    /// children.
    fn add(&mut self, path: Segments, file: &str, items: &[Item], folder: &Path) -> Vec<(Segments, PathBuf)> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let mut elsewhere = Vec::new();
        for item in items {
            let Item::Mod(ItemMod { attrs, ident, content, .. }) = item else {
                module.names.extend(head(item).1.map(Ident::to_string));
                module.visit_item(item);
                continue;
            };
            let (child, folder) = (join(&path, [ident.to_string()]), folder.join(ident.to_string()));
            match content {
                _ if is_for_tests(attrs) => {}
                Some((_, items)) => elsewhere.extend(self.add(child, file, items, &folder)),
                None => elsewhere.push((child, folder)),
            }
        }
        self.0.insert(path, module);
        elsewhere
    }

    /// The file and the name of the item that a path in a module names. `None` for an item of another crate and for a
    /// module: importing a module uses none of its items.
    pub(super) fn definition(&self, module: &[String], path: &[String]) -> Option<(String, String)> {
        self.find(module, path, false, REEXPORTS_MAX)
    }

    /// `inside`: a part of the path has led to this module, so that its names are meant, also those that it defines.
    fn find(
        &self,
        module: &[String],
        path: &[String],
        inside: bool,
        reexports: usize,
    ) -> Option<(String, String)> {
        let (first, rest) = path.split_first()?;
        let child = join(module, [first.clone()]);
        match first.as_str() {
            "crate" => return self.find(&[], rest, true, reexports),
            "self" => return self.find(module, rest, true, reexports),
            "super" => return self.find(module.split_last()?.1, rest, true, reexports),
            _ if self.0.contains_key(&child) => return self.find(&child, rest, true, reexports),
            _ => {}
        }
        let this = self.0.get(module)?;
        let import = this.imports.iter().find(|import| import.name == *first);
        let mut globs = this.imports.iter().filter(|import| import.name == "*").peekable();
        // A name that is not found comes from a macro there.
        if inside && (this.names.contains(first) || import.is_none() && globs.peek().is_none()) {
            return Some((this.file.clone(), first.clone()));
        }
        let reexports = reexports.checked_sub(1)?;
        if let Some(import) = import {
            return self.find(module, &join(&import.target, rest.iter().cloned()), false, reexports);
        }
        globs.find_map(|import| {
            let found = self.find(module, &join(&import.target, path.iter().cloned()), false, reexports)?;
            let defines = |module: &Module| module.file == found.0 && module.names.contains(first);
            self.0.values().any(defines).then_some(found)
        })
    }
}

impl Module {
    fn import(&mut self, before: &Segments, tree: &UseTree, is_private: bool) {
        let mut add = |name: &str, last: Option<&Ident>| {
            let target = join(before, last.filter(|last| *last != "self").map(Ident::to_string));
            let name =
                if name == "self" { target.last().cloned().unwrap_or_default() } else { name.to_owned() };
            self.imports.push(Import { name, target, is_private });
        };
        match tree {
            UseTree::Path(path) => {
                self.import(&join(before, [path.ident.to_string()]), &path.tree, is_private);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(before, tree, is_private));
            }
            UseTree::Name(name) => add(&name.ident.to_string(), Some(&name.ident)),
            UseTree::Rename(rename) => add(&rename.rename.to_string(), Some(&rename.ident)),
            UseTree::Glob(_) => add("*", None),
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(head(item).0) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&Segments::new(), &item.tree, matches!(item.vis, Visibility::Inherited));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.paths.extend(paths_in(&call.tokens.to_string()));
    }

    fn visit_meta(&mut self, meta: &'ast Meta) {
        // serde names functions in strings.
        if let Meta::List(list) = meta {
            self.paths.extend(paths_in(&list.tokens.to_string()));
        }
    }

    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {
        // `pub(crate)` uses nothing.
    }
}

/// Paths of two segments and more, and single names, in source text that is not parsed.
fn paths_in(text: &str) -> Vec<Segments> {
    let compact = text.replace(" :: ", "::");
    let words = compact.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
    words.map(|word| word.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()).collect()
}

fn join(path: &[String], more: impl IntoIterator<Item = String>) -> Segments {
    path.iter().cloned().chain(more).collect()
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// The attributes and the name of an item.
fn head(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}
