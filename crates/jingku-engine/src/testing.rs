//! Real engines for tests: Podman and Docker, each with a storage of its own that is removed with it.

mod files;

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long an engine may take to start.
const START_TIMEOUT: Duration = Duration::from_mins(3);

/// How long Docker may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What Podman needs on a machine without `CAP_SYS_RESOURCE` and with both cgroup hierarchies.
const CONTAINERS_CONF: &str = r#"[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
"#;

/// Where `cargo xtask test` puts a Docker that knows CDI, in the folder of builds.
const NEWER_DOCKER: &str = "newer-docker";

/// Where `cargo xtask test` puts files of Debian, in the folder of builds.
const DEBIAN: &str = "debian-root";

/// Runs a program in another root directory, with the devices and the temporary files of this machine. A changed root
/// alone (`chroot`) does not suffice: commands in its containers would run in the machine's root. The mounts end with it.
const IN_ROOT: &str = r#"
set -e
root=$1 temporary=$2
shift 2
mount --rbind "$root" "$root"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root$temporary"
for folder in /proc /sys /dev "$temporary"; do mount --rbind "$folder" "$root$folder"; done
cd "$root"
pivot_root . machine
cd /
exec "$@"
"#;

/// The user who runs rootless engines.
const ROOTLESS_USER: &str = "jingku-rootless";

/// Docker's script that runs it without root, where Debian has it.
const ROOTLESS_DOCKERD: &str = "/usr/share/docker.io/contrib/dockerd-rootless.sh";

/// What the script needs to stay in the network of the machine, where the registry of a test is.
const ROOTLESS_NETWORK: [(&str, &str); 2] =
    [("DOCKERD_ROOTLESS_ROOTLESSKIT_NET", "host"), ("DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER", "none")];

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Podman, with its service.
    Podman,
    /// Docker.
    Docker,
}

/// A running engine. Its containers end with it.
#[derive(Debug)]
pub struct TestEngine {
    kind: Kind,
    folder: TempDir,
    service: Option<Child>,
    /// Who runs the engine; `None` for the user of the test.
    user: Option<&'static str>,
    /// The root directory of the engine's programs, if it is not that of the machine.
    root: Option<PathBuf>,
    /// Whether Docker has a network, which is not that of the machine.
    has_network: bool,
}

impl TestEngine {
    /// Starts an engine with the image `base`, of a static `BusyBox`; `None` if it is not installed, which fails in CI.
    pub fn start(kind: Kind) -> Option<Self> {
        if !is_installed(kind) {
            return None;
        }
        let mut engine = Self::in_new_folder(kind, None);
        engine.resume_service();
        engine.make_base();
        Some(engine)
    }

    /// Starts a Docker that gives devices by CDI, with the specs that `write_specs` writes to a folder; `None` if it was not
    /// downloaded, which fails in CI, or if this test is not run by root.
    pub fn start_with_cdi(write_specs: impl FnOnce(&Path)) -> Option<Self> {
        let mut engine = Self::in_new_folder(Kind::Docker, None);
        engine.root = Some(files::downloaded(NEWER_DOCKER)?);
        let specs = engine.path("cdi");
        fs::create_dir(&specs).expect("the folder is new");
        write_specs(&specs);
        let folder = specs.display();
        let settings = format!(r#"{{"features": {{"cdi": true}}, "cdi-spec-dirs": ["{folder}"]}}"#);
        fs::write(engine.path("daemon.json"), settings).expect("the folder is writable");
        engine.resume_service();
        engine.make_base();
        Some(engine)
    }

    /// Starts a Docker that publishes ports, in a network of its own; `None` if it is not installed, which fails in CI, or if
    /// this test may not do that.
    pub fn start_with_network() -> Option<Self> {
        let mut unshare = Command::new("unshare");
        if !is_installed(Kind::Docker) || !succeeds(unshare.args(["--net", "true"])) {
            return None;
        }
        let mut engine = Self::in_new_folder(Kind::Docker, None);
        engine.has_network = true;
        engine.resume_service();
        engine.make_base();
        Some(engine)
    }

    /// Starts an engine as another user, who is added to the machine; `None` if this test may not do that, or if the machine
    /// does not allow such engines.
    pub fn start_rootless(kind: Kind) -> Option<Self> {
        let has_user = succeeds(Command::new("id").arg(ROOTLESS_USER))
            || succeeds(Command::new("useradd").args(["--create-home", ROOTLESS_USER]));
        if !has_user {
            return None;
        }
        let mut engine = Self::in_new_folder(kind, Some(ROOTLESS_USER));
        let mut chown = Command::new("chown");
        let owned = succeeds(chown.args(["-R", ROOTLESS_USER]).arg(engine.folder.path()));
        let works = match kind {
            Kind::Podman => succeeds(engine.podman().args(["unshare", "true"])),
            Kind::Docker => {
                Path::new(ROOTLESS_DOCKERD).exists()
                    && succeeds(as_user(ROOTLESS_USER, "rootlesskit", engine.folder.path()).arg("true"))
            }
        };
        if !owned || !works {
            return None;
        }
        engine.resume_service();
        engine.make_base();
        Some(engine)
    }

    /// The folder of Debian's files that `cargo xtask test` downloads: an SSH server, Python and what they need, as
    /// packages have them, without what their scripts do. `None` without it, which fails in CI.
    pub fn debian() -> Option<PathBuf> {
        files::downloaded(DEBIAN)
    }

    fn in_new_folder(kind: Kind, user: Option<&'static str>) -> Self {
        let folder = tempfile::Builder::new().prefix("engine-").tempdir().expect("a temporary folder");
        let engine = Self { kind, folder, service: None, user, root: None, has_network: false };
        fs::write(engine.path("containers.conf"), CONTAINERS_CONF).expect("the folder is new");
        engine
    }

    /// Which engine it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The address of the engine.
    pub fn url(&self) -> String {
        format!("unix://{}", self.path("engine.sock").display())
    }

    /// The process of the service, if it runs.
    pub fn service_id(&self) -> Option<u32> {
        self.service.as_ref().map(Child::id)
    }

    /// Runs a command of the engine and returns what it printed; fails if it fails.
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a command of the engine.
    pub fn output(&self, args: &[&str]) -> Output {
        self.client().args(args).stdin(Stdio::null()).output().expect("the engine is installed")
    }

    /// Starts a container of the image `base` that sleeps, and returns its id.
    pub fn container(&self, args: &[&str]) -> String {
        let network = match self.kind {
            Kind::Podman => &["--network=none"][..],
            Kind::Docker => &[],
        };
        let sleep = ["base", "/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];
        self.run(&[&["run", "-d"], network, args, &sleep].concat())
    }

    /// A command of the engine's client.
    pub fn client(&self) -> Command {
        match self.kind {
            Kind::Podman => self.podman(),
            Kind::Docker => {
                let mut docker = Command::new("docker");
                docker.arg("-H").arg(self.url());
                docker
            }
        }
    }

    /// A program in the network in which the engine publishes ports.
    pub fn in_network(&self, program: &str) -> Command {
        match (self.has_network, self.service_id()) {
            (true, Some(id)) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/proc/{id}/ns/net")).arg(program);
                command
            }
            _ => Command::new(program),
        }
    }

    /// Ends the service, as when the engine is away. Containers keep running.
    pub fn stop_service(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// Starts the service again.
    pub fn resume_service(&mut self) {
        let socket = self.path("engine.sock");
        let _ = fs::remove_file(&socket);
        let mut command = match self.kind {
            Kind::Podman => {
                let mut command = self.podman();
                command.args(["system", "service", "-t", "0", &self.url()]);
                command
            }
            Kind::Docker => {
                let mut command = self.dockerd();
                for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("-p", "docker.pid")]
                {
                    command.arg(option).arg(self.path(name));
                }
                if !self.has_network {
                    command.args(["--iptables=false", "--bridge=none"]);
                }
                command.args(["--default-ulimit", "nofile=20000:20000", "-H", &self.url()]);
                command
            }
        };
        let log = fs::File::create(self.path("service.log")).expect("the folder is writable");
        let service = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.service = Some(service.expect("the engine is installed"));
        let started = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            if started.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(self.path("service.log")).unwrap_or_default();
                panic!("the engine does not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn dockerd(&self) -> Command {
        if let Some(user) = self.user {
            let mut command = as_user(user, "sh", self.folder.path());
            command.arg(ROOTLESS_DOCKERD).envs(ROOTLESS_NETWORK);
            return command;
        }
        let mut command = Command::new("unshare");
        if self.has_network {
            command.args(["--net", "sh", "-c", "ip link set lo up && exec dockerd \"$@\"", "dockerd"]);
            return command;
        }
        let Some(root) = &self.root else { return Command::new("dockerd") };
        command.args(["--mount", "--propagation", "private", "sh", "-c", IN_ROOT, "sh"]);
        command.arg(root).arg(std::env::temp_dir()).arg("dockerd");
        command.arg("--config-file").arg(self.path("daemon.json"));
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn podman(&self) -> Command {
        let mut podman = match self.user {
            None => Command::new("podman"),
            Some(user) => as_user(user, "podman", self.folder.path()),
        };
        podman.env("CONTAINERS_CONF", self.path("containers.conf"));
        for (option, name) in [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
            podman.arg(option).arg(self.path(name));
        }
        podman.arg("--log-level=error");
        podman
    }

    /// Makes an image of the files in a folder, except those that match these patterns of `tar`.
    pub fn import(&self, name: &str, folder: &Path, excluded: &[&str]) {
        let archive = self.path("import.tar");
        files::pack(folder, excluded, &archive);
        self.run(&["import", &archive.display().to_string(), name]);
        let _ = fs::remove_file(archive);
    }

    fn make_base(&self) {
        let base = self.path("base");
        files::write_base(&base);
        self.import("base", &base, &[]);
        let _ = fs::remove_dir_all(base);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Tells whether an engine is installed; fails in CI if it is not.
fn is_installed(kind: Kind) -> bool {
    let program = match kind {
        Kind::Podman => "podman",
        Kind::Docker => "dockerd",
    };
    let found = succeeds(Command::new(program).arg("--version")) && Path::new(files::BUSYBOX).exists();
    assert!(found || std::env::var_os("CI").is_none(), "{program} or busybox-static is not installed");
    found
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// A program of another user, whose home this folder is.
fn as_user(user: &str, program: &str, home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups", program]);
    command.current_dir(home).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    command
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        let list = self.output(&["ps", "-aq"]);
        for id in String::from_utf8_lossy(&list.stdout).split_whitespace() {
            let _ = self.output(&["unpause", id]);
            let _ = self.output(&["rm", "-f", id]);
        }
        if self.kind == Kind::Docker
            && let Some(service) = &mut self.service
        {
            // Lets it end containerd and unmount.
            let _ = Command::new("kill").arg(service.id().to_string()).status();
            let asked = Instant::now();
            while asked.elapsed() < STOP_TIMEOUT && matches!(service.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.stop_service();
        if self.kind == Kind::Podman {
            let _ = self.podman().args(["unmount", "-af"]).output();
        }
        if self.kind == Kind::Podman && self.user.is_some() {
            // Ends the process that keeps the user namespace.
            let _ = self.podman().args(["system", "migrate"]).output();
        }
        for mount in ["root/overlay", "data/overlay2"] {
            let _ = Command::new("umount").arg(self.path(mount)).stderr(Stdio::null()).status();
        }
    }
}
