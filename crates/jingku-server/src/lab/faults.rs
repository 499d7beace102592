//! What is to go wrong with the next calls of an action.

use std::sync::Mutex;
use std::time::Duration;

use jingku_library::lock;
use jingku_protocol::actions::Action;
use serde::Serialize;

/// The most faults that wait.
pub(super) const FAULTS_MAX: usize = 1000;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// The call is answered with this code and text, and not carried out.
    Fail { ret_code: i64, message: String },
    /// The call waits before it is carried out.
    Delay { ms: u64 },
    /// The connection is closed: before the call is carried out, or after half of its answer.
    Drop { half: bool },
}

/// A fault that waits for calls.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Waiting {
    /// The action, or `*` for every one.
    pub(super) action: String,
    #[serde(flatten)]
    pub(super) fault: Fault,
    /// How many calls it is for yet.
    pub(super) times: u32,
}

/// All faults that wait, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Waiting>>);

impl Faults {
    /// Adds one. Returns `false` when there are too many.
    pub(super) fn add(&self, waiting: Waiting) -> bool {
        let mut all = lock(&self.0);
        let room = all.len() < FAULTS_MAX;
        if room {
            all.push(waiting);
        }
        room
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }

    pub(super) fn list(&self) -> Vec<Waiting> {
        lock(&self.0).clone()
    }

    /// Takes what is for a call: the first delay, and the first of what ends it.
    pub(super) fn take(&self, action: Action) -> (Option<Duration>, Option<Fault>) {
        let mut all = lock(&self.0);
        let mut first = |is_delay: bool| {
            let meant = |waiting: &Waiting| waiting.action == "*" || waiting.action == action.name();
            let kind = |fault: &Fault| matches!(fault, Fault::Delay { .. }) == is_delay;
            let index = all.iter().position(|waiting| meant(waiting) && kind(&waiting.fault))?;
            let fault = all[index].fault.clone();
            all[index].times -= 1;
            if all[index].times == 0 {
                all.remove(index);
            }
            Some(fault)
        };
        let delay = first(true).and_then(|fault| match fault {
            Fault::Delay { ms } => Some(Duration::from_millis(ms)),
            Fault::Fail { .. } | Fault::Drop { .. } => None,
        });
        (delay, first(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_the_first_delay_and_the_first_end_that_are_for_it() {
        let faults = Faults::default();
        let add = |action: &str, fault, times| {
            assert!(faults.add(Waiting { action: action.to_owned(), fault, times }));
        };
        let fail = |ret_code| Fault::Fail { ret_code, message: String::new() };
        add("GetRegion", fail(1), 2);
        add("GetProjectList", fail(2), 1);
        add("*", Fault::Delay { ms: 5 }, 1);
        add("GetRegion", Fault::Drop { half: true }, 1);
        assert_eq!(faults.take(Action::GetRegion), (Some(Duration::from_millis(5)), Some(fail(1))));
        assert_eq!(faults.take(Action::GetRegion), (None, Some(fail(1))));
        assert_eq!(faults.take(Action::GetRegion), (None, Some(Fault::Drop { half: true })));
        assert_eq!(faults.take(Action::GetRegion), (None, None));
        assert_eq!(faults.list().len(), 1);
    }
}
