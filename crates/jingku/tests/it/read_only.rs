//! Data folders and backups on a disk that is mounted read-only, or owned by another user.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::disk;
use crate::home::{Ended, Home, copy_folder, files_below};
use crate::room::SmallDisk;
use crate::server::Server;

/// A library with an image and one in the trash, and its backup, on one small disk.
struct Scene {
    home: Home,
    disk: SmallDisk,
    image: String,
    bytes: Vec<u8>,
}

impl Scene {
    /// `None` without the permission to mount.
    fn new() -> Option<Self> {
        let home = Home::new();
        let disk = SmallDisk::mount(home.path("disk"))?;
        let (data, backup) = (disk.path.join("data"), disk.path.join("backup"));
        let scene = Self { home, disk, image: String::new(), bytes: disk::bytes(2, 1) };
        scene.home.add_instance("uhost-elsewhere", &scene.bytes);
        let raw = scene.home.path("uhost-elsewhere.raw");
        scene.on(&data, &["instance", "add", "--id", "uhost-1", "--disk", raw.to_str().unwrap()]).succeeded();
        let server = scene.serve(&data);
        let make = |name| {
            let create = ["image", "create", "--instance", "uhost-1", "--name", name, "--wait"];
            let made = scene.json(&data, &create);
            made["CompShareImageId"].as_str().unwrap().to_owned()
        };
        let (image, trashed) = (make("kept"), make("trashed"));
        scene.on(&data, &["image", "delete", &trashed]).succeeded();
        server.stop();
        scene.on(&data, &["backup", backup.to_str().unwrap(), "--with-master-key"]).succeeded();
        Some(Self { image, ..scene })
    }

    fn data(&self) -> PathBuf {
        self.disk.path.join("data")
    }

    fn line<'a>(data: &'a Path, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--data-dir", data.to_str().unwrap()]].concat()
    }

    fn on(&self, data: &Path, args: &[&str]) -> Ended {
        self.home.run(&Self::line(data, args))
    }

    fn json(&self, data: &Path, args: &[&str]) -> Value {
        self.home.json(&Self::line(data, args))
    }

    fn serve(&self, data: &Path) -> Server {
        self.home.serve_with(&["--data-dir", data.to_str().unwrap()], &[])
    }

    /// Runs the operator's commands that only read, and returns their output.
    fn read_everything(&self, data: &Path) -> Vec<Value> {
        let checked = self.json(data, &["check", "--read-data"]);
        assert_eq!((&checked["Clean"], &checked["Images"]), (&json!(true), &json!(2)), "{checked}");
        let lists = [&["account", "list"][..], &["key", "list"], &["instance", "list"], &["trash", "list"]];
        let mut said: Vec<_> = lists.into_iter().map(|args| self.json(data, args)).collect();
        said.extend(
            [&["usage"][..], &["sweep", "--dry-run"], &["account", "limit", "1"]]
                .map(|args| self.json(data, args)),
        );
        let lists = said[..4].iter().all(|list| list.as_array().is_some_and(|rows| rows.len() == 1));
        assert!(lists, "{said:?}");
        self.on(data, &["review", "list"]).succeeded();
        self.on(data, &["check", "--status"]).succeeded();
        said
    }
}

#[test]
fn reading_commands_work_on_a_read_only_disk() {
    let Some(scene) = Scene::new() else { return };
    let data = scene.data();
    let before = scene.read_everything(&data);
    let files = files_below(scene.disk.path.clone());
    scene.disk.read_only(true);
    assert!(std::fs::write(data.join("proof"), "").is_err());
    assert_eq!(scene.read_everything(&data), before);

    // A backup of the read-only library, and restores of that backup and of the read-only one.
    let backup = scene.home.path("another");
    let made = scene.json(&data, &["backup", backup.to_str().unwrap()]);
    assert_eq!((&made["Images"], &made["DamagedImages"]), (&json!(2), &json!([])), "{made}");
    let old = scene.disk.path.join("backup");
    let listed = scene.home.json(&["backup", old.to_str().unwrap(), "--list"]);
    assert_eq!(listed["Generations"].as_array().unwrap().len(), 1, "{listed}");
    for (number, from) in [backup, old.clone()].iter().enumerate() {
        let to = scene.home.path(&format!("restored-{number}"));
        scene.on(&to, &["restore", from.to_str().unwrap()]).succeeded();
        let checked = scene.json(&to, &["check", "--read-data"]);
        assert_eq!((&checked["Clean"], &checked["Images"]), (&json!(true), &json!(2)), "{checked}");
    }

    // Commands that would change something report the reason.
    for args in [
        &["trash", "empty"][..],
        &["key", "create"],
        &["key", "restrict", "any", "--none"],
        &["instance", "remove", "uhost-1"],
        &["account", "create", "second"],
    ] {
        let words = ["read-only", "cannot be written to"];
        scene.on(&data, args).failed(6, &words);
    }
    scene.on(&data, &["backup", old.to_str().unwrap()]).failed(6, &["Read-only file system"]);
    assert!(files_below(scene.disk.path.clone()) == files);
}

#[test]
fn a_server_on_a_read_only_disk_exports_images_and_refuses_changes() {
    let Some(scene) = Scene::new() else { return };
    let data = scene.data();
    let files = files_below(scene.disk.path.clone());
    scene.disk.read_only(true);
    let server = scene.serve(&data);
    let url = server.base_url.clone();
    let at = ["--base-url", &url];
    let list = scene.json(&data, &[&["image", "list"], &at[..]].concat());
    assert_eq!(list["ImageSet"][0]["CompShareImageId"], json!(scene.image), "{list}");
    let file = scene.home.path("export.raw");
    let export = ["image", "export", &scene.image, "-o", file.to_str().unwrap()];
    scene.on(&data, &[&export, &at[..]].concat()).succeeded();
    assert!(std::fs::read(&file).unwrap() == scene.bytes);
    // Signing in to the console changes nothing there.
    let link = scene.json(&data, &[&["console", "--no-open"][..], &at[..]].concat());
    assert!(link["Url"].as_str().unwrap().contains("/console/sign-in?link="), "{link}");
    for args in [
        &["image", "delete", &scene.image][..],
        &["image", "update", &scene.image, "--name", "other"],
        &["image", "import", file.to_str().unwrap(), "--name", "again"],
        &["image", "create", "--instance", "uhost-1", "--name", "more"],
    ] {
        let ended = scene.on(&data, &[args, &at[..]].concat());
        assert!(ended.code != Some(0) && ended.err.contains("read-only now"), "{args:?} {ended:?}");
    }
    assert!(server.log().contains("is not writable"), "{}", server.log());
    let answer = server.readiness();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("read-only"), "{answer}");
    server.stop();
    assert!(files_below(scene.disk.path.clone()) == files);
}

/// As after a power cut: the log has not been moved into the catalogue's file.
#[test]
fn a_log_left_by_a_crash_is_read() {
    let Some(scene) = Scene::new() else { return };
    let data = scene.data();
    let catalog = data.join("catalog.db");
    let writer = rusqlite::Connection::open(&catalog).unwrap();
    writer.execute("UPDATE accounts SET name = 'from the log' WHERE id = 1", []).unwrap();
    let with_log = scene.home.path("with-log");
    copy_folder(&data, &with_log);
    drop(writer);
    std::fs::remove_file(with_log.join("catalog.db-shm")).unwrap();
    assert!(with_log.join("catalog.db-wal").metadata().unwrap().len() > 0);
    std::fs::remove_dir_all(&data).unwrap();
    copy_folder(&with_log, &data);
    scene.disk.read_only(true);
    let accounts = scene.json(&data, &["account", "list"]);
    assert_eq!(accounts[0]["AccountName"], "from the log", "{accounts}");
}

#[test]
fn a_read_only_library_of_an_earlier_schema_is_read() {
    let home = Home::new();
    let Some(disk) = SmallDisk::mount(home.path("disk")) else { return };
    let archives = crate::old_data::archives();
    let (_, oldest) = archives.first_key_value().unwrap();
    crate::old_data::unpack(oldest, &home);
    let data = disk.path.join("data");
    copy_folder(&home.path("data"), &data);
    disk.read_only(true);
    let at = ["--data-dir", data.to_str().unwrap()];
    let usage = home.json(&[&["usage"], &at[..]].concat());
    assert_eq!(usage["MissingChunks"], 0, "{usage}");
    assert!(usage["Images"].as_array().unwrap().len() >= 3, "{usage}");
    home.run(&[&["check"], &at[..]].concat()).succeeded();
}

#[test]
fn a_folder_of_another_user_is_read_and_not_changed() {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "only root can run as another user");
        println!("skipped: only root can run as another user");
        return;
    }
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 1));
    let server = home.serve();
    home.make("uhost-1", "image");
    server.stop();
    let data = home.path("open");
    copy_folder(&home.data(), &data);
    let command = |args: &[&str]| {
        let program = ["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_jingku")];
        let mut command = home.other_command("setpriv", &[&program, args].concat());
        command.env("XDG_DATA_HOME", "/nonexistent").env("TMPDIR", "/tmp");
        command
    };
    let as_another = |args: &[&str]| Ended::of(&mut command(args));
    // The copy and the folder above it are readable by everyone.
    chmod(&home.path(""), "755");
    chmod(&data, "a+rX");
    let at = ["--data-dir", data.to_str().unwrap()];
    for args in [&["key", "list"][..], &["usage"], &["check"], &["trash", "list"], &["check", "--status"]] {
        as_another(&[args, &at].concat()).succeeded();
    }
    as_another(&[&["key", "create"], &at[..]].concat()).failed(6, &["cannot be written to"]);
    let mut server = Server::start(&mut command(&[&["serve", "--listen", "127.0.0.1:0"], &at[..]].concat()));
    let url = server.base_url.clone();
    let list = [&["image", "list", "--base-url", &url], &at[..]].concat();
    assert!(as_another(&list).succeeded().out.contains("compshareImage-"));
    server.signal(rustix::process::Signal::TERM);
    assert!(server.wait().success());

    // A folder that others can write to is refused.
    let writable = home.path("writable");
    std::fs::create_dir(&writable).unwrap();
    chmod(&writable, "777");
    let create = ["key", "create", "--data-dir", writable.to_str().unwrap()];
    as_another(&create).failed(1, &["mode 777", "chmod 700"]);

    // A folder without read permission is not reported as unused.
    chmod(&data, "700");
    for args in [&["check", "--status"][..], &["check"], &["usage"], &["image", "list"], &["key", "list"]] {
        as_another(&[args, &at].concat()).failed(6, &["Permission denied"]);
    }
    chmod(&data, "a+rx");
    chmod(&data.join("credentials.toml"), "600");
    as_another(&[&["image", "list"], &at[..]].concat()).failed(6, &["credentials.toml", "Permission denied"]);
    let missing = home.path("missing");
    home.run(&["check", "--status", "--data-dir", missing.to_str().unwrap()])
        .failed(3, &["no data directory"]);
    std::fs::create_dir(&missing).unwrap();
    home.run(&["check", "--status", "--data-dir", missing.to_str().unwrap()]).failed(3, &["no library"]);
}

fn chmod(path: &Path, mode: &str) {
    let changed = std::process::Command::new("chmod").args(["-R", mode]).arg(path).status().unwrap();
    assert!(changed.success());
}
