//! The measurements, and the targets they are compared with.

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::bench::process::{Server, cpu_seconds, timed};
use crate::bench::report::{Table, median, mega};

/// What a step does.
pub(super) type What = &'static str;

pub(super) const FIRST: What = "first save";
pub(super) const CHANGED: What = "save after 1 % changed";
/// The limit of a save.
pub(super) const EXPORT: What = "podman export, to nowhere";
pub(super) const PULL: What = "pull";
/// The same files in one layer, and in several.
pub(super) const LAYERS: [What; 2] = ["pull, one layer", "pull, 8 layers"];

/// The two sides.
pub(super) const JINGKU: &str = "jingku";
pub(super) const PEER: &str = "docker-registry";

const PEAK_BYTES_MAX: u64 = 128 << 20;

/// One step on one side, in every round.
#[derive(Serialize)]
struct Step {
    what: What,
    side: &'static str,
    samples: Vec<Sample>,
}

#[derive(Default, Serialize)]
pub(super) struct Sample {
    /// Of the command that a person types.
    seconds: f64,
    /// Of the server's work. The command polls for its end.
    pub(super) working_seconds: Option<f64>,
    /// Of all processes involved.
    cpu_seconds: f64,
    server_cpu_seconds: f64,
    /// Bytes added to the store.
    pub(super) stored_bytes: Option<u64>,
    pub(super) sent_bytes: Option<u64>,
    /// Peak memory of the server.
    peak_bytes: u64,
}

/// One run.
#[derive(Serialize)]
pub(super) struct Results {
    content_bytes: u64,
    pub(super) changed_bytes: u64,
    steps: Vec<Step>,
    /// The index of the step that was timed last.
    #[serde(skip)]
    last: usize,
}

impl Results {
    pub(super) fn new(content_bytes: u64) -> Self {
        Self { content_bytes, changed_bytes: 0, steps: Vec::new(), last: 0 }
    }

    /// Runs one step. Records its time, the CPU time of this program's children, of the server and of another process,
    /// and the server's peak memory.
    pub(super) fn timed<T>(
        &mut self,
        what: What,
        side: &'static str,
        server: &Server,
        other: Option<u32>,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<()> {
        eprintln!("{side}, {what}");
        let other_cpu = || other.map_or(Ok(0.0), cpu_seconds);
        let (server_before, other_before) = (server.cpu_seconds()?, other_cpu()?);
        let (_, seconds, own_cpu) = timed(act).with_context(|| format!("{side}, {what}"))?;
        let server_cpu_seconds = server.cpu_seconds()? - server_before;
        let cpu_seconds = own_cpu + server_cpu_seconds + other_cpu()? - other_before;
        let peak_bytes = server.memory_bytes("VmHWM")?;
        let sample = Sample { seconds, cpu_seconds, server_cpu_seconds, peak_bytes, ..Sample::default() };
        let place = self.steps.iter().position(|step| step.what == what && step.side == side);
        self.last = place.unwrap_or(self.steps.len());
        if place.is_none() {
            self.steps.push(Step { what, side, samples: Vec::new() });
        }
        self.steps[self.last].samples.push(sample);
        Ok(())
    }

    pub(super) fn last(&mut self) -> &mut Sample {
        self.steps[self.last].samples.last_mut().expect("a step was timed")
    }

    /// Every step, with medians.
    pub(super) fn table(&self) -> Table {
        let row = |step: &Step| {
            let seconds = step.median(|it| Some(it.seconds));
            let working = step.median(|it| it.working_seconds);
            let working = if working.is_nan() { String::new() } else { format!(" (server {working:.2})") };
            let cpu = step.median(|it| Some(it.cpu_seconds));
            let server_cpu = step.median(|it| Some(it.server_cpu_seconds));
            let mb = |of: fn(&Sample) -> Option<u64>| {
                let mb = step.median(|it| of(it).map(mega));
                if mb.is_nan() { "–".to_owned() } else { format!("{mb:.1}") }
            };
            let (stored, sent) = (mb(|it| it.stored_bytes), mb(|it| it.sent_bytes));
            let peak = (step.peak_bytes() >> 20).to_string();
            // No server takes part.
            let peak = if step.what == EXPORT { "–".to_owned() } else { peak };
            let what = step.name();
            format!(
                "{what} | {seconds:.2}{working} | {cpu:.2} | {server_cpu:.2} | {stored} | {sent} | {peak}"
            )
        };
        let headings =
            "what | seconds | CPU s, all | CPU s, server | stored MB | sent MB | server's peak MiB";
        Table { headings, rows: self.steps.iter().map(row).collect() }
    }

    /// The targets with the results.
    pub(super) fn goals(&self) -> String {
        let faster = |what| self.ratio((what, PEER), (what, JINGKU), |it| it.seconds);
        let new = self.step(CHANGED, JINGKU).map_or(f64::NAN, |it| it.median(|it| it.stored_bytes.map(mega)));
        let new = new / mega(self.changed_bytes);
        let ours = self.steps.iter().filter(|step| step.side == JINGKU);
        let peak = ours.map(Step::peak_bytes).max().unwrap_or(u64::MAX);
        let is_met = |met: bool| if met { "met" } else { "**not met**" };
        let at_least = |goal: &str, result: f64, least: f64| {
            format!("{goal} | {result:.2} | {}", is_met(result >= least))
        };
        let rows = vec![
            at_least("first save ≥ 2 × as fast as commit + push", faster(FIRST), 2.0),
            at_least("save after 1 % changed ≥ 10 × as fast", faster(CHANGED), 10.0),
            format!("new bytes ≤ 2 × the change | {new:.2} | {}", is_met(new <= 2.0)),
            at_least("pull ≥ 1 × as fast as from docker-registry", faster(PULL), 1.0),
            format!(
                "server's peak memory ≤ 128 MiB | {} MiB | {}",
                peak >> 20,
                is_met(peak <= PEAK_BYTES_MAX)
            ),
        ];
        let cpu = |what| self.ratio((what, PEER), (what, JINGKU), |it| it.cpu_seconds);
        let [first, changed, pull] = [FIRST, CHANGED, PULL].map(cpu);
        let floor = self.ratio((CHANGED, PEER), (EXPORT, PEER), |it| it.seconds);
        let layers = self.ratio((LAYERS[1], PEER), (LAYERS[0], PEER), |it| it.seconds);
        format!(
            "{:.0} MB of files, {:.1} MB changed.\n\n{}\nCPU of the peer ÷ jingku's: first save {first:.2}, changed \
             {changed:.2}, pull {pull:.2}. Commit + push ÷ export: {floor:.2}. Pull of 8 layers ÷ one: {layers:.2}.\n",
            mega(self.content_bytes),
            mega(self.changed_bytes),
            Table { headings: "target | result | ", rows }
        )
    }

    /// The median, over the rounds, of the ratio of a figure of two steps.
    fn ratio(&self, above: (What, &str), below: (What, &str), of: fn(&Sample) -> f64) -> f64 {
        let samples = |(what, side)| self.step(what, side).into_iter().flat_map(|step| &step.samples);
        median(samples(above).zip(samples(below)).map(|(above, below)| of(above) / of(below)))
    }

    fn step(&self, what: What, side: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.what == what && step.side == side)
    }
}

impl Step {
    fn name(&self) -> String {
        match (self.side, self.what) {
            (_, EXPORT) => EXPORT.to_owned(),
            (PEER, FIRST | CHANGED) => format!("podman commit + push, {}", self.what),
            (side, what) => format!("{side}, {what}"),
        }
    }

    fn median(&self, of: impl Fn(&Sample) -> Option<f64>) -> f64 {
        median(self.samples.iter().filter_map(of))
    }

    fn peak_bytes(&self) -> u64 {
        self.samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0)
    }
}
