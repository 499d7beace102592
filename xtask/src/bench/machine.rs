//! The machine of the measurement.

use std::fs;
use std::thread;

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    /// Load average of the last minute before the measurement.
    load: String,
}

impl Machine {
    pub(super) fn this() -> Self {
        let value = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let first_word = |file: &str| {
            fs::read_to_string(file).unwrap_or_default().split_whitespace().next().unwrap_or("?").to_owned()
        };
        let memory = value("/proc/meminfo", "MemTotal");
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            cpu: value("/proc/cpuinfo", "model name"),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.div_ceil(1 << 20),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            load: first_word("/proc/loadavg"),
        }
    }

    pub(super) fn line(&self) -> String {
        let Self { cpu, cores, memory_gib, kernel, load } = self;
        format!("{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}; load {load} at the start")
    }
}
