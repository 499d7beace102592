//! Output: tables for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::args::Global;
use crate::failure::Failure;
use crate::messages::tr;

/// Writes text to standard output. A closed pipe, as in `jingku image list | head`, is not a failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::fault(error)),
        _ => Ok(()),
    }
}

pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).expect("output types serialise"))
}

/// Prints the value as JSON if asked for, or else the text.
pub(crate) fn done<T: Serialize>(global: &Global, value: &T, text: &str) -> Result<(), Failure> {
    if global.json { print_json(value) } else { print(text) }
}

/// Writes a note for people to standard error.
#[expect(clippy::print_stderr, reason = "this is where messages to people go")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

pub(crate) fn warn(text: &str) {
    note(&tr!("output-warning", message = text));
}

/// The terminal width, in columns, from which only the wrapping column is shortened.
const WIDE: u16 = 80;

/// A table of items, one a row.
pub(crate) struct Listing<'a, T> {
    items: &'a [T],
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl<'a, T> Listing<'a, T> {
    pub(crate) fn of(items: &'a [T]) -> Self {
        Self { items, headings: Vec::new(), rows: vec![Vec::new(); items.len()] }
    }

    pub(crate) fn column(mut self, heading: String, text: impl Fn(&T) -> String) -> Self {
        self.headings.push(heading);
        for (row, item) in self.rows.iter_mut().zip(self.items) {
            row.push(text(item));
        }
        self
    }

    /// Prints the table. On a terminal it fits the width, and column number `wrapping` wraps first; elsewhere it is as
    /// wide as needed. If there are no rows, a terminal shows `none` instead.
    pub(crate) fn print(self, wrapping: usize, none: &str) -> Result<(), Failure> {
        if self.rows.is_empty() && io::stdout().is_terminal() {
            note(none);
            return Ok(());
        }
        let mut table = bare_table();
        table.set_header(self.headings.iter().map(heading));
        table.add_rows(self.rows);
        if table.width().is_some_and(|width| width >= WIDE) {
            for (_, column) in table.column_iter_mut().enumerate().filter(|(at, _)| *at != wrapping) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        print_bare(table)
    }
}

/// Prints labelled values, one per line, without empty ones.
pub(crate) fn print_fields(fields: impl IntoIterator<Item = (String, String)>) -> Result<(), Failure> {
    let mut table = bare_table();
    let filled = fields.into_iter().filter(|(_, value)| !value.is_empty());
    table.add_rows(filled.map(|(label, value)| [label, value]));
    print_bare(table)
}

fn heading(text: &String) -> Cell {
    let bold = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    if bold { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) }
}

fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

fn print_bare(mut table: Table) -> Result<(), Failure> {
    // The first column is the one people copy.
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth).set_padding((0, 1));
    }
    print(&table.trim_fmt())
}

/// Unix seconds as local date and time; empty for 0.
pub(crate) fn time(seconds: i64) -> String {
    local(seconds, "%Y-%m-%d %H:%M")
}

/// Unix seconds as a local date; empty for 0.
pub(crate) fn date(seconds: i64) -> String {
    local(seconds, "%Y-%m-%d")
}

fn local(seconds: i64, format: &str) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => {
            jiff::ZonedDateTime::new(time, jiff::tz::TimeZone::system()).strftime(format).to_string()
        }
        _ => String::new(),
    }
}

/// Formats a number of MB.
pub(crate) fn size(mb: i64) -> String {
    if mb < 10 * 1024 {
        return format!("{mb} MB");
    }
    format!("{} GB", mb / 1024)
}

pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")];
    let (bits, unit) = units.into_iter().find(|(bits, _)| bytes >> bits >= 10).unwrap_or((0, "B"));
    format!("{} {unit}", bytes >> bits)
}
