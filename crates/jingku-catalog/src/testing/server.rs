//! A PostgreSQL server in a temporary folder.

use std::fs::{self, DirBuilder};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, io, process};

use super::sql::run_sql;

/// Where Debian puts the programs of each version.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";
/// The user and group `nobody` of Debian.
const NOBODY: u32 = 65_534;

/// Creates a server or a copy of one, writes a line once it accepts connections, and stops it when the standard input ends,
/// which is when the test process has ended, however it did.
const RUN_UNTIL_END_OF_INPUT: &str = r#"
if [ -n "$4" ]; then
    "$1"/pg_basebackup --host="$4" --username=jingku --pgdata="$2"/data --write-recovery-conf --checkpoint=fast >"$2"/log 2>&1
else
    "$1"/initdb --username=jingku --auth=trust --no-sync --no-instructions --encoding=UTF8 --locale=C.UTF-8 \
        --pgdata="$2"/data >"$2"/log 2>&1
fi &&
cat >>"$2"/data/postgresql.auto.conf <<END &&
unix_socket_directories = '$2'
$3
END
"$1"/pg_ctl --pgdata="$2"/data --log="$2"/log --timeout=60 start >/dev/null 2>&1 || exit
echo started
cat >/dev/null
"$1"/pg_ctl --pgdata="$2"/data --mode=immediate stop >/dev/null 2>&1
rm -rf "$2"
"#;

/// A server that ends, and whose folder is removed, with this process.
pub struct PostgresServer {
    /// Holds the socket, the data and the log.
    folder: PathBuf,
    programs: PathBuf,
    /// Never written to: the server runs until it is closed.
    _lifeline: ChildStdin,
}

impl PostgresServer {
    /// Starts a server that listens on a socket only, with these lines of configuration.
    ///
    /// Where PostgreSQL is not installed it returns `None` and says so, but panics where the environment variable `CI` is
    /// set: there, a test that is skipped would be a hole.
    pub fn start(settings: &str) -> Option<Self> {
        let Some(programs) = newest_programs() else {
            assert!(env::var_os("CI").is_none(), "no PostgreSQL below {DEBIAN_PROGRAMS}: install postgresql");
            #[expect(clippy::print_stderr, reason = "read by the person who runs the tests")]
            {
                eprintln!("skipped: no PostgreSQL below {DEBIAN_PROGRAMS}");
            }
            return None;
        };
        let settings = format!("listen_addresses = ''\nfsync = off\nmax_connections = 400\n{settings}");
        Some(Self::start_in(programs, &settings, "").expect("a PostgreSQL server can be started"))
    }

    /// Starts a streaming replica of this server.
    #[must_use]
    pub fn replica(&self) -> Self {
        let primary = self.folder.display().to_string();
        Self::start_in(self.programs.clone(), "", &primary).expect("a replica can be started")
    }

    fn start_in(programs: PathBuf, settings: &str, primary: &str) -> io::Result<Self> {
        static SERVERS: AtomicU32 = AtomicU32::new(1);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("jingku-postgres-{}-{number}", process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", RUN_UNTIL_END_OF_INPUT, "sh"])
            .arg(&programs)
            .arg(&folder)
            .args([settings, primary]);
        if is_root()? {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
        }
        as_other_user(&mut shell)?;
        // A test runner waits until everybody has closed the output of the tests.
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut shell = shell.spawn()?;
        if BufReader::new(shell.stdout.take().expect("it is piped")).read_line(&mut String::new())? == 0 {
            return Err(io::Error::other(format!("see {}/log", folder.display())));
        }
        Ok(Self { folder, programs, _lifeline: shell.stdin.take().expect("it is piped") })
    }

    /// The folder of the server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of a database, whether it exists or not.
    pub fn url(&self, database: &str) -> String {
        url_of(database, &[self])
    }

    /// Makes an empty database and returns its URL.
    pub async fn create_database(&self, name: &str) -> String {
        run_sql(&self.url("postgres"), &format!("CREATE DATABASE {name}")).await;
        self.url(name)
    }

    /// Runs `pg_ctl` with these arguments, which must succeed: `restart`, `stop`, `start` or `promote`.
    pub fn control(&self, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.arg(format!("--pgdata={}/data", self.folder.display()));
        command.arg(format!("--log={}/log", self.folder.display())).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        as_other_user(&mut command).expect("it is known who runs this");
        let status = command.status().expect("pg_ctl can be run");
        assert!(status.success(), "pg_ctl {arguments:?}: see {}/log", self.folder.display());
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        let text = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("it runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("the first line is its number")
    }
}

/// The URL of a database on whichever of these servers accepts changes.
pub fn url_of(database: &str, servers: &[&PostgresServer]) -> String {
    let hosts: Vec<String> = servers.iter().map(|server| server.folder.display().to_string()).collect();
    format!("postgresql:///{database}?host={}&user=jingku", hosts.join(","))
}

/// PostgreSQL refuses to run as root.
fn as_other_user(command: &mut Command) -> io::Result<()> {
    command.current_dir("/");
    if is_root()? {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(())
}

fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN_PROGRAMS).ok()?;
    let number = |name: &str| name.parse::<u32>().ok();
    let newest = versions.flatten().filter_map(|version| number(version.file_name().to_str()?)).max()?;
    let programs = Path::new(DEBIAN_PROGRAMS).join(newest.to_string()).join("bin");
    programs.join("postgres").exists().then_some(programs)
}
