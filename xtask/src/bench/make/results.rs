//! The measurements, and the targets they are compared with.

use serde::Serialize;

use crate::bench::report::{Table, mega};

/// One operation on the whole disk.
#[derive(Serialize)]
pub(super) struct Step {
    what: String,
    pub(super) seconds: f64,
    /// Of all processes involved.
    pub(super) cpu_seconds: f64,
    /// Bytes added to the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_bytes: Option<u64>,
    /// Peak memory of the working program; for Jingku, the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_bytes: Option<u64>,
    /// Until `jingku image create --wait` returned, which polls.
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
    /// Between v1 and v2, and as many between v1 and v3.
    pub(super) changed_bytes: u64,
    pub(super) steps: Vec<Step>,
    /// Tools that are not installed.
    pub(super) left_out: Vec<String>,
}

impl Results {
    /// Every step in order.
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

    /// The targets with the results, and the tools that were left out.
    pub(super) fn goals(&self) -> String {
        let (data, disk) = (mega(self.data_bytes), mega(self.disk_bytes));
        let changed = mega(self.changed_bytes);
        let mut table = Table::new(&["target", "result"]);
        let mut row = |what: &str, result: Option<f64>| {
            table.row(&[
                what.to_owned(),
                result.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
            ]);
        };
        for (version, new_bytes) in [
            ("v1", Some("stored ≤ 1.05 × the bare loop")),
            ("v2", Some("v2: new bytes ≤ 1.2 × the bare loop")),
            ("v3", Some("v3: new bytes ≤ 1.2 × the bare loop")),
            ("unchanged", None),
        ] {
            let (ours, bare) = (format!("jingku, {version}"), format!("bare loop, {version}"));
            row(&format!("{version} ≥ 0.8 × the bare loop"), self.times(&bare, &ours));
            row("… per CPU second", self.cpu_times(&bare, &ours));
            if let Some(what) = new_bytes {
                row(what, self.new_times(&ours, &bare));
            }
        }
        let export = "jingku, export raw";
        let floor = |what| self.times(what, export);
        let floors = [floor("zstd -d, to nowhere"), floor("write (dd, synced)")];
        // The slower of the two is the limit, so the larger ratio counts.
        row("export to raw ≥ 0.8 × min(zstd -d, write)", floors.into_iter().flatten().reduce(f64::max));
        row("download ≥ 0.5 × sendfile", self.times("sendfile, download", "jingku, download"));
        row("check --read-data ≥ 0.8 × export", self.times(export, "jingku, check --read-data"));
        let left_out: String = self.left_out.iter().flat_map(|why| ["\n", why, "\n"]).collect();
        format!(
            "Disk {disk:.0} MB, {data:.0} MB of it not holes, {changed:.0} MB changed.\n\n{table}{left_out}"
        )
    }

    fn step(&self, what: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.what == what)
    }

    /// How many times faster our step is.
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
