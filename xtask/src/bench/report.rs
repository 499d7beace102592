//! Prints results as Markdown, for docs/operate/figures.md, or as JSON.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use super::machine::Machine;

/// A Markdown table.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        let mut table = Self { text: String::new() };
        table.row(headings);
        table.row(&vec!["---"; headings.len()]);
        table
    }

    pub(super) fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.text.extend(["| ", &cells.join(" | "), " |\n"]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Prints all results as JSON, or the table with the machine.
pub(super) fn print(json: bool, machine: &Machine, results: &impl Serialize, table: &Table) -> Result<()> {
    if json {
        let all = serde_json::json!({ "machine": machine, "results": results });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        println!("\n{}\n\n{}", machine.line(), table);
    }
    Ok(())
}

/// The median; the lower of two values in the middle.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
pub(super) fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert!((median([3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["1", "2"]);
        assert_eq!(table.text, "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }
}
