//! Which parameters an action reads and which it demands, found by asking the code that reads them: a list written by
//! hand would say what was true when it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use crate::bind::ParamError;
use crate::tree::Tree;

/// Values given to an action one after the other until it takes one.
const STAND_INS: [&str; 8] = ["1", "0", "true", "a", "aGk=", "Custom", "CreateTime", "http://a/"];
/// More than the longest way through all values of all parameters an action can have.
const TRIES_MAX: usize = 1000;

/// The parameters of an action, by the part of their names before the first dot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Those it reads.
    pub names: BTreeSet<String>,
    /// Those of them that it, or the documents, call required.
    pub required: BTreeSet<String>,
    /// Whether a request was found that the action takes: otherwise there may be more names.
    pub complete: bool,
}

/// A request that has every parameter, and remembers which were looked for.
#[derive(Default)]
struct Trial {
    /// How many stand-ins a parameter has refused.
    refused: BTreeMap<String, usize>,
    absent: BTreeSet<String>,
    asked: BTreeSet<String>,
}

impl Trial {
    fn bind<R: Request>(&mut self) -> Result<(), ParamError> {
        let values =
            self.refused.iter().filter_map(|(name, tries)| Some((name.clone(), *STAND_INS.get(*tries)?)));
        let tree = Tree::of_stand_ins(values.collect(), STAND_INS[0], self.absent.clone());
        let bound = R::bind(&tree).map(drop);
        self.asked.extend(tree.asked().into_iter().map(|name| first(&name)));
        bound
    }
}

/// Asks the code that reads an action's parameters.
pub(super) fn learn<R: Request>() -> Parameters {
    let mut trial = Trial::default();
    let mut complete = false;
    for _ in 0..TRIES_MAX {
        match trial.bind::<R>() {
            Ok(()) => {
                complete = true;
                break;
            }
            Err(ParamError::Missing(name) | ParamError::NotAvailable(name)) => {
                let name = first(&name);
                let tries = trial.refused.entry(name.clone()).or_default();
                *tries += 1;
                // Refused whatever it is, also when it is absent.
                if *tries >= STAND_INS.len() && !trial.absent.insert(name) {
                    break;
                }
            }
        }
    }
    let mut required: BTreeSet<String> =
        R::ACTION.required_by_documents().iter().map(|name| (*name).to_owned()).collect();
    let names = trial.asked.clone();
    for name in &names {
        if trial.absent.insert(name.clone()) {
            if let Err(ParamError::Missing(missing)) = trial.bind::<R>()
                && first(&missing) == *name
            {
                required.insert(name.clone());
            }
            trial.absent.remove(name);
        }
    }
    Parameters { names, required, complete }
}

fn first(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::actions::Action;

    #[test]
    fn what_an_action_reads_and_demands_is_found() {
        let create = Action::CreateCompShareCustomImage.parameters();
        let names = [
            "Description",
            "FirewallPorts",
            "Name",
            "Region",
            "SoftwarePorts",
            "Softwares",
            "UHostId",
            "Zone",
        ];
        assert!(create.names.iter().eq(names), "{create:?}");
        assert!(create.required.iter().eq(["Name", "Region", "UHostId", "Zone"]), "{create:?}");
        let list = Action::DescribeCompShareCustomImages.parameters();
        for name in ["Limit", "Offset", "NextToken", "CompShareImageId"] {
            assert!(list.names.contains(name) && !list.required.contains(name), "{list:?}");
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
