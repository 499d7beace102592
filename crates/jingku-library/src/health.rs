//! The state of the background tasks, which decides whether the server is ready.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::limits::FAILURES_MAX;
use crate::lock::lock;

/// The state of every background task.
#[derive(Default)]
pub struct Health {
    loops: Mutex<BTreeMap<&'static str, Condition>>,
}

#[derive(Default)]
struct Condition {
    /// Rounds in a row that failed or panicked.
    failures: u32,
    restarts: u64,
}

impl Health {
    pub(crate) fn note_success(&self, name: &'static str) {
        lock(&self.loops).entry(name).or_default().failures = 0;
    }

    pub(crate) fn note_failure(&self, name: &'static str) {
        lock(&self.loops).entry(name).or_default().failures += 1;
    }

    /// Records that a task panicked and is restarted. Returns the failures in a row and all restarts.
    pub(crate) fn note_restart(&self, name: &'static str) -> (u32, u64) {
        let mut loops = lock(&self.loops);
        let condition = loops.entry(name).or_default();
        condition.failures += 1;
        condition.restarts += 1;
        (condition.failures, condition.restarts)
    }

    /// How often tasks panicked and were restarted.
    pub fn restarts(&self) -> u64 {
        lock(&self.loops).values().map(|condition| condition.restarts).sum()
    }

    /// The tasks that keep failing; empty if there are none.
    pub fn problems(&self) -> Vec<String> {
        let loops = lock(&self.loops);
        let failing = loops.iter().filter(|(_, condition)| condition.failures >= FAILURES_MAX);
        let problem = |(name, condition): (&&str, &Condition)| {
            format!("{name} failed {} times in a row; see the log", condition.failures)
        };
        failing.map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_keeps_failing_is_a_problem_until_it_succeeds() {
        let health = Health::default();
        health.note_success("sweep");
        for failures in 1..FAILURES_MAX {
            assert_eq!(health.note_restart("sweep"), (failures, failures.into()));
            assert!(health.problems().is_empty());
        }
        health.note_failure("sweep");
        assert_eq!(health.problems(), ["sweep failed 3 times in a row; see the log"]);
        health.note_success("sweep");
        assert!(health.problems().is_empty());
        assert_eq!(health.note_restart("sweep"), (1, 3));
        assert_eq!(health.restarts(), 3);
    }
}
