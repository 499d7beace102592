//! Images in an object store: everything works, a kill loses nothing, and a wrong bucket is refused.

use std::process::Command;

use jingku_chunks::S3Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::assert_killed;
use crate::disk;
use crate::home::{Ended, Home, files_below, until};
use crate::server::Server;

/// A home whose images are in a bucket.
struct Scene {
    home: Home,
    folder: TempDir,
    s3: S3Server,
    config: String,
}

impl Scene {
    fn new() -> Self {
        let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
        let s3 = S3Server::start(folder.path(), &["images"]).unwrap();
        let config = Self::config(&home, &s3, "s3://images/lab");
        Self { home, folder, s3, config }
    }

    fn config(home: &Home, s3: &S3Server, url: &str) -> String {
        let endpoint = s3.endpoint();
        let text = format!(
            "storage = '{url}'\n[s3]\nendpoint = '{endpoint}'\npath_style = true\nallow_http = true\n[sweep]\nevery_hours = 0\n"
        );
        home.file("config.toml", text.as_bytes())
    }

    fn command(&self, args: &[&str]) -> Command {
        let (id, secret) = S3Server::key_pair();
        let mut command = self.home.command(args);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command
    }

    fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--config", &self.config]);
        Server::start(command.envs(variables.iter().copied()))
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat()).succeeded();
        serde_json::from_str(&ended.out).unwrap()
    }

    fn add_instance(&self, id: &str, bytes: &[u8]) {
        let path = self.home.path(&format!("{id}.raw"));
        disk::write(&path, bytes);
        self.run(&["instance", "add", "--id", id, "--disk", path.to_str().unwrap()]).succeeded();
    }

    fn image(&self, name: &str) -> Value {
        let images = self.home.json(&["image", "list"]);
        let mut images = images["ImageSet"].as_array().unwrap().iter();
        images.find(|image| image["Name"] == name).unwrap().clone()
    }

    fn id(&self, name: &str) -> String {
        self.image(name)["CompShareImageId"].as_str().unwrap().to_owned()
    }

    /// How many chunks and manifests are in the bucket.
    fn stored(&self) -> [usize; 2] {
        ["chunks", "manifests"].map(|kind| {
            let folder = self.folder.path().join("images/lab").join(kind);
            if folder.exists() { files_below(folder).len() } else { 0 }
        })
    }

    fn assert_intact(&self) {
        self.run(&["check", "--read-data"]).succeeded();
        assert_eq!(self.json(&["usage"])["MissingChunks"], 0);
    }
}

#[test]
fn images_are_made_exported_and_swept_in_a_bucket() {
    let scene = Scene::new();
    let (kept, gone) = (disk::bytes(9, 1), disk::bytes(5, 2));
    scene.add_instance("uhost-1", &kept);
    scene.add_instance("uhost-2", &gone);

    // Killed in the middle of an image.
    let mut server = scene.serve(&[("JINGKU_FAILPOINT", "store.chunk_put:3")]);
    scene.home.run(&["image", "create", "--instance", "uhost-1", "--name", "a"]);
    assert_killed(server.wait(), "store.chunk_put:3");
    assert!(scene.stored()[0] >= 3 && scene.stored()[1] == 0);

    let server = scene.serve(&[]);
    server.get("/readyz");
    until("the image is made after all", || scene.image("a")["Status"] == "Available");
    let a = scene.id("a");
    assert!(scene.home.bytes(&a) == kept);
    let b = scene.home.make("uhost-2", "b");
    assert!(scene.home.bytes(&b) == gone);
    let before = scene.stored();
    scene.assert_intact();

    // An import, which has the same content.
    let file = scene.home.file("import.raw", &gone);
    scene.home.run(&["image", "import", &file, "--name", "c", "--wait"]).succeeded();
    assert_eq!(scene.stored(), before);
    for name in ["b", "c"] {
        scene.home.run(&["image", "delete", &scene.id(name)]).succeeded();
    }
    assert_eq!(scene.json(&["sweep"])["Files"], 0, "the trash references its chunks");
    scene.run(&["trash", "empty"]).succeeded();
    let swept = scene.json(&["sweep"]);
    let own = 3;
    assert_eq!((&swept["Chunks"], &swept["Manifests"]), (&json!(own), &json!(1)), "{swept}");
    assert_eq!(scene.stored(), [before[0] - own, 1]);
    scene.assert_intact();

    // A backup into a folder, from which the image can be restored.
    let backup = scene.home.path("backup").to_str().unwrap().to_owned();
    scene.run(&["backup", &backup]).succeeded();
    let data = scene.home.path("restored").to_str().unwrap().to_owned();
    scene.home.run(&["restore", &backup, "--data-dir", &data]).succeeded();
    let restored = scene.home.run(&["check", "--read-data", "--data-dir", &data]);
    restored.succeeded();

    // Wrong bytes in the bucket are found, and repaired by the same content.
    let chunks = files_below(scene.folder.path().join("images/lab/chunks"));
    let (path, bytes) = chunks.first_key_value().unwrap();
    let mut wrong = bytes.clone();
    *wrong.last_mut().unwrap() ^= 1;
    std::fs::write(path, wrong).unwrap();
    scene.run(&["check", "--read-data"]).failed_with_output(6);
    scene.home.make("uhost-1", "d");
    scene.assert_intact();
    server.stop();
    assert!(
        !scene.home.data().join("store/chunks").exists()
            || files_below(scene.home.data().join("store/chunks")).is_empty()
    );
}

#[test]
fn a_bucket_that_cannot_be_used_is_refused_with_a_reason() {
    let scene = Scene::new();
    scene.add_instance("uhost-1", &disk::bytes(3, 1));
    let server = scene.serve(&[]);
    scene.home.make("uhost-1", "a");
    server.stop();

    let serve = ["serve", "--listen", "127.0.0.1:0", "--config", &scene.config];
    // Another library in the same prefix would delete its chunks.
    let other = Home::new();
    let mut command = other.command(&serve);
    let (id, secret) = S3Server::key_pair();
    let ended = Ended::of(command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret));
    ended.failed(6, &["s3://images/lab belongs to another catalogue"]);
    // Without endpoint, credentials or bucket.
    let mut command = scene.home.command(&serve);
    let ended = Ended::of(command.env("AWS_ACCESS_KEY_ID", "jingku").env("AWS_SECRET_ACCESS_KEY", "wrong"));
    ended.failed(6, &["the object store rejects the secret key"]);
    Scene::config(&scene.home, &scene.s3, "s3://images/elsewhere");
    scene.run(&serve).failed(6, &["s3://images/elsewhere contains no chunk store"]);
    assert!(!scene.folder.path().join("images/elsewhere").exists(), "nothing is created");

    // The images of this one are in its folder.
    let local = Home::new();
    local.add_instance("uhost-1", &disk::bytes(3, 1));
    let server = local.serve();
    local.make("uhost-1", "a");
    server.stop();
    local.refuses(&serve, 1, &["are in its folder `store`"], &["目录 `store` 中"]);
}
