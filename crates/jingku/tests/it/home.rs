//! A temporary home: its own HOME, XDG folders and data directory, without the tester's environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jingku_catalog::testing::chosen_database;
use serde_json::Value;
use tempfile::TempDir;

use crate::disk;
use crate::server::Server;

/// The longest that a test waits for anything, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until a condition holds, and fails after [`PATIENCE`].
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        pause(started);
    }
}

/// Waits before a condition is looked at again: conditions that start a program would otherwise keep a core busy. The wait
/// gets a tenth longer at most.
pub(crate) fn pause(started: Instant) {
    thread::sleep((started.elapsed() / 10).clamp(Duration::from_millis(2), Duration::from_millis(200)));
}

pub(crate) struct Home {
    folder: TempDir,
    /// The database that has the catalogue, if there is one.
    database: Option<String>,
    /// Environment variables of each command.
    variables: Vec<(&'static str, String)>,
}

impl Home {
    /// A home whose catalogue is a file, or a database if the tests run on PostgreSQL.
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self::with_database(runtime.block_on(chosen_database()))
    }

    /// A home whose catalogue is this database, or a file.
    pub(crate) fn with_database(database: Option<String>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database, variables: Vec::new() }
    }

    /// Sets environment variables for each command.
    pub(crate) fn with_variables(self, variables: Vec<(&'static str, String)>) -> Self {
        Self { variables, ..self }
    }

    /// A path in the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file in the home and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The default data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.path(".local/share/jingku")
    }

    /// A command of the binary in this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.other_command(env!("CARGO_BIN_EXE_jingku"), args)
    }

    /// A command of another program in this home.
    pub(crate) fn other_command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path("")).env("TZ", "UTC");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Another data folder has another catalogue, in a file.
        if let Some(database) = &self.database
            && !args.contains(&"--data-dir")
        {
            command.env("JINGKU_DATABASE", database);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }

    /// Runs a command with `--json`, which must succeed, and parses its output.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat()).succeeded();
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
    }

    /// Runs a command in both languages, which must fail with this exit code and these words.
    pub(crate) fn refuses(&self, args: &[&str], code: i32, english: &[&str], chinese: &[&str]) {
        self.run(args).failed(code, &[&["error: "], english].concat());
        self.run(&[args, &["--lang", "zh"]].concat()).failed(code, &[&["错误："], chinese].concat());
    }

    /// Every file of the data directory with its content.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(self.data())
    }

    /// Starts a server on a free port.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[], &[])
    }

    /// Starts a server on a free port, with more arguments and environment variables.
    pub(crate) fn serve_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Server {
        let serve = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        Server::start(self.command(&serve).envs(variables.iter().copied()))
    }

    /// The key pair of account 1, which the server writes to the data directory.
    pub(crate) fn key_pair(&self) -> [String; 2] {
        let text = std::fs::read_to_string(self.data().join("credentials.toml")).unwrap();
        let quoted: Vec<&str> = text.split('"').collect();
        [quoted[1], quoted[3]].map(str::to_owned)
    }

    /// Adds an instance with a raw disk of these bytes.
    pub(crate) fn add_instance(&self, id: &str, bytes: &[u8]) -> PathBuf {
        let disk = self.path(&format!("{id}.raw"));
        disk::write(&disk, bytes);
        self.add_disk(id, &disk);
        disk
    }

    /// Adds an instance with this disk.
    pub(crate) fn add_disk(&self, id: &str, disk: &Path) {
        self.run(&["instance", "add", "--id", id, "--disk", disk.to_str().unwrap()]).succeeded();
    }

    /// Creates an image of an instance, waits for it, and returns its id.
    pub(crate) fn make(&self, instance: &str, name: &str) -> String {
        let image = self.json(&["image", "create", "--instance", instance, "--name", name, "--wait"]);
        assert_eq!(image["Status"], "Available", "{image}");
        image["CompShareImageId"].as_str().unwrap().to_owned()
    }

    /// Deletes an image and removes it from the trash.
    pub(crate) fn purge(&self, image_id: &str) {
        self.run(&["image", "delete", image_id]).succeeded();
        self.run(&["trash", "empty", image_id]).succeeded();
    }

    /// The bytes of an image.
    pub(crate) fn bytes(&self, image_id: &str) -> Vec<u8> {
        let file = self.path(&format!("{image_id}.export"));
        self.run(&["image", "export", image_id, "-o", file.to_str().unwrap()]).succeeded();
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        bytes
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that it failed with this exit code, after output on standard output.
    pub(crate) fn failed_with_output(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.out.is_empty(), "{self:?}");
        self
    }

    /// Asserts that it failed with this exit code, these words on standard error, and nothing on standard output.
    pub(crate) fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The ids of a list of images.
pub(crate) fn ids(images: &Value) -> Vec<String> {
    let images = images.as_array().unwrap().iter();
    images.map(|image| image["CompShareImageId"].as_str().unwrap().to_owned()).collect()
}

/// Copies a folder with all attributes.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    Ended::of(Command::new("cp").arg("-a").args([from, to])).succeeded();
}

/// Every file below a folder with its content.
pub(crate) fn files_below(folder: PathBuf) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    files
}
