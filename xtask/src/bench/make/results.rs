//! What was measured, and what it says of what we want.

use serde::Serialize;

use crate::bench::report::{Table, mega};

/// One thing done to the whole disk.
#[derive(Serialize)]
pub(super) struct Step {
    what: String,
    pub(super) seconds: f64,
    /// Of all processes that took part.
    pub(super) cpu_seconds: f64,
    /// What it added to the disk's keep, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_bytes: Option<u64>,
    /// The most memory the program had; the server's, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_bytes: Option<u64>,
    /// Until `jingku image create --wait` came back, which looks only now and then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command_seconds: Option<f64>,
}

impl Step {
    pub(super) fn new(what: &str, seconds: f64, cpu_seconds: f64) -> Self {
        let what = what.to_owned();
        Self { what, seconds, cpu_seconds, new_bytes: None, peak_bytes: None, command_seconds: None }
    }
}

/// One run.
#[derive(Serialize, Default)]
pub(super) struct Results {
    pub(super) disk_bytes: u64,
    pub(super) data_bytes: u64,
    /// Between the first version and the second, and as many between the first and the third.
    pub(super) changed_bytes: u64,
    pub(super) steps: Vec<Step>,
    /// Tools that were not there.
    pub(super) left_out: Vec<String>,
}

impl Results {
    /// Every step in its turn.
    pub(super) fn table(&self) -> Table {
        let mut table =
            Table::new(&["what", "MB/s of disk", "MB per CPU second", "new MB", "peak MiB", "seconds"]);
        for step in &self.steps {
            let speed = |seconds: f64| format!("{:.0}", mega(self.disk_bytes) / seconds);
            let optional = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
            table.row(&[
                step.what.clone(),
                speed(step.seconds),
                speed(step.cpu_seconds),
                optional(step.new_bytes.map(|bytes| format!("{:.1}", mega(bytes)))),
                optional(step.peak_bytes.map(|bytes| (bytes >> 20).to_string())),
                match step.command_seconds {
                    Some(command) => format!("{:.2} (command {command:.2})", step.seconds),
                    None => format!("{:.2}", step.seconds),
                },
            ]);
        }
        table
    }

    /// What we want beside what came out, and what was left out.
    pub(super) fn goals(&self) -> String {
        let (data, disk) = (mega(self.data_bytes), mega(self.disk_bytes));
        let changed = mega(self.changed_bytes);
        let mut table = Table::new(&["what we want", "reached"]);
        let mut row = |what: &str, reached: Option<f64>| {
            table.row(&[
                what.to_owned(),
                reached.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
            ]);
        };
        for version in ["v1", "v2", "v3", "unchanged"] {
            let (ours, bare) = (format!("jingku, {version}"), format!("bare loop, {version}"));
            row(&format!("{version}: speed ≥ 0.8 × the bare loop"), self.times(&bare, &ours));
            row(&format!("{version}: disk per CPU second ÷ the bare loop"), self.cpu_times(&bare, &ours));
            if version != "unchanged" {
                row(
                    &format!("{version}: new bytes ÷ the bare loop, ≤ 1.05 first and ≤ 1.2 then"),
                    self.new_times(&ours, &bare),
                );
            }
        }
        let export = "jingku, export raw";
        let floor = |what| self.times(what, export);
        let floors = [floor("zstd -d, to nowhere"), floor("write (dd, synced)")];
        // The slower of the two is the floor, so the better of the two ratios is the one that counts.
        row("export to raw ≥ 0.8 × min(zstd -d, write)", floors.into_iter().flatten().reduce(f64::max));
        row("download ≥ 0.5 × sendfile", self.times("sendfile, download", "jingku, download"));
        row("check --read-data ≥ 0.8 × export to raw", self.times(export, "jingku, check --read-data"));
        let left_out: String = self.left_out.iter().flat_map(|why| ["\n", why, "\n"]).collect();
        format!(
            "Disk {disk:.0} MB, {data:.0} MB of it not holes, {changed:.0} MB changed.\n\n{table}{left_out}"
        )
    }

    fn step(&self, what: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.what == what)
    }

    /// How many times as fast as one step the other is.
    fn times(&self, measure: &str, ours: &str) -> Option<f64> {
        Some(self.step(measure)?.seconds / self.step(ours)?.seconds)
    }

    fn cpu_times(&self, measure: &str, ours: &str) -> Option<f64> {
        Some(self.step(measure)?.cpu_seconds / self.step(ours)?.cpu_seconds)
    }

    fn new_times(&self, ours: &str, measure: &str) -> Option<f64> {
        Some(mega(self.step(ours)?.new_bytes?) / mega(self.step(measure)?.new_bytes?))
    }
}
