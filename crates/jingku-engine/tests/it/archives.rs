//! Archives that Podman and skopeo write, flattened and compared with what Podman exports.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use jingku_engine::testing::{Kind, TestEngine};
use jingku_sources::oci::ImageArchive;
use tar::{Archive, EntryType};

/// The files of the first layer above the base.
const FIRST: &str = "set -e
mkdir -p /data/deep /data/gone /data/opaque /data/was-dir
echo first > /data/changed; echo kept > /data/kept; echo linked > /data/linked; ln /data/linked /data/other-name
echo a > /data/gone/a; echo a > /data/opaque/a; echo a > /data/was-dir/a; echo a > /data/was-file
ln -s kept /data/symlink; mknod /data/device c 1 3; mkfifo /data/fifo
chown 1000:1001 /data/kept; chmod 4751 /data/kept; chmod 1777 /data/deep; touch -d '2020-01-02 03:04:05' /data/kept
head -c 300000 /dev/urandom > /data/deep/big
long=$(printf '%0100d' 7); mkdir -p /data/$long/$long; echo long > /data/$long/$long/$long
ln -s $long/$long/$long /data/long-link";

/// What the second layer changes.
const SECOND: &str = "set -e
echo second > /data/changed; rm -r /data/gone; rm /data/linked; rm -r /data/opaque; mkdir /data/opaque
echo b > /data/opaque/b; rm -r /data/was-dir; echo file > /data/was-dir; rm /data/was-file
mkdir /data/was-file; echo inside > /data/was-file/inside; echo new > /data/new; ln /data/new /data/new-name";

/// What is the engine's and not the image's.
fn is_runtime(path: &str) -> bool {
    let top = path.split('/').next().unwrap();
    matches!(top, "proc" | "sys" | "dev" | "run")
        || matches!(path, "etc/hosts" | "etc/hostname" | "etc/resolv.conf" | "etc/mtab")
}

/// Every file with its kind, target, mode, owner, size, time and attributes; and the first name of a hard link.
fn describe(archive: impl Read) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut archive = Archive::new(archive);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let clean = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_matches(['.', '/']).to_owned();
        let path = clean(&entry.path_bytes());
        if path.is_empty() || is_runtime(&path) {
            continue;
        }
        let target = entry.link_name_bytes().map(Cow::into_owned).unwrap_or_default();
        if entry.header().entry_type() == EntryType::Link {
            let target = clean(&target);
            assert!(found.contains_key(&target), "{path} links to {target}, which was not there yet");
            names.entry(target).or_default().push(path);
            continue;
        }
        let mut attributes = Vec::new();
        for record in entry.pax_extensions().unwrap().into_iter().flatten() {
            let record = record.unwrap();
            if record.key_bytes().starts_with(b"SCHILY.xattr.") {
                attributes.push(format!("{}={:?}", record.key().unwrap(), record.value_bytes()));
            }
        }
        attributes.sort();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let is_directory = header.entry_type() == EntryType::Directory;
        let mtime = if is_directory { 0 } else { header.mtime().unwrap() };
        let is_device = matches!(header.entry_type(), EntryType::Char | EntryType::Block);
        let device = is_device.then(|| (header.device_major().unwrap(), header.device_minor().unwrap()));
        let text = format!(
            "{:?} {} {:o} {}:{} {} {mtime} {device:?} {attributes:?} {}",
            header.entry_type(),
            String::from_utf8_lossy(&target),
            header.mode().unwrap() & 0o7777,
            header.uid().unwrap(),
            header.gid().unwrap(),
            content.len(),
            jingku_sources::oci::digest(&content),
        );
        assert!(found.insert(path.clone(), text).is_none(), "{path} twice");
        names.entry(path.clone()).or_default().push(path);
    }
    // Which of several names is the file, differs.
    for same in names.values() {
        let mut same = same.clone();
        same.sort();
        let text = found[same.iter().find(|name| found.contains_key(*name)).unwrap()].clone();
        for name in &same {
            found.insert(name.clone(), format!("{text} {}", same.join(" = ")));
        }
    }
    found
}

fn flat(archive: &Path) -> BTreeMap<String, String> {
    let image = ImageArchive::open(archive).unwrap().expect("an archive of an image");
    assert_eq!(image.run.cmd, ["/bin/true"]);
    let mut bytes = Vec::new();
    image.flatten(1 << 30).read_to_end(&mut bytes).unwrap();
    describe(&bytes[..])
}

/// Fails with the paths that differ.
fn compare(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, what: &str) {
    for path in expected.keys().chain(found.keys()) {
        assert_eq!(found.get(path), expected.get(path), "{what}: {path}");
    }
}

fn skopeo(args: &[&str]) {
    let output = Command::new("skopeo").args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn archives_of_podman_and_skopeo_have_what_podman_exports() {
    let Some(podman) = TestEngine::start(Kind::Podman) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();

    let first = podman.container(&[]);
    podman.run(&["exec", &first, "/bin/sh", "-c", FIRST]);
    let mounted = podman.run(&["mount", &first]);
    let kept = Path::new(&mounted).join("data/kept");
    rustix::fs::setxattr(&kept, "user.note", b"a \xff\0 note", rustix::fs::XattrFlags::empty()).unwrap();
    podman.run(&["unmount", &first]);
    podman.run(&["commit", &first, "first"]);
    let second = podman.run(&["run", "-d", "--network=none", "first", "/bin/sh", "-c", SECOND]);
    assert_eq!(podman.run(&["wait", &second]), "0", "{}", podman.run(&["logs", &second]));
    podman.run(&["commit", "--change", "CMD [\"/bin/true\"]", &second, "second"]);

    let created = podman.run(&["create", "--network=none", "second"]);
    podman.run(&["export", "-o", &path("export.tar"), &created]);
    let expected = describe(File::open(path("export.tar")).unwrap());
    assert!(expected["data/kept"].contains("4751 1000:1001 5 1577934245"), "{}", expected["data/kept"]);
    assert!(expected["data/kept"].contains("user.note"), "{}", expected["data/kept"]);
    assert!(expected["data/new"].ends_with("data/new = data/new-name"));
    assert!(!expected.contains_key("data/gone/a") && !expected.contains_key("data/opaque/a"));

    for format in ["docker-archive", "oci-archive"] {
        podman.run(&["save", "--format", format, "-o", &path(format), "second"]);
        compare(&flat(Path::new(&path(format))), &expected, format);
    }
    let source = format!("docker-archive:{}", path("docker-archive"));
    for compression in ["gzip", "zstd"] {
        let target = format!("oci-archive:{}", path(compression));
        skopeo(&["copy", "--dest-compress", "--dest-compress-format", compression, &source, &target]);
        let size = |name: &str| fs::metadata(path(name)).unwrap().len();
        assert!(size(compression) < size("docker-archive") * 9 / 10, "it is compressed");
        compare(&flat(Path::new(&path(compression))), &expected, compression);
    }
}
