//! The chart of use over time, as shapes of an SVG.

use std::fmt::Write as _;

use fluent_bundle::FluentArgs;
use jingku_protocol::actions::UsageSample;

use crate::lang::Lang;
use crate::shown::{Time, bytes};

/// The size of the drawing, and the place of the lines in it.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 240;
const LEFT: u64 = 72;
const RIGHT: u64 = WIDTH - 12;
const TOP: u64 = 12;
const BOTTOM: u64 = HEIGHT - 28;
/// The number of spaces between horizontal lines.
const STEPS: u64 = 4;
/// The most rows of the table beside the chart.
const ROWS_MAX: usize = 31;

pub(crate) struct Chart {
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) left: u64,
    pub(crate) right: u64,
    pub(crate) bottom: u64,
    pub(crate) description: String,
    pub(crate) lines: Vec<Line>,
    /// The horizontal lines: height and size.
    pub(crate) grid: Vec<(u64, String)>,
    /// The first and the last day; the first is empty if they are the same.
    pub(crate) days: [String; 2],
    /// The newest samples, as a table, newest first.
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Line {
    /// The class of its colour.
    pub(crate) class: &'static str,
    pub(crate) name: String,
    /// As an SVG has them.
    pub(crate) points: String,
    /// Where it ends.
    pub(crate) end: (u64, u64),
}

pub(crate) struct Row {
    pub(crate) time: Option<Time>,
    pub(crate) sizes: [String; 3],
}

impl Chart {
    /// `None` without samples, which are oldest first.
    pub(crate) fn of(lang: Lang, samples: &[UsageSample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let top = nice(samples.iter().flat_map(sizes).max().unwrap_or(0));
        let names = ["usage-logical", "usage-stored", "usage-unique"].map(|id| lang.t(id));
        let lines = ["logical", "stored", "unique"].into_iter().zip(names).enumerate();
        let lines = lines.map(|(place, (class, name))| {
            let points: Vec<_> =
                samples.iter().map(|sample| point(sample, first, last, sizes(sample)[place], top)).collect();
            let end = points.last().copied().unwrap_or_default();
            let mut text = String::new();
            for (x, y) in points {
                let _ = write!(text, "{x},{y} ");
            }
            Line { class, name, points: text.trim_end().to_owned(), end }
        });
        let day = |sample: &UsageSample| {
            Time::of(sample.time).map(|time| time.iso.chars().take(10).collect()).unwrap_or_default()
        };
        let days: [String; 2] = [day(first), day(last)];
        let from_to = FluentArgs::from_iter([("first", days[0].clone()), ("last", days[1].clone())]);
        let days = if days[0] == days[1] { [String::new(), days[1].clone()] } else { days };
        let rows = samples
            .iter()
            .rev()
            .take(ROWS_MAX)
            .map(|sample| Row { time: Time::of(sample.time), sizes: sizes(sample).map(bytes) });
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: RIGHT,
            bottom: BOTTOM,
            description: lang.format("usage-chart-desc", &from_to),
            lines: lines.collect(),
            grid: (0..=STEPS)
                .map(|step| (height(top / STEPS * step, top), bytes(top / STEPS * step)))
                .collect(),
            days,
            rows: rows.collect(),
        })
    }
}

fn sizes(sample: &UsageSample) -> [u64; 3] {
    [sample.logical_bytes, sample.stored_bytes, sample.unique_bytes]
        .map(|size| u64::try_from(size).unwrap_or(0))
}

/// The smallest size at the top of the chart that is not below this one and gives round numbers at its lines.
fn nice(size: u64) -> u64 {
    let mut top = STEPS << 10;
    while top < size {
        // 4, 8, 16, …: each line is then a power of two.
        top = top.saturating_mul(2);
    }
    top
}

fn point(sample: &UsageSample, first: &UsageSample, last: &UsageSample, size: u64, top: u64) -> (u64, u64) {
    let since = u64::try_from(sample.time.saturating_sub(first.time)).unwrap_or(0);
    let whole = u64::try_from(last.time.saturating_sub(first.time)).unwrap_or(0);
    // A single sample is at the right end, like the newest of several.
    let x = if whole == 0 { RIGHT } else { LEFT + scaled(since.min(whole), whole, RIGHT - LEFT) };
    (x, height(size, top))
}

fn height(size: u64, top: u64) -> u64 {
    BOTTOM - scaled(size.min(top), top, BOTTOM - TOP)
}

/// A part of a length.
pub(crate) fn scaled(part: u64, whole: u64, length: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(length) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: i64, logical_bytes: i64) -> UsageSample {
        UsageSample { time, logical_bytes, ..UsageSample::default() }
    }

    #[test]
    fn lines_stay_within_the_chart() {
        let samples = [sample(86_400, 0), sample(2 * 86_400, 1 << 50), sample(3 * 86_400, 1 << 30)];
        let chart = Chart::of(Lang::En, &samples).unwrap();
        assert_eq!(chart.days, ["1970-01-02", "1970-01-04"]);
        let points: Vec<u64> =
            chart.lines[0].points.split([' ', ',']).map(|number| number.parse().unwrap()).collect();
        assert_eq!(points[..4], [LEFT, BOTTOM, LEFT + (RIGHT - LEFT) / 2, TOP]);
        assert_eq!(chart.lines[0].end.0, RIGHT);
        assert_eq!(chart.grid[0], (BOTTOM, "0 B".to_owned()));
    }

    #[test]
    fn a_single_sample_is_a_point_and_none_no_chart() {
        assert!(Chart::of(Lang::Zh, &[]).is_none());
        let chart = Chart::of(Lang::Zh, &[sample(86_400, 3 << 30)]).unwrap();
        assert_eq!(chart.lines[0].end.0, RIGHT);
        assert_eq!(chart.grid[4].1, "4 GB");
    }
}
