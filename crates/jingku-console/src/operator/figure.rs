//! Small charts of figures of the server.

use std::fmt::Write as _;

use fluent_bundle::FluentArgs;
use jingku_server::Sample;

use crate::chart::scaled;
use crate::lang::Lang;
use crate::shown::bytes;

/// The size of the drawing.
pub(crate) const WIDTH: u64 = 240;
pub(crate) const HEIGHT: u64 = 56;
/// The space above the highest point and below the lowest, so that the line is not cut.
const MARGIN: u64 = 3;

/// One figure and its line.
pub(crate) struct Figure {
    pub(crate) name: String,
    /// The newest value.
    pub(crate) now: String,
    /// The lowest and the highest value.
    pub(crate) range: String,
    /// As an SVG has them; empty if there are fewer than two values.
    pub(crate) points: String,
}

/// A time and a value.
type Point = (i64, u64);

/// The figures of samples, oldest first.
pub(crate) fn figures(lang: Lang, samples: &[Sample]) -> Vec<Figure> {
    let per_minute = |count: fn(&Sample) -> u64| -> Vec<Point> {
        samples.windows(2).filter_map(|pair| rate(&pair[0], &pair[1], count)).collect()
    };
    let level = |value: fn(&Sample) -> Option<u64>| -> Vec<Point> {
        samples.iter().filter_map(|sample| Some((sample.time, value(sample)?))).collect()
    };
    let number = |value: u64| value.to_string();
    [
        Figure::of(lang, "figure-requests", &per_minute(|sample| sample.requests), number),
        Figure::of(lang, "figure-faults", &per_minute(|sample| sample.faults), number),
        Figure::of(lang, "figure-running", &level(|sample| Some(sample.running_jobs)), number),
        Figure::of(lang, "figure-waiting", &level(|sample| Some(sample.waiting_jobs)), number),
        Figure::of(lang, "figure-connections", &level(|sample| Some(sample.connections)), number),
        Figure::of(lang, "figure-received", &per_minute(|sample| sample.received_bytes), bytes),
        Figure::of(lang, "figure-sent", &per_minute(|sample| sample.sent_bytes), bytes),
        Figure::of(lang, "figure-free", &level(|sample| sample.free_bytes), bytes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was counted between two samples, per minute. `None` if the clock was set back.
fn rate(before: &Sample, after: &Sample, count: fn(&Sample) -> u64) -> Option<Point> {
    let secs = u64::try_from(after.time - before.time).ok().filter(|secs| *secs > 0)?;
    let counted = count(after).saturating_sub(count(before));
    Some((after.time, counted.saturating_mul(60).div_ceil(secs)))
}

impl Figure {
    /// `None` without a value, such as the free space of a server in memory.
    fn of(lang: Lang, id: &str, points: &[Point], text: impl Fn(u64) -> String) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        let (low, high) =
            (points.iter().map(|(_, value)| *value).min()?, points.iter().map(|(_, value)| *value).max()?);
        let range = FluentArgs::from_iter([("low", text(low)), ("high", text(high))]);
        let whole = u64::try_from(last.0 - first.0).unwrap_or(0);
        let mut line = String::new();
        for (time, value) in points.iter().filter(|_| whole > 0) {
            let since = u64::try_from(time - first.0).unwrap_or(0).min(whole);
            // From 0, so that a small change does not look large.
            let height = scaled(*value, high.max(1), HEIGHT - 2 * MARGIN);
            let _ = write!(line, "{},{} ", scaled(since, whole, WIDTH), HEIGHT - MARGIN - height);
        }
        Some(Self {
            name: lang.t(id),
            now: text(last.1),
            range: lang.format("figure-range", &range),
            points: line.trim_end().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: i64, requests: u64) -> Sample {
        Sample {
            time,
            requests,
            faults: 0,
            received_bytes: 0,
            sent_bytes: 0,
            connections: 0,
            waiting_jobs: 0,
            running_jobs: 0,
            free_bytes: None,
        }
    }

    #[test]
    fn counts_become_rates_and_lines_stay_within_the_drawing() {
        let figures = figures(Lang::En, &[sample(0, 0), sample(60, 30), sample(180, 90), sample(170, 0)]);
        assert_eq!((figures[0].now.as_str(), figures[0].points.as_str()), ("30", "0,3 240,3"));
        assert_eq!(figures[1].points, "0,53 240,53");
        // There is no free space to show.
        assert_eq!(figures.len(), 7);
    }

    #[test]
    fn one_sample_has_no_line_and_none_no_figure() {
        assert!(super::figures(Lang::Zh, &[]).is_empty());
        let figures = super::figures(Lang::Zh, &[sample(0, 0)]);
        assert!(figures.iter().all(|figure| figure.points.is_empty()));
    }
}
