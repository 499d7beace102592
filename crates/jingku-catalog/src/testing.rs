//! A temporary PostgreSQL server for the tests of this crate and, with the feature `testing`, of the crates above it.

use std::fs::{self, DirBuilder};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, io, process};

use tokio_postgres::NoTls;

/// Where Debian puts the programs of each version.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";
/// The user and group `nobody` of Debian.
const NOBODY: u32 = 65_534;

/// Creates a server, writes a line once it accepts connections, and stops it when the standard input ends, which is when the
/// test process has ended, however it did.
const RUN_UNTIL_END_OF_INPUT: &str = r#"
"$1"/initdb --username=jingku --auth=trust --no-sync --no-instructions --encoding=UTF8 --locale=C.UTF-8 \
    --pgdata="$2"/data >"$2"/log 2>&1 &&
"$1"/pg_ctl --pgdata="$2"/data --log="$2"/log --timeout=60 \
    --options="-k $2 -c listen_addresses= -c fsync=off -c max_connections=400" start >/dev/null 2>&1 || exit
echo started
cat >/dev/null
"$1"/pg_ctl --pgdata="$2"/data --mode=immediate stop >/dev/null 2>&1
rm -rf "$2"
"#;

/// Makes an empty PostgreSQL database and returns its URL.
///
/// The server is started on the first call of a process and stopped, and its folder removed, when the process
/// ends. Where PostgreSQL is not installed it returns `None` and says so, but panics where the environment
/// variable `CI` is set: there, a test that is skipped would be a hole.
pub async fn postgres_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static DATABASES: AtomicU32 = AtomicU32::new(1);
    let Some(server) = SERVER.get_or_init(Server::start) else {
        assert!(env::var_os("CI").is_none(), "no PostgreSQL below {DEBIAN_PROGRAMS}: install postgresql");
        #[expect(clippy::print_stderr, reason = "read by the person who runs the tests")]
        {
            eprintln!("skipped: no PostgreSQL below {DEBIAN_PROGRAMS}");
        }
        return None;
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name).await;
    Some(server.url(&name))
}

struct Server {
    /// Holds the socket, the data and the log.
    folder: PathBuf,
    /// Never written to: the server runs until it is closed.
    _lifeline: ChildStdin,
}

impl Server {
    fn start() -> Option<Self> {
        let programs = newest_programs()?;
        let folder = env::temp_dir().join(format!("jingku-postgres-{}", process::id()));
        Some(Self::start_in(&programs, folder).expect("a PostgreSQL server can be started"))
    }

    fn start_in(programs: &Path, folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", RUN_UNTIL_END_OF_INPUT, "sh"]).arg(programs).arg(&folder).current_dir("/");
        // PostgreSQL refuses to run as root.
        if fs::metadata("/proc/self")?.uid() == 0 {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
            shell.uid(NOBODY).gid(NOBODY);
        }
        // A test runner waits until everybody has closed the output of the tests.
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut shell = shell.spawn()?;
        if BufReader::new(shell.stdout.take().expect("it is piped")).read_line(&mut String::new())? == 0 {
            return Err(io::Error::other(format!("see {}/log", folder.display())));
        }
        Ok(Self { folder, _lifeline: shell.stdin.take().expect("it is piped") })
    }

    fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=jingku", self.folder.display())
    }

    async fn create_database(&self, name: &str) {
        let (client, connection) =
            tokio_postgres::connect(&self.url("postgres"), NoTls).await.expect("the server has started");
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("the server makes databases");
        drop(client);
        connection.await.expect("the connection does not panic").expect("the server closes it well");
    }
}

fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN_PROGRAMS).ok()?;
    let number = |name: &str| name.parse::<u32>().ok();
    let newest = versions.flatten().filter_map(|version| number(version.file_name().to_str()?)).max()?;
    let programs = Path::new(DEBIAN_PROGRAMS).join(newest.to_string()).join("bin");
    programs.join("postgres").exists().then_some(programs)
}
