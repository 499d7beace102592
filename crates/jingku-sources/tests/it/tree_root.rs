//! Root directories that are read as archives, while they change.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use jingku_sources::tree::{Filter, Root, Rules, read_one_file};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat, setxattr};
use tar::Archive;

fn archive(root: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    Root::open_directory(root).unwrap().archive().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Files of all kinds that this user can make, and a socket, which no archive has.
fn fill(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::create_dir_all(at("deep").join("a".repeat(60)).join("b".repeat(60))).unwrap();
    fs::write(at("deep").join("a".repeat(60)).join("b".repeat(60)).join("c"), "split").unwrap();
    fs::create_dir_all(at("n\u{e9}")).unwrap();
    fs::write(at("n\u{e9}").join("x".repeat(255)), "long").unwrap();
    fs::write(at("plain"), "data").unwrap();
    fs::hard_link(at("plain"), at("another")).unwrap();
    fs::set_permissions(at("plain"), fs::Permissions::from_mode(0o6751)).unwrap();
    symlink("plain", at("link")).unwrap();
    symlink("t".repeat(300), at("long-link")).unwrap();
    fs::write(at("a.b"), "").unwrap();
    fs::write(at("a-b"), "").unwrap();
    fs::create_dir(at("a")).unwrap();
    fs::write(at("a/x"), vec![7; 1025]).unwrap();
    setxattr(at("plain"), "user.note", b"a \xff\0\n note", XattrFlags::empty()).unwrap();
    setxattr(at("a"), "user.dir", b"dir", XattrFlags::empty()).unwrap();
    let sparse = File::create(at("sparse")).unwrap();
    sparse.set_len(5 << 20).unwrap();
    sparse.write_all_at(b"middle", 2 << 20).unwrap();
    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap();
    let times = |secs: i64| {
        let time = rustix::fs::Timespec { tv_sec: secs, tv_nsec: 999_999_999 };
        rustix::fs::Timestamps { last_access: time, last_modification: time }
    };
    for (name, secs) in [("a.b", -300_000_000), ("a-b", 10_413_792_000)] {
        rustix::fs::utimensat(CWD, at(name), &times(secs), rustix::fs::AtFlags::empty()).unwrap();
    }
    if rustix::process::geteuid().is_root() {
        mknodat(CWD, at("device"), FileType::CharacterDevice, Mode::from_raw_mode(0o600), makedev(7, 300))
            .unwrap();
        std::os::unix::fs::chown(at("a/x"), Some(3_000_000), Some(12)).unwrap();
        std::os::unix::fs::lchown(at("link"), Some(12), Some(4_000_000)).unwrap();
    }
    UnixListener::bind(at("socket")).unwrap();
}

/// What `tar` unpacks is what was read, by everything that `stat` and `cmp` see.
#[test]
fn tar_unpacks_what_was_read() {
    let (root, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(root.path());
    let bytes = archive(root.path());
    assert_eq!(bytes, archive(root.path()), "the same files, another archive");
    let file = copy.path().join("archive.tar");
    fs::write(&file, &bytes).unwrap();
    let unpacked = copy.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--xattrs", "--xattrs-include=*", "-xpf"]).arg(&file).arg("-C").arg(&unpacked);
    assert!(tar.status().unwrap().success());

    let mut names = Vec::new();
    compare(root.path(), &unpacked, &mut names);
    let in_archive = Archive::new(&bytes[..]).entries().unwrap().count();
    assert_eq!(names.len(), in_archive, "{names:?}");
    let is_same = |one: &str, other: &str| {
        fs::metadata(unpacked.join(one)).unwrap().ino() == fs::metadata(unpacked.join(other)).unwrap().ino()
    };
    assert!(is_same("plain", "another") && !unpacked.join("socket").exists());
    let mut note = [0; 64];
    let length = rustix::fs::getxattr(unpacked.join("another"), "user.note", &mut note[..]).unwrap();
    assert_eq!(&note[..length], b"a \xff\0\n note");
}

fn compare(one: &Path, other: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(one).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "socket" {
            continue;
        }
        let other = other.join(entry.file_name());
        names.push(entry.path().display().to_string());
        let (had, has) = (entry.metadata().unwrap(), fs::symlink_metadata(&other).unwrap());
        let seen = |meta: &fs::Metadata| {
            let size = if meta.is_dir() { 0 } else { meta.len() };
            let mtime = if meta.is_dir() { 0 } else { meta.mtime() };
            (meta.mode(), meta.uid(), meta.gid(), size, mtime, meta.rdev(), meta.nlink())
        };
        assert_eq!(seen(&had), seen(&has), "{}", other.display());
        if had.is_dir() {
            compare(&entry.path(), &other, names);
        } else if had.is_file() {
            assert!(fs::read(entry.path()).unwrap() == fs::read(&other).unwrap(), "{}", other.display());
        } else if had.is_symlink() {
            assert_eq!(fs::read_link(entry.path()).unwrap(), fs::read_link(&other).unwrap());
        }
    }
}

#[test]
fn the_filter_passes_an_archive_on_unchanged() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path());
    let bytes = archive(root.path());
    let mut passed = Vec::new();
    let refetch = Box::new(|_: &[u8]| Err(io::Error::other("nothing is left out")));
    Filter::new(&bytes[..], Rules::default(), refetch).read_to_end(&mut passed).unwrap();
    assert!(passed == bytes);
}

#[test]
fn one_file_is_read_beneath_the_root_only() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::create_dir(root.path().join("a")).unwrap();
    fs::write(root.path().join("a/note"), "note").unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("link")).unwrap();
    symlink("a", root.path().join("inside")).unwrap();
    let opened = Root::open_directory(root.path()).unwrap();
    let read = |path: &str| read_one_file(opened.file(path.as_bytes())?, 100);
    assert_eq!(read("a/note").unwrap().unwrap(), b"note");
    assert_eq!(read("link").unwrap(), None, "a link is not followed");
    assert_eq!(read("nothing").unwrap_err().kind(), io::ErrorKind::NotFound);
    let up = format!("../{}/secret", outside.path().file_name().unwrap().display());
    let absolute = outside.path().join("secret").display().to_string();
    for path in ["out/secret", "inside/note", &up, &absolute] {
        assert!(read(path).is_err(), "{path}");
    }
}

/// While it is read, directories are swapped for links that lead outside, and files for FIFOs and other files.
#[test]
fn what_swaps_files_while_they_are_read_gets_nothing_from_outside_and_does_not_block() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| root.path().join(name);
    for name in ["swapped", "other"] {
        fs::create_dir_all(at(name).join("below")).unwrap();
        fs::write(at(name).join("below/file"), "inside").unwrap();
    }
    fs::create_dir(outside.path().join("below")).unwrap();
    fs::write(outside.path().join("below/file"), "OUTSIDE").unwrap();
    symlink(outside.path(), at("way-out")).unwrap();
    fs::write(at("file"), "inside").unwrap();
    symlink(outside.path().join("below/file"), at("file-link")).unwrap();
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let ended = AtomicBool::new(false);
    let swap = |one: &str, other: &str| {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(CWD, at(one), CWD, at(other), flags).unwrap();
    };
    thread::scope(|scope| {
        let swaps = [("swapped", "way-out"), ("file", "file-link"), ("pipe", "other/below/file")];
        for (one, other) in swaps {
            let ended = &ended;
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    swap(one, other);
                }
            });
        }
        let reading = scope.spawn(|| {
            for _ in 0..500 {
                let bytes = archive(root.path());
                assert!(!bytes.windows(7).any(|window| window == b"OUTSIDE"));
                let mut entries = Archive::new(&bytes[..]);
                assert!(entries.entries().unwrap().all(|entry| entry.is_ok()));
            }
        });
        let read = reading.join();
        ended.store(true, Ordering::Relaxed);
        read.unwrap();
    });
}

#[test]
fn a_file_has_the_size_that_it_had_at_first() {
    let root = tempfile::tempdir().unwrap();
    for name in ["grows", "shrinks"] {
        fs::write(root.path().join(name), vec![1; 100_000]).unwrap();
    }
    let mut archive = Root::open_directory(root.path()).unwrap().archive().unwrap();
    // The header of the first, and some of its content.
    let mut bytes = vec![0; 1024];
    archive.read_exact(&mut bytes).unwrap();
    File::options().append(true).open(root.path().join("grows")).unwrap().set_len(200_000).unwrap();
    loop {
        let mut piece = [0; 512];
        archive.read_exact(&mut piece).unwrap();
        bytes.extend(piece);
        if piece.starts_with(b"shrinks") {
            break;
        }
    }
    File::options().write(true).open(root.path().join("shrinks")).unwrap().set_len(1000).unwrap();
    archive.read_to_end(&mut bytes).unwrap();
    assert_eq!(archive.shortened_count(), 1);
    let mut found = BTreeMap::new();
    for entry in Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        found.insert(entry.path().unwrap().display().to_string(), content);
    }
    let ones = |count: usize| [vec![1; count], vec![0; 100_000 - count]].concat();
    assert!(found["grows"] == ones(100_000) && found["shrinks"] == ones(1000));
}

/// Far more directories deep than may be open, and removed half way.
#[test]
fn a_deep_directory_is_read_even_while_it_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let deep = (0..300).fold(root.path().to_owned(), |path, number| path.join(format!("d{number}")));
    fs::create_dir_all(&deep).unwrap();
    let mut directory = deep.as_path();
    while directory != root.path() {
        fs::write(directory.join("z"), "file").unwrap();
        directory = directory.parent().unwrap();
    }
    let bytes = archive(root.path());
    assert_eq!(Archive::new(&bytes[..]).entries().unwrap().count(), 600);

    let mut reading = Root::open_directory(root.path()).unwrap().archive().unwrap();
    let mut bytes = vec![0; 400 * 512];
    reading.read_exact(&mut bytes).unwrap();
    fs::remove_dir_all(root.path().join("d0")).unwrap();
    reading.read_to_end(&mut bytes).unwrap();
    assert!(Archive::new(&bytes[..]).entries().unwrap().all(|entry| entry.is_ok()));
}

#[test]
fn a_directory_that_is_no_container_is_refused() {
    let root = tempfile::tempdir().unwrap();
    assert!(Root::open(root.path(), std::process::id()).is_err());
    assert!(Root::open(Path::new("/"), std::process::id()).is_err());
}
