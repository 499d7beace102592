//! `jingku image import`: the image equals the file, even after interruptions.

mod pipes;
mod torn;
mod withdrawn;

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::disk::{self, CHUNK, gzip};
use crate::home::{Ended, Home, until};
use crate::qemu;
use crate::room::SmallDisk;
use crate::server::{Server, wait};
use crate::terminal;

/// Where the server is killed. The file is compressed, and the client sends it in two segments; its disk has many chunks.
pub(crate) const FAILPOINTS: [&str; 13] = [
    "upload.bytes_durable:1",
    "upload.bytes_durable:2",
    "upload.written_down:1",
    "upload.written_down:2",
    "upload.agreed",
    "upload.finished",
    "import.unpacked",
    "import.replaced",
    "make.chunk:17",
    "import.chunks_durable",
    "import.manifest_durable",
    "make.after_row",
    "upload.removing",
];

/// Bytes that the client sends in one request.
const SEGMENT: usize = 64 << 20;
/// Kills at increasing times.
const KILLS: u64 = 10;

impl Home {
    /// Imports a file, waits for its image, and returns its id.
    fn import(&self, file: &str, name: &str) -> String {
        let image = self.json(&["image", "import", file, "--name", name, "--wait"]);
        assert_eq!(image["Status"], "Available", "{image}");
        image["CompShareImageId"].as_str().unwrap().to_owned()
    }

    fn uploads(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.data().join("uploads")).unwrap().map(|file| file.unwrap().path()).collect()
    }

    fn start_import(&self, file: &str, name: &str, options: &[&str]) -> Child {
        let mut command = self.command(&[&["image", "import", file, "--name", name], options].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How many bytes the server has of the upload with this name.
    fn received(&self, name: &str) -> u64 {
        let list = self.json(&["image", "list", "--name", name]);
        let Some(id) = list["ImageSet"][0]["CompShareImageId"].as_str() else { return 0 };
        self.json(&["image", "progress", id])["ProcessedBytes"].as_u64().unwrap()
    }

    /// Asserts that there is no image and no upload.
    fn assert_nothing_is_left(&self) {
        assert_eq!(self.json(&["image", "list"])["TotalCount"], 0);
        assert!(self.uploads().is_empty(), "{:?}", self.uploads());
    }
}

/// A disk of more than one segment.
fn large() -> Vec<u8> {
    let mut bytes = disk::bytes(SEGMENT / CHUNK + 30, 5);
    // Some of it repeats, so that there are fewer chunks to store than to read.
    bytes.copy_within(..8 << 20, 16 << 20);
    bytes
}

#[test]
fn every_format_is_imported_and_exported_unchanged() {
    let home = Home::new();
    let server = home.serve();
    let bytes = disk::bytes(30, 1);
    let raw = home.file("disk.raw", &bytes);
    let first = home.import(&raw, "raw");
    assert!(home.bytes(&first) == bytes);
    let stored = home.json(&["usage"])["Live"]["StoredBytes"].clone();
    let packed = home.file("disk.img", &gzip(&bytes));
    assert!(home.bytes(&home.import(&packed, "gz")) == bytes);
    // An export can be imported.
    for format in ["raw", "qcow2"] {
        let exported = home.path(&format!("exported.{format}")).to_str().unwrap().to_owned();
        home.run(&["image", "export", &first, "--format", format, "-o", &exported]).succeeded();
        assert!(home.bytes(&home.import(&exported, &format!("again-{format}"))) == bytes, "{format}");
    }
    let usage = home.json(&["usage"]);
    assert_eq!(usage["Live"]["StoredBytes"], stored, "the same disk was stored again: {usage}");
    assert!(home.uploads().is_empty());
    server.stop();
}

/// 900 GiB that are nearly all a hole.
#[test]
fn holes_of_a_sparse_file_are_not_stored() {
    let home = Home::new();
    let server = home.serve();
    let path = home.path("sparse.raw");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(900 << 30).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"in the middle", 2 << 30).unwrap();
    let id = home.import(path.to_str().unwrap(), "sparse");
    let image = home.json(&["usage"])["Images"][0].clone();
    assert_eq!(
        (image["CompShareImageId"].as_str(), &image["LogicalBytes"]),
        (Some(&*id), &(900_u64 << 30).into())
    );
    assert!(image["StoredBytes"].as_u64().unwrap() < 1 << 20, "{image}");
    server.stop();
}

#[test]
fn disks_by_qemu_are_imported_unchanged() {
    if !qemu::present() {
        return;
    }
    let home = Home::new();
    let _server = home.serve();
    // Whole sectors, because QEMU pads the last one.
    let raw = PathBuf::from(home.file("disk.raw", &disk::bytes(20, 2)));
    let kinds: [(&str, &[&str]); 6] = [
        ("plain", &[]),
        ("compressed", &["-c"]),
        ("old", &["-o", "compat=0.10"]),
        ("small", &["-o", "cluster_size=512"]),
        ("large", &["-c", "-o", "cluster_size=2M"]),
        ("preallocated", &["-o", "preallocation=falloc"]),
    ];
    for (name, options) in kinds {
        let made = home.path(&format!("{name}.qcow2"));
        let ends = ["-f", "raw", "-O", "qcow2", raw.to_str().unwrap(), made.to_str().unwrap()];
        qemu::img(&[&["convert"], options, &ends].concat());
        let id = home.import(made.to_str().unwrap(), name);
        let out = home.path(&format!("{name}.out"));
        home.run(&["image", "export", &id, "-o", out.to_str().unwrap()]).succeeded();
        qemu::assert_same((&out, "raw"), (&raw, "raw"));
        std::fs::remove_file(out).unwrap();
    }
    for (name, options, english) in [
        ("zstd", &["-o", "compression_type=zstd"][..], "zstd compression"),
        ("extended", &["-o", "extended_l2=on"], "subclusters"),
        ("outside", &["-o", "data_file=outside.data"], "in another file"),
    ] {
        let made = home.path(&format!("{name}.qcow2"));
        let ends = ["-f", "raw", "-O", "qcow2", raw.to_str().unwrap(), made.to_str().unwrap()];
        qemu::img(&[&["convert"], options, &ends].concat());
        let import = ["image", "import", made.to_str().unwrap(), "--name", name, "--wait"];
        home.run(&import).failed(1, &["could not be made", english]);
    }
    let _ = std::fs::remove_file("outside.data");
}

#[test]
fn an_import_resumes_after_its_client_was_killed() {
    let home = Home::new();
    let server = home.serve();
    let bytes = large();
    let size = bytes.len().to_string();
    let stated = ["--size", &*size];
    let mut first = home.start_import("-", "env", &stated);
    let mut stdin = first.stdin.take().unwrap();
    stdin.write_all(&bytes[..SEGMENT + 1000]).unwrap();
    until("a segment has arrived", || home.received("env") == SEGMENT as u64);
    kill_process(Pid::from_child(&first), Signal::KILL).unwrap();
    wait(&mut first);

    // An import of other bytes sends none of them, and the upload stays.
    let mut other = bytes.clone();
    other[1000] ^= 1;
    for (lang, words) in [("en", "An import of another file"), ("zh", "另一个文件")] {
        let mut child = home.start_import("-", "env", &[stated[0], stated[1], "--lang", lang]);
        // It ends before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(&other);
        Ended::from(child.wait_with_output().unwrap()).failed(1, &[words]);
    }
    assert_eq!(home.received("env"), SEGMENT as u64);

    let mut again = home.start_import("-", "env", &stated);
    again.stdin.take().unwrap().write_all(&bytes).unwrap();
    let ended = Ended::from(again.wait_with_output().unwrap()).succeeded();
    let id = ended.out.trim_end();
    assert!(ended.err.contains("jingku image progress"), "{ended:?}");
    home.run(&["image", "progress", id, "--wait"]).succeeded();
    assert!(home.bytes(id) == bytes);
    server.stop();
}

/// A server that restarts on the same port.
struct Scene {
    home: Home,
    address: String,
    file: String,
    bytes: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let server = home.serve();
        let address = server.address().to_owned();
        server.stop();
        let bytes = large();
        let file = home.file("disk.gz", &gzip(&bytes));
        Self { home, address, file, bytes }
    }

    fn serve(&self, failpoint: &str) -> Server {
        let mut command = self.home.command(&["serve", "--listen", &self.address]);
        Server::start(command.env("JINGKU_FAILPOINT", failpoint))
    }

    /// Imports with one command while the server is killed and restarted.
    fn crash(&self, name: &str, failpoint: &str, kill: impl FnOnce(&Server)) {
        let mut server = self.serve(failpoint);
        let client = self.home.start_import(&self.file, name, &[]);
        kill(&server);
        let status = server.wait();
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{name}: {status}; {}", server.log());
        let server = self.serve("");
        let ended = Ended::from(client.wait_with_output().unwrap()).succeeded();
        let id = ended.out.trim_end();
        self.home.run(&["image", "progress", id, "--wait"]).succeeded();
        assert!(self.home.bytes(id) == self.bytes, "{name}: wrong bytes");
        until("the upload is removed", || self.home.uploads().is_empty());
        self.home.run(&["image", "delete", id]).succeeded();
        server.stop();
    }
}

#[test]
fn an_import_survives_kills_of_the_server_at_every_failpoint() {
    let scene = Scene::new();
    for failpoint in FAILPOINTS {
        scene.crash(&failpoint.replace(':', "-"), failpoint, |_| {});
    }
    println!("{} kills in imports", FAILPOINTS.len());
}

#[test]
fn an_import_survives_kills_of_the_server_at_any_time() {
    let scene = Scene::new();
    for moment in 0..KILLS {
        scene.crash(&format!("moment-{moment}"), "", |server| {
            thread::sleep(Duration::from_millis(40 + moment * 60));
            server.signal(Signal::KILL);
        });
    }
    println!("{KILLS} kills in imports at any time");
}

#[test]
fn an_upload_deleted_while_the_server_dies_leaves_no_file() {
    let home = Home::new();
    let mut server = home.serve_with(&[], &[("JINGKU_FAILPOINT", "upload.removing")]);
    let mut client = home.start_import("-", "env", &["--size", "1G"]);
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(&vec![1; SEGMENT + 1]).unwrap();
    until("a segment has arrived", || home.received("env") == SEGMENT as u64);
    client.kill().unwrap();
    wait(&mut client);
    let id = home.json(&["image", "list"])["ImageSet"][0]["CompShareImageId"].as_str().unwrap().to_owned();
    home.run(&["image", "delete", &id]).failed(5, &[]);
    server.wait();
    assert_eq!(home.uploads().len(), 1);
    let server = home.serve();
    until("the upload is removed", || home.uploads().is_empty());
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 0);
    server.stop();
}

#[test]
fn unusable_names_and_files_are_refused_in_both_languages() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(2, 1));
    let _server = home.serve();
    home.make("uhost-1", "taken");
    let raw = home.file("disk.raw", &disk::bytes(2, 1));
    let empty = home.file("empty", b"");
    let cut = home.file("cut", &gzip(&[1; 5000])[..4000]);
    let import = |file: &str, name: &str, code, english: &[&str], chinese: &[&str]| {
        home.refuses(&["image", "import", file, "--name", name], code, english, chinese);
    };
    import(&raw, "taken", 1, &["Params [Name] not available"], &["Params [Name] not available"]);
    import(&raw, "a b", 1, &["Params [Name]"], &["Params [Name]"]);
    import(&empty, "x", 1, &["empty is empty"], &["是空的"]);
    import("nowhere", "x", 3, &["Cannot use nowhere"], &["无法使用 nowhere"]);
    import("/", "x", 3, &["Cannot use /"], &["无法使用 /"]);
    import("-", "x", 1, &["- is empty"], &["- 是空的"]);
    assert_eq!(home.json(&["image", "list", "--status", "Available"])["TotalCount"], 1);
    let ended = home.run(&["image", "import", &cut, "--name", "cut", "--wait"]);
    ended.failed(1, &["it ends early: its gzip content is cut off"]);
    home.run(&["image", "import", &cut, "--name", "cut", "--wait", "--lang", "zh"]).failed(1, &["制作失败"]);
    let terminal = terminal::show(&home, &["image", "import", "-", "--name", "x"], 80);
    assert_eq!(terminal.1, Some(2), "{}", terminal.0);
    assert!(terminal.0.contains("Cannot read a disk from a terminal"), "{}", terminal.0);
}

#[test]
fn progress_is_shown_only_on_a_terminal() {
    let home = Home::new();
    let _server = home.serve();
    let raw = home.file("disk.raw", &large());
    let (screen, code) = terminal::show(&home, &["image", "import", &raw, "--name", "env"], 100);
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains('%') && screen.contains("B/s") && screen.contains("left"), "{screen}");
    let said = home.run(&["image", "import", &raw, "--name", "env-2", "--json"]).succeeded();
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert!(json["CompShareImageId"].as_str().unwrap().starts_with("compshareImage-"), "{json}");
    assert_eq!(said.err, "");
}

#[test]
fn an_import_without_disk_space_is_refused_or_fails_cleanly() {
    let home = Home::new();
    let Some(small) = SmallDisk::mount(home.path("small")) else { return };
    let data = small.path.join("data").to_str().unwrap().to_owned();
    let run = |args: &[&str]| home.run(&[args, &["--data-dir", &data]].concat());
    let server = home.serve_with(&["--data-dir", &data], &[]);
    until("the reserve exists", || Path::new(&data).join("reserve").exists());
    let mut noise = vec![0; 40 << 20];
    disk::noise(3, &mut noise);
    let file = home.file("noise.raw", &noise);
    let refused = run(&["image", "import", &file, "--name", "env"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.err.contains("may need 80 MB, and the image store has no room for it; ask the operator")
            && refused.err.contains("8095"),
        "{refused:?}"
    );

    // The size of a command's output is unknown: the import fails at the account's share. No segment is durable yet, so
    // the upload is withdrawn.
    let full = home.run(&["image", "import", "--name", "env", "--data-dir", &data, "--", "cat", &file]);
    assert!(full.code == Some(3) && full.err.contains("8095"), "{full:?}");
    assert!(full.err.contains("take up as much room as those of one account may"), "{full:?}");
    assert_eq!(home.json(&["image", "list", "--status", "Making", "--data-dir", &data])["TotalCount"], 0);

    // A file that unpacks to more than fits fails with a reason.
    let mut half = vec![0; 3 << 20];
    disk::noise(4, &mut half);
    let bomb: Vec<u8> = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![7; 80 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let bomb = home.file("bomb.gz", &bomb);
    let ended = run(&["image", "import", &bomb, "--name", "bomb", "--wait"]);
    assert!(ended.code == Some(1) && ended.err.contains("is full"), "{ended:?}");
    assert_eq!(std::fs::read_dir(Path::new(&data).join("uploads")).unwrap().count(), 0);
    let small_file = home.file("small.raw", &half);
    run(&["image", "import", &small_file, "--name", "fits", "--wait"]).succeeded();
    server.stop();
}

/// Links are parsed from their end, so the public URL may look like one.
#[test]
fn a_public_url_may_contain_the_path_of_a_link() {
    let home = Home::new();
    let bytes = disk::bytes(2, 1);
    let file = home.file("disk.raw", &bytes);
    for (number, path) in
        ["/images", "/uploads", "/uploads/x", "/images/x/disk", "/covers"].iter().enumerate()
    {
        std::fs::write(home.path("jingku.toml"), format!("public_url = 'https://example.com{path}'"))
            .unwrap();
        let server = home.serve_with(&["--config", "jingku.toml"], &[]);
        let id = home.import(&file, &format!("env-{number}"));
        let url = home.json(&["image", "url", &id])["Url"].as_str().unwrap().to_owned();
        assert!(url.starts_with(&format!("https://example.com{path}/images/{id}/disk?")), "{url}");
        server.stop();
    }
}
