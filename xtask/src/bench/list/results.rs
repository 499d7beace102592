//! The results and their table.

use serde::Serialize;

use super::case::Case;
use crate::bench::report::{Table, median};

/// Indexes of the servers in every array of three.
pub(super) const BARE: usize = 0;
pub(super) const CHECKED: usize = 1;
pub(super) const JINGKU: usize = 2;

/// What one server did with one case in one turn, or in several.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Work {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
}

/// One case with one number of connections.
#[derive(Serialize)]
pub(super) struct Measured<'a> {
    #[serde(flatten)]
    pub(super) case: &'a Case,
    pub(super) connections: u32,
    /// For each turn: bare, checked, Jingku.
    pub(super) turns: Vec<[Work; 3]>,
}

#[expect(clippy::cast_precision_loss, reason = "fewer requests than 2^53")]
impl Work {
    fn per_second(self) -> f64 {
        self.requests as f64 / self.seconds
    }

    fn cpu_us_per_request(self) -> f64 {
        self.cpu_seconds * 1e6 / self.requests as f64
    }
}

impl Measured<'_> {
    fn row(&self) -> String {
        let Case { kind, images, offset, rows, .. } = self.case;
        let total = [JINGKU, CHECKED, BARE].map(|server| self.total(server));
        format!(
            "{} | {} | {images} | {offset} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {}",
            kind.name(),
            rows.name(),
            self.connections,
            self.ratio(CHECKED, Work::per_second),
            self.ratio(BARE, Work::per_second),
            self.ratio(CHECKED, Work::cpu_us_per_request),
            self.ratio(BARE, Work::cpu_us_per_request),
            total.map(|work| format!("{:.1}", work.cpu_us_per_request())).join(" / "),
            total.map(|work| format!("{:.0}", work.per_second())).join(" / "),
        )
    }

    fn total(&self, server: usize) -> Work {
        self.turns.iter().map(|turn| turn[server]).fold(Work::default(), |sum, work| Work {
            requests: sum.requests + work.requests,
            seconds: sum.seconds + work.seconds,
            cpu_seconds: sum.cpu_seconds + work.cpu_seconds,
        })
    }

    /// The median over all turns of the ratio of Jingku to another server.
    fn ratio(&self, other: usize, of: fn(Work) -> f64) -> f64 {
        median(self.turns.iter().map(|turn| of(turn[JINGKU]) / of(turn[other])))
    }
}

/// Ratios first: only they can be compared between runs.
pub(super) fn table(results: &[Measured<'_>]) -> Table {
    let headings = "list | rows | images | offset | connections | requests/s ÷ checked | ÷ bare | CPU ÷ checked | ÷ bare | \
                    µs CPU: jingku / checked / bare | requests/s: jingku / checked / bare";
    Table { headings, rows: results.iter().map(Measured::row).collect() }
}
