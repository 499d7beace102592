//! Faults to inject into the next calls of an action.

use std::sync::Mutex;
use std::time::Duration;

use jingku_library::lock;
use jingku_protocol::actions::Action;
use serde::Serialize;

/// Maximum number of pending faults.
pub(super) const FAULTS_MAX: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Answers with this code and message without running the call.
    Fail {
        ret_code: i64,
        message: String,
    },
    Delay {
        ms: u64,
    },
    /// Closes the connection: before the call runs, or after half of its response.
    Drop {
        half: bool,
    },
}

/// A fault and the calls that it is for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PendingFault {
    /// The action, or `*` for all.
    pub(super) action: String,
    #[serde(flatten)]
    pub(super) fault: Fault,
    pub(super) times: u32,
}

/// The pending faults in order of request.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<PendingFault>>);

impl Faults {
    /// Adds a fault. Returns `false` if there are too many.
    pub(super) fn add(&self, pending: PendingFault) -> bool {
        let mut all = lock(&self.0);
        let fits = all.len() < FAULTS_MAX;
        if fits {
            all.push(pending);
        }
        fits
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }

    pub(super) fn list(&self) -> Vec<PendingFault> {
        lock(&self.0).clone()
    }

    /// Takes the faults of a call: the first delay, and the first fault of another kind.
    pub(super) fn take(&self, action: Action) -> (Option<Duration>, Option<Fault>) {
        let mut all = lock(&self.0);
        let mut first = |is_delay: bool| {
            let matches = |pending: &PendingFault| pending.action == "*" || pending.action == action.name();
            let kind = |fault: &Fault| matches!(fault, Fault::Delay { .. }) == is_delay;
            let index = all.iter().position(|pending| matches(pending) && kind(&pending.fault))?;
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
    fn a_call_takes_its_first_delay_and_its_first_other_fault() {
        let faults = Faults::default();
        let add = |action: &str, fault, times| {
            assert!(faults.add(PendingFault { action: action.to_owned(), fault, times }));
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
