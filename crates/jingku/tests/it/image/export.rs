//! `jingku image export`: the bytes of the source, or no file.

use std::path::{Path, PathBuf};

use crate::disk;
use crate::home::Home;
use crate::qemu;
use crate::server::Server;

fn made(chunks: usize) -> (Home, Server, String, Vec<u8>) {
    let home = Home::new();
    let source = disk::bytes(chunks, 1);
    home.add_instance("uhost-1", &source);
    let server = home.serve();
    let id = home.make("uhost-1", "env");
    std::fs::create_dir(home.path("out")).unwrap();
    (home, server, id, source)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_raw_export_equals_the_source() {
    let (home, _server, id, source) = made(30);
    let said = home.json(&["image", "export", &id, "-o", "out/disk.raw"]);
    assert_eq!((&said["Bytes"], &said["Format"]), (&source.len().into(), &"raw".into()));
    assert!(std::fs::read(home.path("out/disk.raw")).unwrap() == source, "wrong bytes");
    let blocks = std::os::unix::fs::MetadataExt::blocks(&home.path("out/disk.raw").metadata().unwrap());
    assert!(blocks * 512 < source.len() as u64 * 3 / 4, "holes are not sparse: {blocks} blocks");
    assert_eq!(files(&home.path("out")).len(), 1);
}

/// QEMU counts in sectors: the bytes of a partial last sector survive an export and an import.
#[test]
fn an_export_includes_an_end_within_a_sector() {
    if !qemu::present() {
        return;
    }
    let home = Home::new();
    let server = home.serve();
    for size in [1, 511, 513, 65_537, 262_145, 1_000_001] {
        let mut disk: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap() + 1).collect();
        let instance = format!("uhost-{size}");
        let raw = home.add_instance(&instance, &disk);
        let id = home.make(&instance, &instance);
        let file = home.path(&format!("{size}.qcow2"));
        home.run(&["image", "export", &id, "--format", "qcow2", "-o", file.to_str().unwrap()]).succeeded();
        let streamed =
            home.command(&["image", "export", &id, "--format", "qcow2", "-o", "-"]).output().unwrap();
        let other = home.path(&format!("{size}.stdout.qcow2"));
        std::fs::write(&other, streamed.stdout).unwrap();
        disk.resize(disk.len().next_multiple_of(512), 0);
        for exported in [&file, &other] {
            let back = home.path(&format!("{size}.back"));
            qemu::img(&["convert", "-O", "raw", exported.to_str().unwrap(), back.to_str().unwrap()]);
            assert!(std::fs::read(&back).unwrap() == disk, "{size}");
            qemu::assert_same((&raw, "raw"), (exported, "qcow2"));
        }
        let again = home.json(&[
            "image",
            "import",
            file.to_str().unwrap(),
            "--name",
            &format!("again-{size}"),
            "--wait",
        ]);
        let again = again["CompShareImageId"].as_str().unwrap();
        assert!(home.bytes(again) == disk, "{size} imported again");
    }
    server.stop();
}

#[test]
fn qemu_reads_the_same_disk_from_every_format() {
    if !qemu::present() {
        return;
    }
    let home = Home::new();
    let raw = home.add_instance("uhost-raw", &disk::bytes(30, 1));
    let qcow2 = home.path("disk.qcow2");
    qemu::img(&["convert", "-c", "-f", "raw", "-O", "qcow2", raw.to_str().unwrap(), qcow2.to_str().unwrap()]);
    let overlay = home.path("overlay.qcow2");
    qemu::img(&[
        "create",
        "-f",
        "qcow2",
        "-F",
        "qcow2",
        "-b",
        qcow2.to_str().unwrap(),
        overlay.to_str().unwrap(),
    ]);
    home.add_disk("uhost-qcow2", &qcow2);
    home.add_disk("uhost-overlay", &overlay);
    let _server = home.serve();
    for instance in ["uhost-raw", "uhost-qcow2", "uhost-overlay"] {
        let id = home.make(instance, instance);
        for format in ["raw", "qcow2"] {
            let file = home.path(&format!("{instance}.out.{format}"));
            home.run(&["image", "export", &id, "--format", format, "-o", file.to_str().unwrap()]).succeeded();
            qemu::assert_same((&file, format), (&raw, "raw"));
        }
    }
    qemu::img(&["check", "-f", "qcow2", home.path("uhost-raw.out.qcow2").to_str().unwrap()]);
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let (home, _server, id, _) = made(2);
    std::fs::write(home.path("out/mine"), "mine").unwrap();
    for format in ["raw", "qcow2"] {
        let export = ["image", "export", &id, "--format", format, "-o", "out/mine"];
        home.refuses(&export, 1, &["out/mine already exists"], &["out/mine 已存在"]);
    }
    home.refuses(
        &["image", "export", &id, "-o", "nowhere/x"],
        6,
        &["Cannot use nowhere/x"],
        &["无法使用 nowhere/x"],
    );
    home.refuses(&["image", "export", "nope", "-o", "out/x"], 3, &["Resource not exist"], &["请求被拒绝"]);
    assert_eq!(std::fs::read(home.path("out/mine")).unwrap(), b"mine");
    assert_eq!(files(&home.path("out")), [home.path("out/mine")]);
}

#[test]
fn an_interrupted_transfer_leaves_no_file() {
    let (home, server, id, source) = made(120);
    // The chunks after the first ones are corrupted, so that the transfer breaks off. They do not compress, so each is
    // stored as it is.
    let first: Vec<_> = source.chunks(disk::CHUNK).take(20).map(|chunk| &chunk[chunk.len() - 64..]).collect();
    let mut chunks: Vec<_> =
        home.files().into_iter().filter(|(_, bytes)| bytes.len() > disk::CHUNK / 2).collect();
    chunks.retain(|(path, _)| path.starts_with(home.data().join("store")));
    assert!(chunks.len() > 40, "too few chunk files: {}", chunks.len());
    chunks.retain(|(_, bytes)| !first.iter().any(|end| bytes.ends_with(end)));
    for (path, bytes) in &mut chunks {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    for format in ["raw", "qcow2"] {
        let export = ["image", "export", &id, "--format", format, "-o", "out/disk"];
        home.refuses(&export, 6, &["transfer stopped", "no file was written"], &["没有写入文件"]);
        assert_eq!(files(&home.path("out")), Vec::<PathBuf>::new());
    }
    assert!(server.log().contains("cannot read image"), "{}", server.log());
}

#[test]
fn both_formats_are_written_to_standard_output() {
    let (home, _server, id, source) = made(12);
    let out = |format: &str| {
        let output = home.command(&["image", "export", &id, "--format", format, "-o", "-"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    assert!(out("raw") == source, "wrong bytes");
    let qcow2 = out("qcow2");
    assert!(qcow2.starts_with(b"QFI\xfb"));
    if qemu::present() {
        std::fs::write(home.path("out/disk.qcow2"), &qcow2).unwrap();
        std::fs::write(home.path("out/disk.raw"), &source).unwrap();
        qemu::assert_same((&home.path("out/disk.qcow2"), "qcow2"), (&home.path("out/disk.raw"), "raw"));
    }
}

/// `jingku image export … -o - | head` succeeds without output on standard error.
#[test]
fn a_closed_pipe_is_not_an_error() {
    let (home, _server, id, _) = made(40);
    for format in ["raw", "qcow2"] {
        let mut command = home.command(&["image", "export", &id, "--format", format, "-o", "-"]);
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{format}");
    }
}

#[test]
fn a_link_needs_no_key_and_has_a_lifetime_of_at_most_a_day() {
    let (home, server, id, source) = made(3);
    let ended = home.run(&["image", "url", &id, "--expires", "10m"]).succeeded();
    let link = ended.out.trim_end();
    assert!(link.starts_with(&format!("{}/images/{id}/disk?", server.base_url)), "{link}");
    assert!(ended.err.contains("Anyone with this link"), "{}", ended.err);
    assert!(server.get_bytes(&link[server.base_url.len()..]) == source, "wrong bytes");
    let link = home.json(&["image", "url", &id]);
    assert_eq!(link["SizeBytes"], source.len());
    home.refuses(&["image", "url", "nope"], 3, &["Resource not exist"], &["请求被拒绝"]);
    for wrong in ["0s", "25h", "1", "1d", "-1h"] {
        home.run(&["image", "url", &id, &format!("--expires={wrong}")]).failed(2, &["at most 24h"]);
    }
    assert!(!server.log().contains("signature="), "{}", server.log());
}

/// `curl -C -` resumes.
#[test]
fn curl_resumes_a_partial_download() {
    let (home, _server, id, source) = made(20);
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: no curl");
        return;
    }
    let link = home.run(&["image", "url", &id]).succeeded().out;
    std::fs::write(home.path("out/disk.raw"), &source[..1_234_567]).unwrap();
    let fetched = home.other_command("curl", &["-sfS", "-C", "-", "-o", "out/disk.raw", link.trim_end()]);
    let fetched = { fetched }.output().unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(std::fs::read(home.path("out/disk.raw")).unwrap() == source, "wrong bytes");
}
