//! What a container's archive becomes.

use std::io::{self, Read};

use jingku_sources::tree::{Filter, Reason, Refetch, Report, Rules};
use tar::{Archive, Builder, EntryType, Header};

/// An archive under construction.
struct Tree(Builder<Vec<u8>>);

impl Tree {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn add(mut self, kind: EntryType, path: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o640);
        header.set_mtime(1_700_000_000);
        header.set_uid(1000);
        header.set_size(content.len() as u64);
        if !link.is_empty() {
            header.set_link_name_literal(link).unwrap();
        }
        self.0.append_data(&mut header, path, content).unwrap();
        self
    }

    fn file(self, path: &str, content: &[u8]) -> Self {
        self.add(EntryType::Regular, path, "", content)
    }

    fn directory(self, path: &str) -> Self {
        self.add(EntryType::Directory, path, "", b"")
    }

    fn symlink(self, path: &str, to: &str) -> Self {
        self.add(EntryType::Symlink, path, to, b"")
    }

    fn hard_link(self, path: &str, to: &str) -> Self {
        self.add(EntryType::Link, path, to, b"")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn never() -> Refetch {
    Box::new(|path| panic!("{} is fetched again", path.escape_ascii()))
}

fn filter(archive: &[u8], rules: Rules) -> (Vec<u8>, Report) {
    filter_with(archive, rules, never())
}

fn filter_with(archive: &[u8], rules: Rules, refetch: Refetch) -> (Vec<u8>, Report) {
    let mut filter = Filter::new(archive, rules, refetch);
    let mut image = Vec::new();
    filter.read_to_end(&mut image).unwrap();
    (image, filter.report())
}

fn fails(archive: &[u8]) -> String {
    let mut filter = Filter::new(archive, Rules::default(), never());
    io::copy(&mut filter, &mut io::sink()).unwrap_err().to_string()
}

fn paths(image: &[u8]) -> Vec<String> {
    let mut archive = Archive::new(image);
    let path =
        |entry: io::Result<tar::Entry<_>>| entry.unwrap().path().unwrap().to_string_lossy().into_owned();
    archive.entries().unwrap().map(path).collect()
}

fn ignoring(patterns: &str) -> Rules {
    let mut rules = Rules::default();
    rules.ignore(patterns.as_bytes()).unwrap();
    rules
}

fn left_out(report: &Report) -> Vec<(&str, Reason)> {
    report.left_out.iter().map(|left| (&*left.path, left.reason)).collect()
}

#[test]
fn what_is_kept_is_kept_byte_by_byte() {
    let long = "d/".repeat(60) + "file";
    let mut tree = Tree::new().directory("bin/").file("bin/a", &[7; 1000]).hard_link("bin/b", "bin/a");
    tree.0.append_pax_extensions([("SCHILY.xattr.user.note", &b"\xff\x00x"[..])]).unwrap();
    let tree = tree.file("bin/noted", b"x").symlink("bin/sh", "a").file(&long, b"deep");
    let tree = tree.add(EntryType::Char, "etc/device", "", b"").add(EntryType::Fifo, "etc/fifo", "", b"");
    let archive = tree.bytes();
    let (image, report) = filter(&archive, Rules::default());
    assert_eq!(image, archive);
    assert_eq!((report.kept_count, report.left_out_count), (8, 0));
}

#[test]
fn what_the_machine_brings_is_left_out() {
    let tree = Tree::new()
        .file(".dockerenv", b"")
        .directory("dev/")
        .file("dev/console", b"")
        .directory("etc/ssh/")
        .file("etc/machine-id", b"0123\n")
        .file("etc/ssh/ssh_host_rsa_key", b"key")
        .file("etc/ssh/sshd_config", b"conf")
        .directory("mnt/data/")
        .file("mnt/data/x", b"x")
        .file("mnt/host.conf", b"")
        .directory("proc/")
        .directory("sys/")
        .file("sys/x", b"");
    let mut rules = Rules::default();
    rules.mounted("/mnt/data");
    rules.mounted("/mnt/host.conf");
    let (image, report) = filter(&tree.bytes(), rules);
    let kept = ["dev/", "etc/ssh/", "etc/machine-id", "etc/ssh/sshd_config", "mnt/data/", "proc/", "sys/"];
    assert_eq!(paths(&image), kept);
    let machine_id = Archive::new(&image[..]).entries().unwrap().nth(2).unwrap().unwrap().size();
    assert_eq!(machine_id, 0);
    assert_eq!(
        left_out(&report),
        [
            (".dockerenv", Reason::Runtime),
            ("dev/console", Reason::Runtime),
            ("etc/machine-id", Reason::HostIdentity),
            ("etc/ssh/ssh_host_rsa_key", Reason::HostIdentity),
            ("mnt/data/x", Reason::Mount),
            ("mnt/host.conf", Reason::Mount),
            ("sys/x", Reason::Runtime),
        ]
    );
}

/// The runtime leaves empty files and links to them; a driver that was installed in the container is real.
#[test]
fn stubs_of_a_driver_are_left_out_and_its_own_files_kept() {
    let tree = Tree::new()
        .symlink("usr/lib/libcuda.so", "libcuda.so.1")
        .symlink("usr/lib/libcuda.so.1", "libcuda.so.535.104.05")
        .file("usr/lib/libcuda.so.535.104.05", b"")
        .symlink("usr/lib/libnvidia-ml.so.1", "libnvidia-ml.so.550.1")
        .file("usr/lib/libnvidia-ml.so.550.1", b"ELF")
        .file("usr/bin/nvidia-smi", b"")
        .file("usr/bin/empty", b"");
    let (image, report) = filter(&tree.bytes(), Rules::default());
    assert_eq!(
        paths(&image),
        ["usr/lib/libnvidia-ml.so.550.1", "usr/bin/empty", "usr/lib/libnvidia-ml.so.1"]
    );
    assert!(report.left_out.iter().all(|left| left.reason == Reason::Driver));
    assert_eq!(report.left_out_count, 4);
}

#[test]
fn patterns_follow_the_rules_of_git() {
    let tree = Tree::new()
        .directory("work/")
        .directory("work/cache/")
        .file("work/cache/a", b"12345")
        .file("work/cache/keep", b"")
        .file("work/model.ckpt", b"1")
        .file("work/best.ckpt", b"1")
        .file("other/cache", b"");
    let (image, report) =
        filter(&tree.bytes(), ignoring("# comment\n\ncache/\n*.ckpt\n!best.ckpt\n!work/cache/keep\r\n"));
    assert_eq!(paths(&image), ["work/", "work/best.ckpt", "other/cache"]);
    let ignored = Reason::Ignored;
    assert_eq!(left_out(&report), [("work/cache", ignored), ("work/model.ckpt", ignored)]);
    assert_eq!((report.left_out_count, report.left_out_bytes), (4, 6));
}

#[test]
fn a_hard_link_keeps_the_content_of_a_file_left_out() {
    let content = vec![5; 700];
    let tree = Tree::new()
        .file("cache/a", &content)
        .hard_link("kept/b", "cache/a")
        .hard_link("kept/c", "/cache/a")
        .file("kept/d", b"d");
    let refetch: Refetch = Box::new({
        let content = content.clone();
        move |path| {
            assert_eq!(path, b"cache/a");
            Ok(Box::new(io::Cursor::new(Tree::new().file("a", &content).bytes())))
        }
    });
    let (image, _) = filter_with(&tree.bytes(), ignoring("cache/a"), refetch);
    let mut archive = Archive::new(&image[..]);
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut b = entries.next().unwrap();
    let mut read = Vec::new();
    b.read_to_end(&mut read).unwrap();
    assert_eq!(
        (b.path_bytes().to_vec(), b.header().uid().unwrap(), read),
        (b"kept/b".to_vec(), 1000, content)
    );
    let c = entries.next().unwrap();
    assert_eq!(
        (c.header().entry_type(), c.link_name_bytes().unwrap().to_vec()),
        (EntryType::Link, b"kept/b".to_vec())
    );
    assert_eq!(entries.next().unwrap().path_bytes().to_vec(), b"kept/d");
}

#[test]
fn secrets_are_reported_and_left_out_on_request() {
    let tree = || {
        Tree::new()
            .file("root/.bash_history", b"ls")
            .file("root/server.pem", b"-----BEGIN PRIVATE KEY-----\n")
            .file("root/ca.pem", b"-----BEGIN CERTIFICATE-----\n")
            .bytes()
    };
    let (image, report) = filter(&tree(), Rules::default());
    assert_eq!(image, tree());
    assert_eq!(report.secrets, ["root/.bash_history", "root/server.pem"]);
    assert_eq!(report.left_out_count, 0);

    let mut rules = Rules::default();
    rules.without_secrets();
    let (image, report) = filter(&tree(), rules);
    assert_eq!(paths(&image), ["root/ca.pem"]);
    assert_eq!((report.secrets_count, report.left_out_count), (2, 2));
}

#[test]
fn software_is_recognised() {
    let tree = Tree::new()
        .file("usr/lib/os-release", b"NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\n")
        .directory("usr/local/lib/python3.10/dist-packages/torch-2.3.0+cu121.dist-info/");
    let (_, report) = filter(&tree.bytes(), Rules::default());
    let software = report.software;
    assert_eq!(
        (&*software.os_version, &*software.framework, &*software.cuda_version),
        ("Ubuntu 22.04", "PyTorch", "12.1")
    );
}

#[test]
fn a_damaged_archive_is_refused() {
    let archive = Tree::new().file("a", &[1; 5000]).file(&("long/".repeat(50) + "f"), b"").bytes();
    let (image, _) = filter(&archive, Rules::default());
    for cut in (1..archive.len() - 1024).step_by(97).chain([0, 512 + 5120, archive.len() - 1024]) {
        assert_eq!(fails(&archive[..cut]), "the archive is cut off", "{cut}");
    }
    assert_eq!(image, archive);
    let mut damaged = archive;
    damaged[0] ^= 1;
    assert_eq!(fails(&damaged), "a header is damaged");
}

#[test]
fn extended_headers_are_bounded() {
    let mut tree = Tree::new();
    let huge = vec![b'x'; 2 << 20];
    tree.0.append_pax_extensions([("comment", &huge[..])]).unwrap();
    assert_eq!(fails(&tree.file("a", b"").bytes()), "an entry has extended headers of more than 1 MiB");
}

#[test]
fn patterns_are_bounded() {
    assert!(Rules::default().ignore("a\n".repeat(1001).as_bytes()).is_err());
    assert!(Rules::default().ignore(&[b'a'; 5000]).is_err());
}
