//! The list on PostgreSQL: the CPU time of its server for a page, beside that of the statement that finds the keys of the
//! same page.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context as _, Result, anyhow};
use jingku_catalog::Catalog;
use jingku_catalog::testing::PostgresServer;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::case::{Case, Kind, List, Rows, cases, sizes};
use super::changes::PAUSE;
use super::fill::{FIRST_CREATE_TIME, first_image};
use super::load::load;
use crate::bench::daemon::{Account, Daemon};
use crate::bench::process::{Server, cpu_seconds};
use crate::bench::report::Table;

const ACCOUNT_IMAGES: [u32; 2] = [1_000, 100_000];
const CONNECTIONS: u32 = 8;
/// What a page reads of the index, with one row more.
const KEYS: &str = "SELECT seq, changed FROM images
     WHERE account_id = $1 AND deleted_at IS NULL AND seq <= $2 ORDER BY seq DESC LIMIT 21";
const CHANGE: &str =
    "WITH a AS (UPDATE accounts SET revision = revision + 1 WHERE id = $1 RETURNING revision)
     UPDATE images SET update_time = update_time + 1, changed = (SELECT revision FROM a)
     WHERE account_id = $1 AND seq = $2 AND deleted_at IS NULL";

/// Measures each case for this long. `None` where PostgreSQL is not installed.
pub(super) fn measure(
    binary: &Path,
    folder: &Path,
    config: &str,
    images_max: u32,
    rows: &[Rows],
    time: Duration,
) -> Result<Option<Table>> {
    let Some(postgres) = PostgresServer::start("") else { return Ok(None) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let url = runtime.block_on(postgres.create_database("bench"));
    let database = Some(url.clone());
    let daemon = Daemon { binary: binary.to_owned(), data: folder.join("postgres"), database };
    let mut lists = Vec::new();
    for images in sizes(&ACCOUNT_IMAGES, images_max) {
        let account = daemon.create_account(&format!("lab-{images}"))?;
        runtime.block_on(fill(&url, &account, images))?;
        let owner = account.id;
        lists.push(List { callers: vec![account], kind: Kind::Own, owner, images });
    }
    let jingku = daemon.serve(&["--config", config])?;
    jingku.settle()?;
    let (cases, _) = cases(jingku.address, &lists, rows)?;
    let measured = Measured { runtime, url, postgres: postgres.pid(), jingku, time };
    let rows = cases.iter().map(|case| measured.row(case)).collect::<Result<_>>()?;
    let headings =
        "rows | images | offset | PostgreSQL: µs CPU per page | the key query alone | ÷ | Jingku: µs CPU";
    Ok(Some(Table { headings, rows }))
}

struct Measured {
    runtime: Runtime,
    url: String,
    /// The process of PostgreSQL's server.
    postgres: i32,
    jingku: Server,
    time: Duration,
}

impl Measured {
    fn row(&self, case: &Case) -> Result<String> {
        let changes = (case.rows == Rows::Changing).then(|| Changes::start(&self.url, case)).transpose()?;
        let writer = changes.as_ref().map_or(0, |changes| changes.backend);
        let cpu = || Ok::<_, anyhow::Error>([self.postgres_cpu(writer)?, self.jingku.cpu_seconds()?]);
        let [postgres, jingku] = cpu()?;
        let load = load(self.jingku.address, &case.requests, case.shapes[0], CONNECTIONS, self.time);
        let requests = self.runtime.block_on(load)?;
        let after = cpu()?;
        changes.map_or(Ok(()), Changes::stop)?;
        let each = |seconds: f64| seconds * 1e6 / f64::from(u32::try_from(requests).unwrap_or(u32::MAX));
        let (postgres, jingku) = (each(after[0] - postgres), each(after[1] - jingku));
        let keys = self.runtime.block_on(self.key_query(case))?;
        let rows = case.rows.name();
        let Case { images, offset, .. } = case;
        let ratio = postgres / keys;
        Ok(format!("{rows} | {images} | {offset} | {postgres:.0} | {keys:.0} | {ratio:.2} | {jingku:.0}"))
    }

    /// Microseconds of CPU of PostgreSQL's server for one key query.
    async fn key_query(&self, case: &Case) -> Result<f64> {
        let client = connect(&self.url).await?;
        let keys = client.prepare(KEYS).await?;
        let newest = i64::from(case.images - case.offset);
        let (begin, before, mut count) = (Instant::now(), self.postgres_cpu(0)?, 0_u32);
        while begin.elapsed() < self.time {
            client.query(&keys, &[&case.account, &newest]).await?;
            count += 1;
        }
        Ok((self.postgres_cpu(0)? - before) * 1e6 / f64::from(count))
    }

    /// CPU seconds of all processes of PostgreSQL's server but one.
    fn postgres_cpu(&self, except: i32) -> Result<f64> {
        let parent = |process: i32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<i32>().ok()
        };
        let mut seconds = cpu_seconds(self.postgres)?;
        for process in fs::read_dir("/proc")? {
            let Some(process) = process?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if process != except && parent(process) == Some(self.postgres) {
                // It may have ended, and then counts for its parent.
                seconds += cpu_seconds(process).unwrap_or(0.0);
            }
        }
        Ok(seconds)
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn fill(url: &str, account: &Account, images: u32) -> Result<()> {
    let catalog = Catalog::connect_postgres(url, None).await?;
    let manifest = "0".repeat(64);
    catalog.seed_images(&[first_image(account, &manifest)], &[], FIRST_CREATE_TIME).await?;
    let client = connect(url).await?;
    let columns = "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'images'";
    let columns: Vec<String> = client.query(columns, &[]).await?.iter().map(|row| row.get(0)).collect();
    let value = |column: &String| match column.as_str() {
        "id" => {
            "'compshareImage-' || LPAD(t.account_id::text, 3, '0') || LPAD(n.number::text, 9, '0')".to_owned()
        }
        "name" => "'训练环境-' || n.number".to_owned(),
        "seq" | "ordinal" => format!("t.{column} + n.number"),
        "create_time" | "update_time" => format!("t.{column} + n.number / 3"),
        other => format!("t.{other}"),
    };
    let (values, id) = (columns.iter().map(value).collect::<Vec<_>>().join(", "), account.id);
    let sql = format!(
        "INSERT INTO images ({}) SELECT {values} FROM images t, generate_series(1, {images} - 1) n (number)
         WHERE t.account_id = {id} AND t.seq = 1;
         UPDATE counters SET ordinal = ordinal + {images};
         UPDATE image_counts SET images = {images} WHERE account_id = {id};
         UPDATE accounts SET image_seq = {images}, image_time = image_time + {images} / 3 WHERE id = {id};
         VACUUM ANALYZE;
         CHECKPOINT",
        columns.join(", ")
    );
    for statement in sql.split(';') {
        client.batch_execute(statement).await?;
    }
    Ok(())
}

/// A thread that changes images of an account.
struct Changes {
    stop: Arc<AtomicBool>,
    /// The process that serves it.
    backend: i32,
    thread: thread::JoinHandle<Result<()>>,
}

impl Changes {
    fn start(url: &str, case: &Case) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = runtime.block_on(connect(url))?;
        let backend = runtime.block_on(client.query_one("SELECT pg_backend_pid()", &[]))?.get(0);
        let (account, seqs, is_stopped) = (case.account, case.seqs(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let change = client.prepare(CHANGE).await.context("prepare a change")?;
                for seq in seqs.cycle() {
                    if is_stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    client.execute(&change, &[&account, &seq]).await?;
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(())
            })
        });
        Ok(Self { stop, backend, thread })
    }

    fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the thread of changes panicked"))?
    }
}
