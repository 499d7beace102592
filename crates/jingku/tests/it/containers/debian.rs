//! A root file system of Debian's packages with Python and what people use it for: each file of its image is as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jingku_engine::testing::{Kind, TestEngine};
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, setxattr};
use sha2::{Digest as _, Sha256};

use super::Bench;
use crate::home::until;

/// What else a container may have, next to the files of packages.
const FILES: &str = "mkdir -p /work/deep && cd /work && echo data > plain && ln plain hard && ln -s nowhere soft \
     && ln -P soft soft-hard && chown 12:34 plain && chmod 4750 plain && mkfifo fifo \
     && mknod device c 1 3 && truncate -s 9999999 sparse && printf x > $'odd\\377name' \
     && touch -d '1999-12-31 23:59:58' plain && ln /usr/bin/python3.13 deep/python && rm /usr/bin/ssh-add \
     && echo changed >> /usr/lib/python3/dist-packages/pandas/__init__.py && touch -h -d 2020-02-02 soft";
/// The value of `cap_net_raw+ep`.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const IDLE: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/// Each file below a folder, with all that is known of it.
fn describe(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_owned(), String::new());
        }
    }
    // The first path of each file that has several.
    let mut first = BTreeMap::new();
    for (path, described) in &mut found {
        let file = root.join(path);
        let stat = file.symlink_metadata().unwrap();
        let kind = stat.file_type();
        let content = if kind.is_file() {
            format!("{} {:x?}", stat.size(), Sha256::digest(fs::read(&file).unwrap()))
        } else if kind.is_symlink() {
            fs::read_link(&file).unwrap().as_os_str().as_encoded_bytes().escape_ascii().to_string()
        } else if kind.is_char_device() || kind.is_block_device() {
            stat.rdev().to_string()
        } else {
            String::new()
        };
        let same_file = first.entry(stat.ino()).or_insert_with(|| path.clone());
        let same_file = same_file.as_os_str().as_encoded_bytes().escape_ascii();
        let links = if stat.is_dir() { 0 } else { stat.nlink() };
        let (mode, owner) = (stat.mode(), (stat.uid(), stat.gid()));
        let (time, attributes) = (stat.mtime(), attributes(&file));
        *described = format!("{mode:o} {owner:?} {time} {links} {same_file} {attributes:?} {content}");
    }
    found
}

/// The extended attributes of a file, but for those of the storage of the engine.
fn attributes(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let length = llistxattr(file, &mut names).unwrap();
    let names = String::from_utf8(names[..length].to_vec()).unwrap();
    let names = names.split_terminator('\0').filter(|name| !name.starts_with("trusted."));
    let value = |name: &str| {
        let mut value = vec![0; 4096];
        let length = lgetxattr(file, name, &mut value).unwrap();
        value.truncate(length);
        (name.to_owned(), value)
    };
    names.map(value).collect()
}

#[test]
fn each_file_of_debian_and_python_is_as_it_was() {
    let Some(debian) = TestEngine::debian() else { return };
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    bench.engine.import("debian", &debian, &[]);
    let label = "jingku.instance=cpod-debian";
    let run = ["run", "-d", "--network=none", "--name", "debian", "--label", label, "debian"];
    bench.engine.run(&[&run[..], &["/bin/bash", "-c", IDLE]].concat());
    bench.engine.run(&["exec", "debian", "/bin/bash", "-c", FILES]);
    let saved = PathBuf::from(bench.engine.run(&["mount", "debian"]));
    setxattr(saved.join("work/plain"), "security.capability", CAPABILITY, XattrFlags::empty()).unwrap();
    setxattr(saved.join("work/deep"), "user.note", b"a \xff\0 note", XattrFlags::empty()).unwrap();

    until("the container is an instance", || bench.instance("cpod-debian").is_some());
    let id = bench.home.make("cpod-debian", "debian");
    let image = bench.home.json(&["image", "show", &id]);
    let pulled = bench.pull(&image);
    bench.engine.run(&["create", "--name", "pulled", &pulled]);
    let pulled = PathBuf::from(bench.engine.run(&["mount", "pulled"]));

    let left_out = image["LeftOut"]["Paths"].as_array().unwrap();
    let left_out: Vec<&Path> =
        left_out.iter().map(|left| Path::new(left["Path"].as_str().unwrap())).collect();
    let is_kept = |path: &Path| !left_out.iter().any(|left| path.starts_with(left));
    let (mut expected, found) = (describe(&saved), describe(&pulled));
    expected.retain(|path, _| is_kept(path));
    for path in expected.keys().chain(found.keys()) {
        assert_eq!(found.get(path), expected.get(path), "{}", path.display());
    }
    assert!(expected.len() > 8000, "{} files", expected.len());
    let size: u64 = expected.keys().map(|path| saved.join(path).symlink_metadata().unwrap().size()).sum();
    assert!(size > 200 << 20, "{size} bytes");
    println!("{} files with {size} bytes are the same; left out: {left_out:?}", expected.len());
}
