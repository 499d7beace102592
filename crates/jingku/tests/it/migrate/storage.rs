//! `jingku migrate-storage`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};

use jingku_chunks::S3Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::assert_killed;
use crate::disk;
use crate::home::{Ended, Home, files_below, until};
use crate::server::{self, Server};

pub(crate) const FAILPOINTS: [&str; 8] = [
    "migrate.store_announced",
    "migrate.chunk:1",
    "migrate.chunk:4",
    "migrate.chunks_durable",
    "migrate.manifests_durable",
    "migrate.store_marked",
    "migrate.store_unmarked",
    "migrate.store_switched",
];
const BUCKET: &str = "s3://images/lab";

/// A home with a bucket that is not used yet.
struct Scene {
    home: Home,
    folder: TempDir,
    s3: S3Server,
    /// A configuration that says how to reach the bucket.
    config: String,
    /// One that also names it as the storage.
    bucket_config: String,
}

impl Scene {
    fn new() -> Self {
        let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
        let s3 = S3Server::start(folder.path(), &["images"]).unwrap();
        let reach = format!("[s3]\nendpoint = '{}'\npath_style = true\nallow_http = true\n", s3.endpoint());
        let config = home.file("reach.toml", reach.as_bytes());
        let bucket_config = home.file("bucket.toml", format!("storage = '{BUCKET}'\n{reach}").as_bytes());
        Self { home, folder, s3, config, bucket_config }
    }

    fn command(&self, args: &[&str]) -> Command {
        let (id, secret) = S3Server::key_pair();
        let mut command = self.home.command(args);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command
    }

    fn migrate(&self, to: &str) -> Command {
        self.command(&["migrate-storage", "--to", to, "--config", &self.config, "--json"])
    }

    fn moved(&self, to: &str) -> Value {
        serde_json::from_str(&Ended::of(&mut self.migrate(to)).succeeded().out).unwrap()
    }

    fn serve(&self, more: &[&str]) -> Server {
        Server::start(&mut self.command(&[&["serve", "--listen", "127.0.0.1:0"], more].concat()))
    }

    fn refuse_start(&self, more: &[&str], english: &str, chinese: &str) {
        for (lang, words) in [("en", english), ("zh", chinese)] {
            let serve = [&["serve", "--listen", "127.0.0.1:0", "--lang", lang], more].concat();
            let refused = Server::try_start(&mut self.command(&serve)).err().expect("it is refused");
            assert!(refused.1.contains(words), "{}", refused.1);
        }
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }

    fn assert_intact(&self, place: &str) {
        let checked = self.run(&["check", "--read-data", "--json"]);
        assert_eq!(checked.code, Some(0), "{place}: {checked:?}");
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("images/lab")
    }

    /// Starts a move.
    fn begin(&self, to: &str) -> Child {
        self.migrate(to).stderr(File::create(self.home.path("said")).unwrap()).spawn().unwrap()
    }

    /// Whether the move asks to stop the server.
    fn is_waiting(&self) -> bool {
        fs::read_to_string(self.home.path("said")).unwrap().contains("Stop it now")
    }
}

#[test]
fn images_move_while_the_server_runs() {
    let scene = Scene::new();
    let home = &scene.home;
    let server = scene.serve(&[]);
    let contents: Vec<_> = (0..4).map(|number| disk::bytes(5, number)).collect();
    for (number, bytes) in (0..4).zip(&contents) {
        home.add_instance(&format!("uhost-{number}"), bytes);
    }
    let kept = home.make("uhost-0", "kept");
    let purged = home.make("uhost-1", "purged");

    scene.s3.hold(Some("/chunks/"));
    let mut child = scene.begin(BUCKET);
    until("a chunk is on its way", || scene.s3.has_held());
    // A sweep keeps what is being copied, also if no image needs it any more.
    home.purge(&purged);
    let swept: Value = serde_json::from_str(&scene.run(&["sweep", "--json"]).succeeded().out).unwrap();
    assert_eq!(swept["Files"], 0, "{swept}");
    assert!(!scene.is_waiting());
    scene.s3.hold(None);
    until("it waits for the server", || scene.is_waiting());
    // The server is in use until it is stopped, and so is its store.
    let made = home.make("uhost-2", "made");
    scene.run(&["sweep"]).succeeded();
    assert!(home.bytes(&kept) == contents[0]);
    server.stop();
    assert!(server::wait(&mut child).success(), "{}", fs::read_to_string(home.path("said")).unwrap());

    let server = scene.serve(&["--config", &scene.bucket_config]);
    assert!(home.bytes(&kept) == contents[0] && home.bytes(&made) == contents[2]);
    scene.assert_intact("in the bucket");
    server.stop();
    // What nobody needs was copied before it was purged.
    let swept: Value = serde_json::from_str(&scene.run(&["sweep", "--json"]).succeeded().out).unwrap();
    assert_eq!(swept["Manifests"], 1, "{swept}");
    // The folder is marked: nothing starts on it without the record of the bucket.
    let (record, aside) = (home.data().join("storage"), home.path("aside"));
    fs::rename(&record, &aside).unwrap();
    scene.refuse_start(&[], "store but in s3://images/lab", "而在 s3://images/lab");
    fs::rename(&aside, &record).unwrap();
    assert_eq!(scene.run(&["migrate-storage", "--to", BUCKET, "--config", &scene.config]).code, Some(1));

    // Back, with what was made there, into the marked folder, which has most objects.
    let server = scene.serve(&[]);
    let later = home.make("uhost-3", "later");
    server.stop();
    // The same bucket by another address.
    let text = fs::read_to_string(&scene.config).unwrap().replace("127.0.0.1", "localhost");
    let alias = home.file("alias.toml", text.as_bytes());
    scene.run(&["migrate-storage", "--to", BUCKET, "--config", &alias]).failed(1, &["already"]);
    let moved = scene.moved("disk");
    assert!(
        moved["PresentObjects"].as_u64() > Some(4) && moved["CopiedObjects"].as_u64() > Some(1),
        "{moved}"
    );
    scene.refuse_start(&["--config", &scene.bucket_config], "are in its folder `store`", "目录 `store` 中");
    fs::remove_dir_all(scene.objects()).unwrap();
    let server = scene.serve(&[]);
    assert!(home.bytes(&kept) == contents[0] && home.bytes(&later) == contents[3]);
    scene.assert_intact("back in the folder");
    server.stop();
}

#[test]
fn a_move_of_images_survives_kills_at_every_step() {
    let scene = Scene::new();
    let home = &scene.home;
    let server = scene.serve(&[]);
    home.add_instance("uhost-1", &disk::bytes(9, 1));
    let id = home.make("uhost-1", "one");
    server.stop();
    for failpoint in FAILPOINTS {
        for to in [BUCKET, "disk"] {
            let mut command = scene.migrate(to);
            assert_killed(command.env("JINGKU_FAILPOINT", failpoint).status().unwrap(), failpoint);
            match failpoint {
                "migrate.store_marked" | "migrate.store_unmarked" => {
                    scene.refuse_start(&[], "or a move between them was interrupted", "迁移被中断");
                    scene.moved(to);
                }
                "migrate.store_switched" => {
                    assert_eq!(Ended::of(&mut scene.migrate(to)).code, Some(1));
                }
                _ => {
                    scene.assert_intact(failpoint);
                    if to == BUCKET {
                        // The target is not complete.
                        let (config, words) = (&scene.bucket_config, "are in its folder `store`");
                        scene.refuse_start(&["--config", config], words, "目录 `store` 中");
                    }
                    let moved = scene.moved(to);
                    let found = moved["PresentObjects"].as_u64().unwrap();
                    let expected = match failpoint {
                        "migrate.store_announced" => 0..=0,
                        "migrate.chunks_durable" => 6..=6,
                        "migrate.manifests_durable" => 7..=7,
                        _ => 1..=6,
                    };
                    assert!(expected.contains(&found), "{failpoint}: {moved}");
                }
            }
            scene.assert_intact(failpoint);
            assert_eq!(home.data().join("storage").exists(), to == BUCKET, "{failpoint}");
            // As the command advises.
            fs::remove_dir_all(if to == BUCKET { home.data().join("store") } else { scene.objects() })
                .unwrap();
            scene.assert_intact(failpoint);
        }
    }
    let server = scene.serve(&[]);
    assert!(home.bytes(&id) == disk::bytes(9, 1));
    server.stop();
}

#[test]
fn corrupted_images_are_named_before_anything_is_moved() {
    let scene = Scene::new();
    let home = &scene.home;
    let server = scene.serve(&[]);
    for number in [1, 2] {
        home.add_instance(&format!("uhost-{number}"), &disk::bytes(5, number));
        home.make(&format!("uhost-{number}"), &format!("image-{number}"));
    }
    server.stop();
    let chunks = files_below(home.data().join("store/chunks"));
    let (path, bytes) = chunks.first_key_value().unwrap();
    let mut wrong = bytes.clone();
    *wrong.last_mut().unwrap() ^= 1;
    fs::write(path, wrong).unwrap();
    let refused = Ended::of(scene.migrate(BUCKET).args(["--lang", "en"]));
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.err.contains("1 images are corrupted") && refused.err.contains("--skip-damaged"));
    assert!(!home.data().join("storage").exists());
    let moved = Ended::of(scene.migrate(BUCKET).arg("--skip-damaged")).succeeded().out;
    let moved: Value = serde_json::from_str(&moved).unwrap();
    assert_eq!(moved["DamagedImages"].as_array().unwrap().len(), 1, "{moved}");
    assert_eq!((&moved["CopiedObjects"], &moved["PresentObjects"]), (&json!(0), &json!(7)), "{moved}");
    // The same content repairs it.
    let server = scene.serve(&[]);
    for number in [1, 2] {
        home.make(&format!("uhost-{number}"), &format!("again-{number}"));
    }
    scene.assert_intact("repaired");
    server.stop();
}

#[test]
fn a_target_that_cannot_be_used_is_refused() {
    let scene = Scene::new();
    scene.serve(&[]).stop();
    let refuse = |to: &str, config: &str, code: i32, words: &str| {
        let ended = scene.run(&["migrate-storage", "--to", to, "--config", config]);
        ended.failed(code, &[words]);
    };
    refuse("disk", &scene.config, 1, "already");
    refuse("/mnt/images", &scene.config, 2, "--to s3://BUCKET");
    // Another library is there.
    let other = Home::new();
    let (id, secret) = S3Server::key_pair();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--config", &scene.bucket_config];
    let mut command = other.command(&serve);
    Server::start(command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret)).stop();
    refuse(BUCKET, &scene.config, 6, "belongs to another catalogue");
    scene.assert_intact("nothing was moved");
}
