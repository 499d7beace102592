//! The measurements, and the targets they are compared with.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::bench::disk::Sizes;
use crate::bench::process::{Server, run_watched, timed};
use crate::bench::report::{Table, mega};

/// One operation on the whole disk.
#[derive(Default, Serialize)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) seconds: f64,
    /// Of all processes involved.
    pub(super) cpu_seconds: f64,
    pub(super) new_bytes: Option<u64>,
    /// Peak memory of the working program; for Jingku, the server.
    pub(super) peak_bytes: Option<u64>,
    /// Until `jingku image create --wait` returned, which polls.
    pub(super) command_seconds: Option<f64>,
}

/// One run.
#[derive(Serialize)]
pub(super) struct Results {
    #[serde(flatten)]
    pub(super) sizes: Sizes,
    pub(super) steps: Vec<Step>,
    pub(super) left_out: Vec<String>,
}

impl Results {
    /// Runs one step and records its time and CPU time, of this program and its children.
    pub(super) fn timed<T>(&mut self, what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("{what}");
        let (done, seconds, cpu_seconds) = timed(act).with_context(|| what.to_owned())?;
        self.steps.push(Step { what: what.to_owned(), seconds, cpu_seconds, ..Step::default() });
        Ok(done)
    }

    /// Runs one step that uses a server, and also records the server's CPU time and peak memory.
    pub(super) fn timed_with<T>(
        &mut self,
        server: &Server,
        what: &str,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let cpu = server.cpu_seconds()?;
        let done = self.timed(what, act)?;
        let step = self.last();
        step.cpu_seconds += server.cpu_seconds()? - cpu;
        step.peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(done)
    }

    /// Runs one step that is a program, and also records its peak memory.
    pub(super) fn child(&mut self, what: &str, mut command: Command) -> Result<()> {
        let peak = self.timed(what, || run_watched(&mut command))?;
        self.last().peak_bytes = Some(peak);
        Ok(())
    }

    pub(super) fn last(&mut self) -> &mut Step {
        self.steps.last_mut().expect("a step was timed")
    }

    pub(super) fn table(&self) -> Table {
        let optional = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
        let row = |step: &Step| {
            let Step { what, seconds, cpu_seconds, .. } = step;
            let mb = mega(self.sizes.disk);
            let new_mb = optional(step.new_bytes.map(|bytes| format!("{:.1}", mega(bytes))));
            let peak_mib = optional(step.peak_bytes.map(|bytes| (bytes >> 20).to_string()));
            let command = step.command_seconds.map(|seconds| format!(" (command {seconds:.2})"));
            let (speed, cpu_speed, command) = (mb / seconds, mb / cpu_seconds, command.unwrap_or_default());
            format!("{what} | {speed:.0} | {cpu_speed:.0} | {new_mb} | {peak_mib} | {seconds:.2}{command}")
        };
        let headings = "what | MB/s of disk | MB per CPU second | new MB | peak MiB | seconds";
        Table { headings, rows: self.steps.iter().map(row).collect() }
    }

    /// The targets with the results, and the tools that were left out.
    pub(super) fn goals(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |what: &str, result: Option<f64>| {
            let ratio = result.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            rows.push(format!("{what} | {ratio}"));
        };
        for version in ["v1", "v2", "v3", "unchanged"] {
            let (ours, bare) = (format!("jingku, {version}"), format!("bare loop, {version}"));
            row(&format!("{version} ≥ 0.8 × the bare loop"), self.ratio(&bare, &ours, SECONDS));
            row("… per CPU second", self.ratio(&bare, &ours, |step| Some(step.cpu_seconds)));
            let what = match version {
                "v1" => "stored ≤ 1.05 × the bare loop".to_owned(),
                "unchanged" => continue,
                _ => format!("{version}: new bytes ≤ 1.2 × the bare loop"),
            };
            row(&what, self.ratio(&ours, &bare, |step| step.new_bytes.map(mega)));
        }
        let export = "jingku, export raw";
        let floors = ["zstd -d, to nowhere", "write (dd, synced)"];
        let floors = floors.into_iter().filter_map(|floor| self.ratio(floor, export, SECONDS));
        // The slower of the two is the limit, so the larger ratio counts.
        row("export to raw ≥ 0.8 × min(zstd -d, write)", floors.reduce(f64::max));
        let download = self.ratio("sendfile, download", "jingku, download", SECONDS);
        row("download ≥ 0.5 × sendfile", download);
        let check = self.ratio(export, "jingku, check --read-data", SECONDS);
        row("check --read-data ≥ 0.8 × export", check);
        let table = Table { headings: "target | result", rows };
        let [disk, data, changed] = [self.sizes.disk, self.sizes.data, self.sizes.changed].map(mega);
        let left_out: String = self.left_out.iter().flat_map(|why| ["\n", why, "\n"]).collect();
        format!(
            "Disk {disk:.0} MB, {data:.0} MB of it not holes, {changed:.0} MB changed.\n\n{table}{left_out}"
        )
    }

    /// The ratio of a figure of two steps.
    fn ratio(&self, above: &str, below: &str, of: fn(&Step) -> Option<f64>) -> Option<f64> {
        let figure = |what| of(self.steps.iter().find(|step| step.what == what)?);
        Some(figure(above)? / figure(below)?)
    }
}

const SECONDS: fn(&Step) -> Option<f64> = |step| Some(step.seconds);
