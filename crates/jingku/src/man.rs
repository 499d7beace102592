//! `jingku man`: a man page for each command, in the current language.

use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::{Exit, Failure};
use crate::messages::tr;

pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    let mut command = Cli::described();
    command.build();
    let source = format!("jingku {}", env!("CARGO_PKG_VERSION"));
    write(&command, &source, folder)
}

/// Writes the pages of a command and of those below it.
fn write(command: &Command, source: &str, folder: &Path) -> Result<(), Failure> {
    // An empty field would shift the following ones. A date would say nothing that the version does not.
    let man = Man::new(command.clone()).date(" ").source(source).manual("Jingku");
    let mut page = Vec::new();
    man.render(&mut page).map_err(Failure::fault)?;
    let path = folder.join(man.get_filename());
    std::fs::write(&path, translate_headings(&String::from_utf8_lossy(&page)))
        .map_err(Failure::file(Exit::Fault, &path))?;
    command.get_subcommands().try_for_each(|below| write(below, source, folder))
}

/// `clap_mangen` knows the headings of sections in English only.
fn translate_headings(page: &str) -> String {
    let headings = [
        ("NAME", tr!("man-name")),
        ("SYNOPSIS", tr!("man-synopsis")),
        ("DESCRIPTION", tr!("man-description")),
        ("OPTIONS", tr!("man-options")),
        ("SUBCOMMANDS", tr!("man-subcommands")),
        ("VERSION", tr!("man-version")),
    ];
    let translate = |line: &str| {
        let heading = line.strip_prefix(".SH ")?;
        let (_, text) = headings.iter().find(|(english, _)| *english == heading)?;
        Some(format!(".SH {text}\n"))
    };
    page.lines().map(|line| translate(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}
