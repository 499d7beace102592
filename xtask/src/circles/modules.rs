//! The modules of a crate: their files, the names they define and import, and the paths they use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, Meta, UseTree, VisRestricted, Visibility};

/// Segments of a path, without generic arguments.
pub(super) type Segments = Vec<String>;

/// How many re-exports are followed to a definition.
const REEXPORTS_MAX: usize = 16;

/// One module; several can be in the same file.
#[derive(Default)]
pub(super) struct Module {
    /// Relative to the workspace.
    pub(super) file: String,
    /// What it defines.
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

/// What a path names.
pub(super) struct Definition {
    pub(super) file: String,
    pub(super) name: String,
}

/// The modules of a crate by their path from its root.
pub(super) struct Modules(pub(super) BTreeMap<Segments, Module>);

impl Modules {
    /// Reads a crate, beginning with the file of its root module.
    pub(super) fn read(workspace: &Path, crate_root: &Path) -> Result<Self> {
        let mut modules = Self(BTreeMap::new());
        let children = crate_root.parent().expect("it is a file").to_owned();
        modules.read_file(workspace, Segments::new(), crate_root, &children)?;
        Ok(modules)
    }

    /// Reads the file of a module whose child modules are in the folder `children`.
    fn read_file(&mut self, workspace: &Path, path: Segments, file: &Path, children: &Path) -> Result<()> {
        let shown = file.strip_prefix(workspace).unwrap_or(file).display().to_string();
        let text = fs::read_to_string(file).with_context(|| format!("read {shown}"))?;
        let items = syn::parse_file(&text).with_context(|| format!("parse {shown}"))?.items;
        for (path, folder) in self.add(path, &shown, &items, children) {
            let name = path.last().expect("it has a parent");
            let file = folder.join(format!("{name}.rs"));
            let file = if file.is_file() { file } else { folder.join(name).join("mod.rs") };
            let children = folder.join(name);
            self.read_file(workspace, path, &file, &children)?;
        }
        Ok(())
    }

    /// Adds a module and the modules written inside it. Returns those in other files, with their folders.
    fn add(&mut self, path: Segments, file: &str, items: &[Item], folder: &Path) -> Vec<(Segments, PathBuf)> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let mut elsewhere = Vec::new();
        for item in items {
            if let Item::Mod(ItemMod { attrs, ident, content, .. }) = item {
                if is_for_tests(attrs) {
                    continue;
                }
                let child = join(&path, [ident.to_string()]);
                match content {
                    Some((_, items)) => {
                        elsewhere.extend(self.add(child, file, items, &folder.join(ident.to_string())));
                    }
                    None => elsewhere.push((child, folder.to_owned())),
                }
            } else {
                module.names.extend(name(item));
                module.visit_item(item);
            }
        }
        self.0.insert(path, module);
        elsewhere
    }

    /// The item that a path in a module names. `None` for an item of another crate and for a module: importing a module
    /// uses none of its items.
    pub(super) fn definition(&self, module: &[String], segments: &[String]) -> Option<Definition> {
        self.follow(module, segments, REEXPORTS_MAX)
    }

    fn follow(&self, module: &[String], segments: &[String], reexports: usize) -> Option<Definition> {
        let (first, rest) = segments.split_first()?;
        match first.as_str() {
            "crate" => self.item(&[], rest, reexports),
            "self" => self.item(module, rest, reexports),
            "super" => {
                let parent = module.split_last()?.1;
                // `super::super` continues at the parent.
                if rest.first().is_some_and(|next| next == "super") {
                    self.follow(parent, rest, reexports)
                } else {
                    self.item(parent, rest, reexports)
                }
            }
            _ if self.0.contains_key(&join(module, [first.clone()])) => {
                self.item(module, segments, reexports)
            }
            _ => self.imported(module, segments, reexports),
        }
    }

    /// The item at a path from a module.
    fn item(&self, module: &[String], segments: &[String], reexports: usize) -> Option<Definition> {
        let (first, rest) = segments.split_first()?;
        let child = join(module, [first.clone()]);
        if self.0.contains_key(&child) {
            return self.item(&child, rest, reexports);
        }
        let this = self.0.get(module)?;
        if this.names.contains(first) || !this.imports.iter().any(|import| import.binds(first)) {
            // A name that is not found comes from a macro there.
            return Some(Definition { file: this.file.clone(), name: first.clone() });
        }
        self.imported(module, segments, reexports)
    }

    /// The item that a path names whose first segment a module imports.
    fn imported(&self, module: &[String], segments: &[String], reexports: usize) -> Option<Definition> {
        let reexports = reexports.checked_sub(1)?;
        let (first, rest) = segments.split_first()?;
        let imports = &self.0.get(module)?.imports;
        if let Some(import) = imports.iter().find(|import| import.name == *first) {
            return self.follow(module, &join(&import.target, rest.iter().cloned()), reexports);
        }
        let globs = imports.iter().filter(|import| import.name == "*");
        let mut candidates = globs.map(|import| join(&import.target, segments.iter().cloned()));
        candidates.find_map(|path| {
            let found = self.follow(module, &path, reexports)?;
            let defines = |module: &Module| module.file == found.file && module.names.contains(first);
            self.0.values().any(defines).then_some(found)
        })
    }
}

impl Import {
    fn binds(&self, name: &str) -> bool {
        self.name == name || self.name == "*"
    }
}

impl Module {
    fn import(&mut self, before: &Segments, tree: &UseTree, is_private: bool) {
        let mut add = |name: String, last: Option<String>| {
            self.imports.push(Import { name, target: join(before, last), is_private });
        };
        match tree {
            UseTree::Path(path) => {
                self.import(&join(before, [path.ident.to_string()]), &path.tree, is_private);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(before, tree, is_private));
            }
            UseTree::Name(name) if name.ident == "self" => {
                add(before.last().cloned().unwrap_or_default(), None);
            }
            UseTree::Name(name) => add(name.ident.to_string(), Some(name.ident.to_string())),
            UseTree::Rename(rename) if rename.ident == "self" => add(rename.rename.to_string(), None),
            UseTree::Rename(rename) => add(rename.rename.to_string(), Some(rename.ident.to_string())),
            UseTree::Glob(_) => add("*".to_owned(), None),
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
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

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
