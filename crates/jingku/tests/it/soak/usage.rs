//! The memory and descriptors of a server over time.

use std::fmt;
use std::fs;

use crate::server::Server;

/// The first, largest and last sample.
#[derive(Default)]
pub(super) struct Usage {
    memory: Range,
    descriptors: Range,
}

#[derive(Default)]
struct Range {
    first: Option<u64>,
    max: u64,
    last: u64,
}

impl Range {
    fn add(&mut self, value: u64) {
        self.first.get_or_insert(value);
        self.max = self.max.max(value);
        self.last = value;
    }
}

impl Usage {
    pub(super) fn sample(&mut self, server: &Server) {
        let folder = format!("/proc/{}", server.pid());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        self.memory.add(memory.unwrap().parse::<u64>().unwrap() * 1024);
        self.descriptors.add(fs::read_dir(format!("{folder}/fd")).unwrap().count() as u64);
    }

    pub(super) fn assert_below(&self, memory_bytes: u64, descriptors: usize) {
        assert!(self.memory.max < memory_bytes, "{self}");
        assert!(self.descriptors.max < descriptors as u64, "{self}");
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes >> 20;
        let (memory, open) = (&self.memory, &self.descriptors);
        write!(
            f,
            "memory {} → {} MiB (at most {}), descriptors {} → {} (at most {})",
            mib(memory.first.unwrap_or(0)),
            mib(memory.last),
            mib(memory.max),
            open.first.unwrap_or(0),
            open.last,
            open.max
        )
    }
}
