//! Only the owner can read the files of Jingku, for any umask and for folders that existed before.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

/// A home whose commands run under a umask, with folders that are readable by everyone.
struct Scene {
    home: Home,
    umask: &'static str,
}

impl Scene {
    fn command(&self, args: &[&str]) -> Command {
        let script = format!("umask {}; exec \"$@\"", self.umask);
        let words = ["-c", &script, "sh", env!("CARGO_BIN_EXE_jingku")];
        self.home.other_command("sh", &[&words, args].concat())
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args)).succeeded()
    }

    fn path(&self, name: &str) -> String {
        self.home.path(name).to_str().unwrap().to_owned()
    }
}

/// Returns `None` for a missing file: a running server removes its own files.
fn if_exists<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        result => Some(result.unwrap()),
    }
}

/// Asserts the mode of every file and folder below a path, and returns their number.
fn assert_private(path: &Path) -> usize {
    let Some(found) = if_exists(path.metadata()) else { return 0 };
    let mode = found.permissions().mode() & 0o777;
    let expected = if found.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, expected, "{} is {mode:o}", path.display());
    let entries = if found.is_dir() { if_exists(std::fs::read_dir(path)) } else { None };
    let below = entries.into_iter().flatten().filter_map(if_exists);
    1 + below.map(|entry| assert_private(&entry.path())).sum::<usize>()
}

fn make_open(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn every_file_is_readable_by_its_owner_only() {
    for umask in ["000", "022", "0177"] {
        let scene = Scene { home: Home::new(), umask };
        let home = &scene.home;
        let (backup, restored) = (scene.path("backup"), scene.path("restored"));
        for folder in [home.data(), backup.clone().into(), restored.clone().into()] {
            make_open(&folder);
        }
        let raw = home.path("uhost-1.raw");
        disk::write(&raw, &disk::bytes(3, 1));
        let mut server = Server::start(&mut scene.command(&["serve", "--listen", "127.0.0.1:0", "--demo"]));
        server.stdout_until("my-custom-env");
        let raw = raw.to_str().unwrap();
        scene.run(&["instance", "add", "--id", "uhost-1", "--disk", raw]);
        scene.run(&["image", "create", "--instance", "uhost-1", "--name", "made", "--wait"]);
        scene.run(&["image", "import", raw, "--name", "imported", "--wait"]);
        let list = home.json(&["image", "list"]);
        let id = list["ImageSet"][0]["CompShareImageId"].as_str().unwrap();
        for format in ["raw", "qcow2"] {
            let file = home.path(&format!("export.{format}"));
            scene.run(&["image", "export", id, "-o", file.to_str().unwrap(), "--format", format]);
            assert_private(&file);
        }
        scene.run(&["run", "--", "true"]);
        scene.run(&["image", "delete", id]);
        scene.run(&["trash", "empty"]);
        scene.run(&["sweep"]);
        scene.run(&["backup", &backup, "--with-master-key"]);
        scene.run(&["backup", &backup, "--keep", "1"]);
        scene.run(&["restore", &backup, "--data-dir", &restored]);
        scene.run(&["check", "--data-dir", &restored]);
        // While the server runs, with its log and other temporary files, and after its end.
        assert!(assert_private(&home.data()) > 20);
        server.stop();
        assert!(assert_private(&home.data()) > 20);
        assert!(assert_private(Path::new(&backup)) > 10);
        assert!(assert_private(Path::new(&restored)) > 10);
    }
}

#[test]
fn permissions_of_an_earlier_version_are_tightened_at_start() {
    let home = Home::new();
    crate::old_data::unpack(&crate::old_data::archives()["0007"], &home);
    for folder in ["data", "backup"] {
        let opened = Command::new("chmod").args(["-R", "a+rX"]).arg(home.path(folder)).status().unwrap();
        assert!(opened.success());
    }
    let (data, backup) = (home.path("data"), home.path("backup"));
    let at = ["--data-dir", data.to_str().unwrap()];
    let server = home.serve_with(&at, &[]);
    assert!(assert_private(&data) > 20);
    home.run(&[&["backup", backup.to_str().unwrap()], &at[..]].concat()).succeeded();
    assert!(assert_private(&backup) > 20);
    server.stop();
}

#[test]
fn a_folder_that_others_use_is_refused() {
    let home = Home::new();
    let shared = home.path("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, PermissionsExt::from_mode(0o1777)).unwrap();
    let shared = shared.to_str().unwrap();
    home.refuses(&["key", "create", "--data-dir", shared], 1, &["mode 1777", "of its own"], &["1777"]);
    std::fs::set_permissions(home.path(""), PermissionsExt::from_mode(0o755)).unwrap();
    let own = home.path("");
    home.refuses(&["key", "create", "--data-dir", own.to_str().unwrap()], 1, &["mode 755"], &["755"]);
    home.run(&["key", "create"]).succeeded();
    home.run(&["backup", shared]).failed(1, &["mode 1777"]);
    let letters = home.path("letters");
    std::fs::create_dir(&letters).unwrap();
    std::fs::write(letters.join("dear"), "reader").unwrap();
    std::fs::set_permissions(&letters, PermissionsExt::from_mode(0o755)).unwrap();
    let at = ["--data-dir", letters.to_str().unwrap()];
    home.run(&[&["key", "create"], &at[..]].concat()).failed(1, &["mode 755", "chmod 700"]);
    home.run(&["backup", home.path("backup").to_str().unwrap()]).succeeded();
    let restore = ["restore", home.path("backup").to_str().unwrap()].map(str::to_owned);
    let restore: Vec<_> = restore.iter().map(String::as_str).chain(at).collect();
    home.run(&restore).failed(1, &["is not empty"]);
    assert_eq!(letters.metadata().unwrap().permissions().mode() & 0o777, 0o755, "the mode has changed");
    assert_eq!(std::fs::read_dir(shared).unwrap().count(), 0);
}
