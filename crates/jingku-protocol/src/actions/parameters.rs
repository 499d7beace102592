//! Which parameters an action reads and which it demands, found by asking the code that reads them: a list written by
//! hand would say what was true when it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use crate::bind::ParamError;
use crate::tree::{Kind, StandIns, Tree};

/// Values given to an action one after the other until it takes one.
const STAND_INS: [&str; 8] = ["1", "0", "true", "a", "aGk=", "Custom", "CreateTime", "http://a/"];
/// The most values that are tried to find out the parameters of an action; more than any has.
const TRIES_MAX: usize = 1000;

/// The parameters of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Those it reads, with the shape it expects. Members of objects have dotted names, and `.N.` stands for a number.
    pub names: BTreeMap<String, Kind>,
    /// Those of them that it, or the documents, call required.
    pub required: BTreeSet<String>,
    /// Texts that the action takes for those that it calls required itself.
    pub sample: BTreeMap<String, String>,
    /// Whether a request was found that the action takes: otherwise there may be more names.
    pub complete: bool,
}

impl Parameters {
    /// Whether the action reads a dotted name, in a right shape or a wrong one: `Tags.0` is one of `Tags`.
    pub fn knows(&self, sent: &str) -> bool {
        let mut parts = sent.splitn(3, '.');
        if let (Some(list), Some(_), Some(member)) = (parts.next(), parts.next(), parts.next())
            && self.names.get(list) == Some(&Kind::Objects)
        {
            let (members, member) = (format!("{list}.N."), format!("{list}.N.{member}"));
            return self.names.keys().any(|name| name.starts_with(&members) && is_or_is_below(&member, name));
        }
        self.names.keys().any(|name| is_or_is_below(sent, name) || is_or_is_below(name, sent))
    }
}

/// Whether `name` is `parent`, or a member of it.
fn is_or_is_below(name: &str, parent: &str) -> bool {
    name.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A request that has every parameter, and remembers which were looked for.
#[derive(Default)]
struct Trial {
    /// How many stand-ins a parameter has refused.
    refused: BTreeMap<String, usize>,
    absent: BTreeSet<String>,
    asked: BTreeMap<String, Kind>,
}

impl Trial {
    fn read<R: Request>(&mut self) -> Result<(), ParamError> {
        let texts = self.refused.keys().map(|name| (name.clone(), self.text(name))).collect();
        let stand_ins = StandIns::new(texts, STAND_INS[0], self.absent.clone());
        let read = R::read(&Tree::of_stand_ins(stand_ins.clone())).map(drop);
        self.asked.extend(stand_ins.asked());
        read
    }

    /// The text that is tried for a parameter.
    fn text(&self, name: &str) -> String {
        let tries = self.refused.get(name).copied().unwrap_or_default();
        (*STAND_INS.get(tries).unwrap_or(&STAND_INS[0])).to_owned()
    }
}

/// Asks the code that reads an action's parameters.
pub(super) fn learn<R: Request>() -> Parameters {
    let mut trial = Trial::default();
    let mut complete = false;
    for _ in 0..TRIES_MAX {
        match trial.read::<R>() {
            Ok(()) => {
                complete = true;
                break;
            }
            Err(ParamError::Missing(name) | ParamError::NotAvailable(name)) => {
                let tries = trial.refused.entry(name.clone()).or_default();
                *tries += 1;
                // Refused whatever it is, also when it is absent.
                if *tries >= STAND_INS.len() && !trial.absent.insert(name) {
                    break;
                }
            }
        }
    }
    let mut parameters = Parameters {
        names: trial.asked.clone(),
        required: R::ACTION.required_by_documents().iter().map(|name| (*name).to_owned()).collect(),
        complete,
        ..Parameters::default()
    };
    for name in parameters.names.keys() {
        if trial.absent.insert(name.clone()) {
            if trial.read::<R>() == Err(ParamError::Missing(name.clone())) {
                parameters.required.insert(name.clone());
                parameters.sample.insert(name.clone(), trial.text(name));
            }
            trial.absent.remove(name);
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Action;

    #[test]
    fn what_an_action_reads_and_demands_is_found() {
        let create = Action::CreateCompShareCustomImage.parameters();
        for (name, kind) in [
            ("Description", Kind::Scalar),
            ("FirewallPorts", Kind::List),
            ("Name", Kind::Scalar),
            ("Region", Kind::Scalar),
            ("SoftwarePorts", Kind::Objects),
            ("SoftwarePorts.N.Port", Kind::Scalar),
            ("SoftwarePorts.N.Software", Kind::Scalar),
            ("Softwares.Application", Kind::List),
            ("Softwares.Applications", Kind::List),
            ("Softwares.CUDAVersion", Kind::Scalar),
            ("Softwares.Framework", Kind::Scalar),
            ("Softwares.FrameworkVersion", Kind::Scalar),
            ("Softwares.OsVersion", Kind::Scalar),
            ("Softwares.PythonVersion", Kind::Scalar),
            ("UHostId", Kind::Scalar),
            ("Zone", Kind::Scalar),
        ] {
            assert_eq!(create.names.get(name), Some(&kind), "{name}");
        }
        assert_eq!(create.names.len(), 16, "{create:?}");
        assert!(create.required.iter().eq(["Name", "Region", "UHostId", "Zone"]), "{create:?}");
        let list = Action::DescribeCompShareCustomImages.parameters();
        for name in ["Limit", "Offset", "NextToken", "CompShareImageId", "SortCondition.Field"] {
            assert!(list.names.contains_key(name) && !list.required.contains(name), "{list:?}");
        }
    }

    #[test]
    fn names_are_known_in_every_spelling() {
        let create = Action::CreateCompShareCustomImage.parameters();
        for known in [
            "Name",
            "Name.x",
            "FirewallPorts",
            "FirewallPorts.0",
            "Softwares",
            "Softwares.Framework",
            "Softwares.Application.3",
            "SoftwarePorts",
            "SoftwarePorts.0",
            "SoftwarePorts.12.Port",
        ] {
            assert!(create.knows(known), "{known}");
        }
        for unknown in ["name", "Nam", "Names", "Softwares.Foo", "SoftwarePorts.0.Foo", "Software", ""] {
            assert!(!create.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn every_action_takes_a_request_made_of_stand_ins() {
        for action in Action::ALL {
            let parameters = action.parameters();
            assert!(
                parameters.complete,
                "{}: no stand-in is taken for one of {:?}; add one that is to STAND_INS",
                action.name(),
                parameters.names
            );
        }
    }
}
