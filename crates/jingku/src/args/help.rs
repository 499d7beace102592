//! Puts the texts of `help.ftl` into the command line, when somebody asks for help.

use clap::{Arg, Command};

use crate::messages::{find, text, tr};

const SHARED: &str = "help-shared";

pub(super) fn localize(command: Command) -> Command {
    describe(command, "help-jingku")
}

/// Describes a command by a message, and the commands below it by messages that add their names to its id.
fn describe(command: Command, id: &str) -> Command {
    let command = command.about(text(id, &[])).mut_args(|arg| describe_arg(arg, id));
    command.mut_subcommands(|below| {
        let path = if id == "help-jingku" { "help" } else { id };
        let id = format!("{path}-{}", below.get_name());
        describe(below, &id)
    })
}

fn describe_arg(arg: Arg, command_id: &str) -> Arg {
    let rule = [("rule", tr!("name-rule").into())];
    let id = arg.get_id().as_str();
    let help = find(command_id, Some(id), &rule).or_else(|| find(SHARED, Some(id), &rule));
    // Arguments without a heading of their own keep clap's.
    let heading = arg.get_help_heading().map(|id| text(id, &[]));
    let arg = if let Some(heading) = heading { arg.help_heading(heading) } else { arg };
    match help {
        Some(help) => arg.help(help),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;
    use crate::messages::tests::ids_of_file;

    /// Notes the messages and attributes that a command and those below it take their texts from.
    fn note(command: &Command, id: &str, used: &mut BTreeSet<String>) {
        used.insert(id.to_owned());
        let known = ids_of_file("help");
        for arg in command.get_arguments() {
            let names = [id, SHARED].map(|message| format!("{message}.{}", arg.get_id()));
            let name = names.into_iter().find(|name| known.contains(name));
            used.insert(name.unwrap_or_else(|| panic!("{id} does not describe {:?}", arg.get_id())));
            used.extend(arg.get_help_heading().map(str::to_owned));
        }
        for below in command.get_subcommands() {
            let path = if id == "help-jingku" { "help" } else { id };
            note(below, &format!("{path}-{}", below.get_name()), used);
        }
    }

    #[test]
    fn every_argument_has_a_text_and_every_text_an_argument() {
        let mut used = BTreeSet::from([SHARED.to_owned()]);
        note(&Cli::command(), "help-jingku", &mut used);
        let known = ids_of_file("help");
        let missing: Vec<_> = used.difference(&known).collect();
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(missing.is_empty() && unused.is_empty(), "missing: {missing:?}, unused: {unused:?}");
    }
}
