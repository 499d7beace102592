//! A full disk: images that do not fit are refused or fail cleanly, and the server stays usable.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use compshare::actions::ImportCompShareCustomImageRequest;
use serde_json::Value;

use crate::client::{block_on, client_with};
use crate::disk::{self, CHUNK};
use crate::home::{Ended, Home};
use crate::server::Server;

/// Size of the small disk. The margin takes 32 MB of it and the reserve 8.
const SMALL: &str = "size=64m";

/// A file system in memory, unmounted when dropped.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
    programs: &'static [&'static str],
}

impl SmallDisk {
    /// `None` without the permission to mount.
    pub(crate) fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        for programs in [&[][..], &["sudo", "-n"]] {
            let mount = ["mount", "-t", "tmpfs", "-o", SMALL, "none", path.to_str().unwrap()];
            if quietly(programs, &mount) {
                if !programs.is_empty() {
                    let user = rustix::process::geteuid().as_raw().to_string();
                    assert!(quietly(programs, &["chown", &user, path.to_str().unwrap()]));
                }
                return Some(Self { path, programs });
            }
        }
        assert!(std::env::var_os("CI").is_none(), "no small disk can be mounted here");
        println!("skipped: only root may mount a small disk");
        None
    }

    /// Doubles its size.
    fn enlarge(&self) {
        let mount = ["mount", "-o", "remount,size=128m", self.path.to_str().unwrap()];
        assert!(quietly(self.programs, &mount));
    }

    /// Mounts it read-only, or writable again.
    pub(crate) fn read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        assert!(quietly(self.programs, &["mount", "-o", how, self.path.to_str().unwrap()]));
    }

    /// Fills it to the last byte.
    fn fill(&self) -> PathBuf {
        let path = self.path.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        quietly(self.programs, &["umount", "-l", self.path.to_str().unwrap()]);
    }
}

fn quietly(programs: &[&str], args: &[&str]) -> bool {
    let all = [programs, args].concat();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A data directory on the small disk.
struct Scene {
    home: Home,
    data: String,
    small: SmallDisk,
}

impl Scene {
    fn new() -> Option<Self> {
        let home = Home::new();
        let small = SmallDisk::mount(home.path("small"))?;
        let data = small.path.join("data").to_str().unwrap().to_owned();
        Some(Self { home, data, small })
    }

    fn serve(&self) -> Server {
        self.home.serve_with(&["--data-dir", &self.data], &[])
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.home.run(&[args, &["--data-dir", &self.data]].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        self.home.json(&[args, &["--data-dir", &self.data]].concat())
    }

    fn instance(&self, id: &str, disk: &Path) {
        self.run(&["instance", "add", "--id", id, "--disk", disk.to_str().unwrap()]).succeeded();
    }

    fn create(&self, instance: &str, name: &str) -> Ended {
        self.run(&["image", "create", "--instance", instance, "--name", name, "--wait", "--json"])
    }

    fn made(&self, instance: &str, name: &str) -> String {
        let image: Value = serde_json::from_str(&self.create(instance, name).succeeded().out).unwrap();
        image["CompShareImageId"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_full_disk_is_refused_handled_and_recovered_from() {
    let Some(scene) = Scene::new() else { return };
    let disk = |name: &str| scene.home.path(name);
    let bytes = disk::bytes(8, 1);
    disk::write(&disk("small.raw"), &bytes);
    scene.instance("uhost-small", &disk("small.raw"));
    let mut large = vec![0; 160 * CHUNK];
    disk::noise(7, &mut large[..4 * CHUNK]);
    disk::write(&disk("large.raw"), &large);
    scene.instance("uhost-large", &disk("large.raw"));
    let server = scene.serve();
    let small = scene.made("uhost-small", "small");
    crate::home::until("the reserve exists", || Path::new(&scene.data).join("reserve").exists());
    // Nearly all of this disk is a hole.
    let sparse = scene.made("uhost-large", "sparse");

    // Refused: the data does not fit.
    disk::noise(8, &mut large);
    disk::write(&disk("full.raw"), &large);
    scene.instance("uhost-full", &disk("full.raw"));
    let refused = scene.create("uhost-full", "full");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.err.contains("may need 40 MB, and the image store has no room for it; ask the operator"),
        "{refused:?}"
    );
    assert!(refused.err.contains("8095"), "{refused:?}");

    // Fails while it is created: the disk has changed since its last image, so its size was underestimated.
    let file = File::options().write(true).open(disk("large.raw")).unwrap();
    file.write_all_at(&large, 0).unwrap();
    let failed = scene.create("uhost-large", "changed");
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("store is full"), "{failed:?}");
    assert_eq!(scene.json(&["image", "list"])["TotalCount"], 3);

    // Full: the server still works.
    let filler = scene.small.fill();
    let export = |id: &str| {
        let file = scene.home.path("export");
        scene.run(&["image", "export", id, "-o", file.to_str().unwrap()]).succeeded();
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        bytes
    };
    assert!(export(&small) == bytes);
    scene.run(&["image", "delete", &sparse]).succeeded();
    assert_eq!(scene.json(&["image", "list"])["TotalCount"], 2);
    let refused = scene.create("uhost-small", "more");
    assert!(refused.code == Some(3) && refused.err.contains("may need 1 MB"), "{refused:?}");
    scene.run(&["usage"]).succeeded();
    scene.run(&["trash", "empty"]).succeeded();
    server.stop();

    // With free space again everything works, and the reserve is created again.
    std::fs::remove_file(filler).unwrap();
    scene.small.enlarge();
    let reserve = Path::new(&scene.data).join("reserve");
    assert!(!reserve.exists(), "the reserve is still there");
    let server = scene.serve();
    let more = scene.made("uhost-small", "more");
    crate::home::until("the reserve exists again", || reserve.exists());
    server.stop();
    scene.small.fill();
    let server = scene.serve();
    assert!(export(&more) == bytes);
    scene.run(&["image", "delete", &small]).succeeded();
    assert_eq!(scene.json(&["trash", "list"])[0]["Name"], "small");
    server.stop();
}

/// Starts an upload of this size. Returns the code and the message if it is refused.
fn import(server: &Server, keys: &Value, name: &str, size_mb: i64) -> Option<(i64, String)> {
    let key = |name: &str| keys[name].as_str().unwrap();
    let client = client_with(server, key("PublicKey"), key("PrivateKey"));
    let request = ImportCompShareCustomImageRequest {
        name: name.into(),
        size_bytes: Some((size_mb << 20).into()),
        ..ImportCompShareCustomImageRequest::default()
    };
    match block_on(client.import_comp_share_custom_image(&request)) {
        Ok(_) => None,
        Err(compshare::Error::Api { code, message, .. }) => Some((code, message)),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn one_account_cannot_reserve_all_disk_space() {
    let Some(scene) = Scene::new() else { return };
    let greedy = scene.json(&["account", "create", "greedy"]);
    let other = scene.json(&["account", "create", "other"]);
    let server = scene.serve();
    crate::home::until("the reserve exists", || Path::new(&scene.data).join("reserve").exists());
    // About 22 MB can be reserved: an upload counts twice, and an account gets half.
    let mut uploads = 0;
    let (code, text) = loop {
        match import(&server, &greedy, &format!("env-{uploads}"), 2) {
            None => uploads += 1,
            Some(refusal) => break refusal,
        }
    };
    assert!((2..=5).contains(&uploads), "{uploads}");
    assert_eq!(code, 8095);
    assert!(text.contains("as much room as those of one account may now"), "{text}");
    assert!(!text.contains(|c: char| c.is_ascii_digit()), "it reveals the free space of the server: {text}");
    assert_eq!(import(&server, &other, "env", 2), None);
    server.stop();
}
