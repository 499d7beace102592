//! Random trees and layers, against real `tar` and a simple model.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use jingku_sources::tree::{Filter, Refetch, Rules};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tar::{Builder, EntryType, Header};

use crate::archive::{flat, layer, oci};

/// A file or directory of a random tree.
#[derive(Clone, Debug)]
enum Node {
    Directory(BTreeMap<String, Node>),
    File(Vec<u8>),
    Symlink(String),
    /// A hard link to the n-th file before it.
    Link(usize),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", "[a-c]\\.x", Just("long".repeat(40))]
}

fn tree() -> impl Strategy<Value = BTreeMap<String, Node>> {
    let leaf = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..1200).prop_map(Node::File),
        1 => name().prop_map(Node::Symlink),
        2 => (0_usize..8).prop_map(Node::Link),
    ];
    let node = leaf.prop_recursive(3, 24, 5, |inner| {
        prop::collection::btree_map(name(), inner, 0..5).prop_map(Node::Directory)
    });
    prop::collection::btree_map(name(), node, 0..6)
}

/// Paths of files that hard links can lead to, in the order of the archive.
fn pack(nodes: &BTreeMap<String, Node>, above: &str, files: &mut Vec<String>, tar: &mut Builder<Vec<u8>>) {
    for (name, node) in nodes {
        let path = format!("{above}{name}");
        let mut header = Header::new_gnu();
        header.set_mode(0o640);
        header.set_mtime(1_700_000_000);
        header.set_size(0);
        match node {
            Node::Directory(inner) => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(0o755);
                tar.append_data(&mut header, format!("{path}/"), io::empty()).unwrap();
                pack(inner, &format!("{path}/"), files, tar);
            }
            Node::Link(back) if !files.is_empty() => {
                header.set_entry_type(EntryType::Link);
                tar.append_link(&mut header, path, &files[back % files.len()]).unwrap();
            }
            Node::Symlink(to) => {
                header.set_entry_type(EntryType::Symlink);
                tar.append_link(&mut header, path, to).unwrap();
            }
            Node::File(_) | Node::Link(_) => {
                let content = if let Node::File(content) = node { &content[..] } else { b"" };
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, &path, content).unwrap();
                files.push(path);
            }
        }
    }
}

fn packed(nodes: &BTreeMap<String, Node>) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    pack(nodes, "", &mut Vec::new(), &mut tar);
    tar.into_inner().unwrap()
}

/// Finds a file of an archive, as an engine does.
fn finder(archive: Vec<u8>) -> Refetch {
    Box::new(move |path| {
        let mut reader = tar::Archive::new(&archive[..]);
        for entry in reader.entries()? {
            let mut entry = entry?;
            if *entry.path_bytes() == *path {
                let (mut content, mut tar) = (Vec::new(), Builder::new(Vec::new()));
                entry.read_to_end(&mut content)?;
                tar.append_data(&mut entry.header().clone(), "file", &content[..])?;
                return Ok(Box::new(io::Cursor::new(tar.into_inner()?)));
            }
        }
        Err(io::ErrorKind::NotFound.into())
    })
}

fn filter(archive: &[u8], patterns: &str) -> Vec<u8> {
    let mut rules = Rules::default();
    rules.ignore(patterns.as_bytes()).unwrap();
    let mut image = Vec::new();
    Filter::new(archive, rules, finder(archive.to_vec())).read_to_end(&mut image).unwrap();
    image
}

/// What files and links there are, and which are the same file.
fn walk(folder: &Path) -> BTreeMap<String, String> {
    let (mut found, mut first_names) = (BTreeMap::new(), BTreeMap::new());
    let mut folders = vec![folder.to_owned()];
    let mut paths = Vec::new();
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let metadata = path.symlink_metadata().unwrap();
        let what = if metadata.is_dir() {
            String::new()
        } else if metadata.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else {
            let same = first_names.entry(metadata.ino()).or_insert_with(|| name.clone());
            format!("{same} {:?}", fs::read(&path).unwrap())
        };
        found.insert(name, format!("{:o} {} {what}", metadata.mode(), metadata.mtime()));
    }
    found
}

fn extract(archive: &[u8], folder: &Path) {
    fs::create_dir(folder).unwrap();
    let file = folder.with_extension("tar");
    fs::write(&file, archive).unwrap();
    let tar = Command::new("tar").arg("-xpf").arg(&file).arg("-C").arg(folder).stdin(Stdio::null()).output();
    let output = tar.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Deletes what a pattern matches, by the rules of git that are used here.
fn delete(folder: &Path, pattern: &str, is_root: bool) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_folder = path.symlink_metadata().unwrap().is_dir();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bare = pattern.trim_start_matches('/').trim_end_matches('/');
        let is_named = bare.strip_prefix('*').map_or(name == bare, |end| name.ends_with(end));
        let is_here = is_root || !pattern.starts_with('/');
        if is_named && is_here && (is_folder || !pattern.ends_with('/')) {
            if is_folder { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        } else if is_folder {
            delete(&path, pattern, false);
        }
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn without_rules_an_archive_stays_as_it_is() {
    runner(300)
        .run(&tree(), |tree| {
            let archive = packed(&tree);
            prop_assert!(filter(&archive, "") == archive);
            Ok(())
        })
        .unwrap();
}

#[test]
fn ignoring_is_like_deleting() {
    let pattern = prop_oneof!["[a-d]/?", "/[a-d]/?", "/?\\*\\.x", "[a-c]\\.x"];
    let patterns = prop::collection::vec(pattern, 1..4);
    runner(60)
        .run(&(tree(), patterns), |(tree, patterns)| {
            let folder = tempfile::tempdir().unwrap();
            let (all, kept) = (folder.path().join("all"), folder.path().join("kept"));
            let archive = packed(&tree);
            extract(&archive, &all);
            extract(&filter(&archive, &patterns.join("\n")), &kept);
            for pattern in &patterns {
                delete(&all, pattern, true);
            }
            // Deleting changes the times of folders.
            let without_times = |found: BTreeMap<String, String>| -> BTreeMap<String, String> {
                let text = |text: String| {
                    if text.starts_with('4') { text.split(' ').next().unwrap().to_owned() } else { text }
                };
                found.into_iter().map(|(path, found)| (path, text(found))).collect()
            };
            prop_assert_eq!(without_times(walk(&kept)), without_times(walk(&all)));
            Ok(())
        })
        .unwrap();
}

/// A layer: what it removes, which directories it makes opaque, and what it has.
#[derive(Clone, Debug)]
struct Change {
    removed: Vec<Vec<String>>,
    is_opaque: bool,
    nodes: BTreeMap<String, Node>,
}

fn change() -> impl Strategy<Value = Change> {
    let short = || "[a-c]";
    let leaf = prop_oneof![
        3 => "[x-z]{0,5}".prop_map(|text| Node::File(text.into_bytes())),
        1 => (0_usize..8).prop_map(Node::Link),
    ];
    let node = leaf.prop_recursive(2, 12, 3, move |inner| {
        prop::collection::btree_map(short(), inner, 0..3).prop_map(Node::Directory)
    });
    let removed = prop::collection::vec(prop::collection::vec(short(), 1..4), 0..3);
    (removed, any::<bool>(), prop::collection::btree_map(short(), node, 0..3))
        .prop_map(|(removed, is_opaque, nodes)| Change { removed, is_opaque, nodes })
}

/// Lists a tree: paths with `/` at the end for directories, and contents or `=TARGET`.
fn list(
    nodes: &BTreeMap<String, Node>,
    above: &str,
    files: &mut Vec<String>,
    out: &mut Vec<(String, String)>,
) {
    for (name, node) in nodes {
        let path = format!("{above}{name}");
        match node {
            Node::Directory(inner) => {
                out.push((format!("{path}/"), String::new()));
                list(inner, &format!("{path}/"), files, out);
            }
            Node::Link(back) if !files.is_empty() => {
                out.push((path, format!("={}", files[back % files.len()])));
            }
            Node::File(content) => {
                out.push((path.clone(), String::from_utf8(content.clone()).unwrap()));
                files.push(path);
            }
            Node::Link(_) | Node::Symlink(_) => {}
        }
    }
}

fn remove(state: &mut BTreeMap<String, String>, path: &str) {
    state.retain(|other, _| other != path && !other.starts_with(&format!("{path}/")));
}

#[test]
fn flattening_is_like_applying_one_layer_after_another() {
    runner(400)
        .run(&prop::collection::vec(change(), 1..5), |changes| {
            let mut state = BTreeMap::new();
            let mut layers = Vec::new();
            for change in &changes {
                let (mut entries, mut list_of) = (Vec::new(), Vec::new());
                list(&change.nodes, "", &mut Vec::new(), &mut list_of);
                for removed in &change.removed {
                    remove(&mut state, &removed.join("/"));
                    let (name, above) = removed.split_last().unwrap();
                    let path = [above, &[format!(".wh.{name}")]].concat().join("/");
                    entries.push((EntryType::Regular, path, String::new()));
                }
                let directory = list_of.iter().find(|(path, _)| path.ends_with('/'));
                if let Some((path, _)) = directory.filter(|_| change.is_opaque) {
                    state.retain(|other, _| !other.starts_with(path) || other == path);
                    entries.push((EntryType::Regular, format!("{path}.wh..wh..opq"), String::new()));
                }
                for (path, text) in &list_of {
                    if let Some(directory) = path.strip_suffix('/') {
                        state.remove(directory);
                        entries.push((EntryType::Directory, path.clone(), String::new()));
                    } else {
                        remove(&mut state, path);
                        let kind = if text.starts_with('=') { EntryType::Link } else { EntryType::Regular };
                        entries.push((kind, path.clone(), text.trim_start_matches('=').to_owned()));
                    }
                    let content = text.strip_prefix('=').map(|target| state[target].clone());
                    state.insert(path.clone(), content.unwrap_or_else(|| text.clone()));
                }
                let entries: Vec<_> =
                    entries.iter().map(|(kind, path, text)| (*kind, &**path, &**text)).collect();
                layers.push(layer(&entries));
            }
            let kinds = flat(&oci(&layers)).map_err(TestCaseError::fail)?;
            let mut found = BTreeMap::new();
            for (path, text) in kinds {
                // A link. Contents have other letters.
                let content = found.get(&text).filter(|_| text.starts_with(['a', 'b', 'c'])).cloned();
                prop_assert!(found.insert(path.clone(), content.unwrap_or(text)).is_none(), "{} twice", path);
            }
            prop_assert_eq!(found, state);
            Ok(())
        })
        .unwrap();
}
