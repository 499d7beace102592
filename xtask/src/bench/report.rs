//! Results as Markdown, for docs/operate/figures.md, and as JSON.

use std::fmt;
use std::fs;
use std::thread;

use anyhow::Result;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// What a benchmark prints: either of the two.
pub(super) struct Report {
    pub(super) json: Value,
    pub(super) text: String,
}

impl Report {
    pub(super) fn new(results: &impl Serialize, text: impl fmt::Display) -> Result<Self> {
        Ok(Self { json: serde_json::to_value(results)?, text: text.to_string() })
    }
}

/// A table: Markdown when shown, in JSON a list of objects. Cells are separated by ` | `.
pub(super) struct Table {
    pub(super) headings: &'static str,
    pub(super) rows: Vec<String>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line: Vec<_> = self.headings.split(" | ").map(|_| "---").collect();
        writeln!(f, "| {} |\n| {} |", self.headings, line.join(" | "))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {row} |"))
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |cell: &str| serde_json::from_str(cell).unwrap_or_else(|_| Value::from(cell));
        serializer.collect_seq(self.rows.iter().map(|row| {
            let cells = self.headings.split(" | ").zip(row.split(" | "));
            cells.map(|(heading, cell)| (heading.to_owned(), value(cell))).collect::<Map<_, _>>()
        }))
    }
}

/// The median; the lower of two values in the middle.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
pub(super) fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Processor, memory, kernel, and the load average of the last minute before the measurement.
pub(super) fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let value = |file: &str, name: &str| {
        let text = read(file);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
        value.unwrap_or("?").trim().to_owned()
    };
    let first_word = |file: &str| read(file).split_whitespace().next().unwrap_or("?").to_owned();
    let cpu = value("/proc/cpuinfo", "model name");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let memory = value("/proc/meminfo", "MemTotal");
    let memory_gib = memory.trim_end_matches(" kB").parse().unwrap_or(0_u64).div_ceil(1 << 20);
    let (kernel, load) = (first_word("/proc/sys/kernel/osrelease"), first_word("/proc/loadavg"));
    format!("{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}; load {load} at the start")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert!((median([3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_table_is_markdown() {
        let table = Table { headings: "a | b", rows: vec!["1 | 2".to_owned()] };
        assert_eq!(table.to_string(), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }
}
