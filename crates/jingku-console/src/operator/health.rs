//! The page that shows whether the server and its images are well.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fluent_bundle::FluentArgs;
use jingku_library::{Condition, Gauges, Host, LastBackup, ManifestUse, QueuedJob, Scrub, Task};
use tokio::time::timeout;

use super::caller::Operator;
use super::figure::{Figure, HEIGHT, WIDTH, figures};
use crate::failure::error;
use crate::lang::Lang;
use crate::page::{Frame, render};
use crate::shown::{Time, bytes, duration};

/// How long the catalogue and the disk may take to answer.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The most corrupted images, and the most jobs, that are listed.
const LISTED_MAX: u32 = 20;

#[derive(Template)]
#[template(path = "operator/health.html")]
struct Page {
    frame: Frame,
    /// Why the server is not ready, one sentence each.
    problems: Vec<String>,
    facts: Vec<Fact>,
    upkeep: Vec<Fact>,
    damaged: Vec<Damaged>,
    /// What is said of corrupted images that are not listed; empty if all are.
    more_damaged: String,
    queue: Vec<Row>,
    queue_summary: String,
    hosts: Vec<HostRow>,
    tasks: Vec<TaskRow>,
    figures: Vec<Figure>,
    width: u64,
    height: u64,
}

/// A name, a text, and perhaps a time after it.
struct Fact {
    name: String,
    text: String,
    time: Option<Time>,
    is_bad: bool,
}

struct Damaged {
    id: String,
    name: String,
    account: i64,
    in_trash: bool,
}

struct Row {
    name: String,
    id: String,
    owner: String,
    is_running: bool,
    state: String,
    percent: u64,
    created: Option<Time>,
    host: String,
}

struct HostRow {
    name: String,
    address: String,
    version: String,
    is_live: bool,
    seen: String,
    started: Option<Time>,
    jobs: String,
    uploads: i64,
}

struct TaskRow {
    name: String,
    holder: String,
    lease: String,
}

pub(crate) async fn show(operator: Operator) -> Response {
    let lang = operator.visitor.lang;
    let library = operator.library();
    // What the server knows without its disk is shown in any case.
    let mut problems = library.health.problems();
    let (ready, condition) = tokio::join!(
        library.readiness.check(&library.catalog),
        timeout(READ_TIMEOUT, library.condition(LISTED_MAX))
    );
    problems.extend(ready.err());
    let (code, notice, condition) = match condition {
        Ok(Ok(condition)) => (StatusCode::OK, None, Some(condition)),
        Ok(Err(failure)) => {
            let (code, notice) = operator.explain(&failure);
            (code, Some(notice), None)
        }
        Err(_) => {
            let text = lang.with("health-slow", "seconds", READ_TIMEOUT.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, Some(error(text)), None)
        }
    };
    let frame = operator.frame(lang.t("health-title"), "health", notice);
    let page = Page {
        frame,
        problems,
        facts: vec![Fact::text(lang, "health-version", env!("CARGO_PKG_VERSION").to_owned())],
        upkeep: Vec::new(),
        damaged: Vec::new(),
        more_damaged: String::new(),
        queue: Vec::new(),
        queue_summary: String::new(),
        hosts: Vec::new(),
        tasks: Vec::new(),
        figures: figures(lang, &operator.console.context.samples()),
        width: WIDTH,
        height: HEIGHT,
    };
    let page = match condition {
        Some(condition) => page.with(lang, condition),
        None => page,
    };
    render(code, &page)
}

impl Page {
    fn with(mut self, lang: Lang, condition: Condition) -> Self {
        let Condition { gauges, cluster, damaged, queue, backup } = condition;
        let found = gauges.scrub.as_ref().map_or(0, |scrub| scrub.damaged_images.len());
        let more = found.saturating_sub(LISTED_MAX as usize);
        if more > 0 {
            self.more_damaged = lang.with("health-more-damaged", "count", more);
        }
        self.facts.extend(facts(lang, &gauges));
        self.upkeep = upkeep(lang, &gauges, backup.as_ref());
        self.damaged = damaged.into_iter().map(Damaged::from).collect();
        self.queue_summary = queue_summary(lang, &gauges);
        self.queue = queue.into_iter().map(|job| Row::of(lang, job)).collect();
        self.hosts = cluster.hosts.into_iter().map(|host| HostRow::of(lang, host)).collect();
        self.tasks = cluster.tasks.into_iter().map(|task| TaskRow::of(lang, task)).collect();
        self
    }
}

fn facts(lang: Lang, gauges: &Gauges) -> Vec<Fact> {
    let free = gauges.free_bytes.map_or_else(|| lang.t("health-unknown"), bytes);
    let counts = &gauges.catalog;
    [
        ("health-free", free),
        (
            "health-catalog",
            if gauges.catalog_bytes == 0 { String::new() } else { bytes(gauges.catalog_bytes) },
        ),
        ("health-accounts", counts.accounts.to_string()),
        ("health-images", counts.images.to_string()),
        ("health-uploads", counts.uploads.to_string()),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(id, text)| Fact::text(lang, id, text))
    .collect()
}

fn upkeep(lang: Lang, gauges: &Gauges, backup: Option<&LastBackup>) -> Vec<Fact> {
    let mut facts = match &gauges.scrub {
        Some(scrub) => scrub_facts(lang, scrub),
        None => vec![Fact::text(lang, "health-scrub", lang.t("health-scrub-none"))],
    };
    facts.push(match &gauges.last_sweep {
        Some(sweep) => {
            let args =
                FluentArgs::from_iter([("files", sweep.files.to_string()), ("size", bytes(sweep.bytes))]);
            Fact::text(lang, "health-sweep", lang.format("health-sweep-removed", &args)).at(sweep.ended_at)
        }
        None => Fact::text(lang, "health-sweep", lang.t("health-sweep-none")),
    });
    facts.push(match backup {
        Some(backup) => {
            let args = FluentArgs::from_iter([
                ("generation", backup.generation.to_string()),
                ("images", backup.images.to_string()),
                ("folder", backup.folder.clone()),
            ]);
            Fact::text(lang, "health-backup", lang.format("health-backup-made", &args)).at(backup.taken_at)
        }
        None => Fact::text(lang, "health-backup", lang.t("health-backup-none")),
    });
    facts
}

fn scrub_facts(lang: Lang, scrub: &Scrub) -> Vec<Fact> {
    let read = FluentArgs::from_iter([("chunks", scrub.chunks.to_string()), ("size", bytes(scrub.bytes))]);
    let state = if let Some(ended) = scrub.ended_at {
        Fact::text(lang, "health-scrub", lang.t("health-scrub-ended")).at(ended)
    } else {
        let args =
            FluentArgs::from_iter([("percent", scrub.percent().to_string()), ("rate", bytes(scrub.rate))]);
        Fact::text(lang, "health-scrub", lang.format("health-scrub-percent", &args)).at(scrub.started_at)
    };
    let found = if scrub.has_found_damage() {
        let images = scrub.damaged_images.len();
        let args = FluentArgs::from_iter([("objects", scrub.damaged_objects), ("images", images as u64)]);
        lang.format("health-found-some", &args)
    } else {
        lang.t("health-found-none")
    };
    let found = Fact { is_bad: scrub.has_found_damage(), ..Fact::text(lang, "health-found", found) };
    vec![state, Fact::text(lang, "health-read", lang.format("health-read-amount", &read)), found]
}

fn queue_summary(lang: Lang, gauges: &Gauges) -> String {
    let counts = &gauges.catalog;
    let mut args = FluentArgs::from_iter([
        ("running", counts.running_jobs.to_string()),
        ("waiting", counts.waiting_jobs.to_string()),
    ]);
    if counts.waiting_jobs == 0 {
        return lang.format("health-queue-running", &args);
    }
    let waited = u64::try_from(gauges.now - counts.oldest_waiting_at).unwrap_or(0);
    args.set("time", duration(lang, waited));
    lang.format("health-queue-waiting", &args)
}

impl Fact {
    fn text(lang: Lang, id: &str, text: String) -> Self {
        Self { name: lang.t(id), text, time: None, is_bad: false }
    }

    fn at(self, unix_secs: i64) -> Self {
        Self { time: Time::of(unix_secs), ..self }
    }
}

impl From<ManifestUse> for Damaged {
    fn from(image: ManifestUse) -> Self {
        Self { id: image.image_id, name: image.name, account: image.account.0, in_trash: image.trashed }
    }
}

impl Row {
    fn of(lang: Lang, job: QueuedJob) -> Self {
        let (done, total) =
            (u64::try_from(job.done_bytes).unwrap_or(0), u64::try_from(job.total_bytes).unwrap_or(0));
        let state = if job.is_running {
            let args = FluentArgs::from_iter([("done", bytes(done)), ("total", bytes(total))]);
            lang.format("health-job-running", &args)
        } else if job.attempts > 0 {
            lang.with("health-job-again", "attempts", job.attempts.to_string())
        } else {
            lang.t("progress-waiting")
        };
        Self {
            name: job.name,
            id: job.image_id,
            owner: format!("{} ({})", job.account_name, job.account.0),
            is_running: job.is_running,
            state,
            percent: (done.min(total).saturating_mul(100)).checked_div(total).unwrap_or(0),
            created: Time::of(job.created_at),
            host: job.host,
        }
    }
}

impl HostRow {
    fn of(lang: Lang, host: Host) -> Self {
        let jobs = FluentArgs::from_iter([("running", host.running_jobs), ("waiting", host.waiting_jobs)]);
        Self {
            is_live: host.is_live,
            seen: lang.with(
                "health-seen",
                "time",
                duration(lang, u64::try_from(host.seen_secs).unwrap_or(0)),
            ),
            started: Time::of(host.started_at),
            jobs: lang.format("health-host-jobs", &jobs),
            uploads: host.uploads,
            name: host.name,
            address: host.address,
            version: host.version,
        }
    }
}

impl TaskRow {
    fn of(lang: Lang, task: Task) -> Self {
        let left = u64::try_from(task.left_secs).unwrap_or(0);
        let lease = if left > 0 {
            lang.with("health-lease-left", "time", duration(lang, left))
        } else {
            lang.t("health-lease-ended")
        };
        Self { name: task.name, holder: task.host, lease }
    }
}
