//! What goes to standard output: a table for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Writes text to standard output. A reader that has gone, as in `jingku image list | head`, is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let written = writeln!(io::stdout().lock(), "{text}");
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Fault, error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Prints JSON.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).expect("output types serialise"))
}

/// Prints rows under headings, as wide as the terminal; without one, as wide as they are.
pub(crate) fn print_table(headings: &[&str], rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
    } else {
        table.set_header(headings);
    }
    table.add_rows(rows);
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    print(&table.trim_fmt())
}

/// Unix seconds in local time; empty for 0.
pub(crate) fn time(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => jiff::ZonedDateTime::new(time, jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        _ => String::new(),
    }
}

/// A number of MB as people read it.
pub(crate) fn size(mb: i64) -> String {
    if mb < 10 * 1024 {
        return format!("{mb} MB");
    }
    format!("{} GB", mb / 1024)
}
