//! The time for permanent deletion by age, which does not trust a clock that has just jumped.
//!
//! A clock may be wrong: a machine with an empty battery starts in 1970, a suspended one wakes up weeks later, and people
//! set clocks. Therefore every server compares its clock with its running time, which cannot be set. Deletion by age uses
//! the earliest time that any reading of the last day of running time allows. A jump forward takes effect after a day of
//! running. A jump back takes effect at once, because it keeps more. Ten days without a server are counted a day late.
//!
//! The running time is saved in the data directory, so that restarts do not shorten the day.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::data_dir::DataDir;
use crate::limits::CLOCK_TRUST_SECS;
use crate::lock::lock;

/// Seconds of an hour of running time. The earliest reading of each hour is kept.
const HOUR_SECS: i64 = 60 * 60;
/// A clock that advanced this many seconds more than the running time is logged.
const JUMP_SECS: i64 = 24 * HOUR_SECS;
const CLOCK: &str = "clock";

/// Readings of the clock in one hour of running time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hour {
    /// The number of the hour since the first start.
    number: i64,
    /// The minimum of clock minus running time, in seconds.
    ahead_secs: i64,
}

/// The saved readings of the clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Readings {
    /// The running time of all servers of the data directory, in seconds.
    run_secs: i64,
    /// Clock minus running time at the last reading.
    last_ahead_secs: Option<i64>,
    /// The last hours with readings, oldest first. They cover at least [`CLOCK_TRUST_SECS`].
    hours: VecDeque<Hour>,
}

impl Readings {
    /// Adds a reading, `ran_secs` of running time after the last one. Returns the jump of the clock if it must be logged.
    fn add(&mut self, now: i64, ran_secs: i64) -> Option<i64> {
        self.run_secs = self.run_secs.saturating_add(ran_secs);
        let ahead_secs = now.saturating_sub(self.run_secs);
        let number = self.run_secs / HOUR_SECS;
        match self.hours.back_mut().filter(|hour| hour.number == number) {
            Some(hour) => hour.ahead_secs = hour.ahead_secs.min(ahead_secs),
            None => self.hours.push_back(Hour { number, ahead_secs }),
        }
        let kept = CLOCK_TRUST_SECS / HOUR_SECS;
        while self.hours.front().is_some_and(|hour| hour.number + kept < number) {
            self.hours.pop_front();
        }
        let jumped_secs = ahead_secs.saturating_sub(self.last_ahead_secs.replace(ahead_secs)?);
        (jumped_secs >= JUMP_SECS).then_some(jumped_secs)
    }

    /// The earliest time that the readings allow; `None` before there are enough.
    fn earliest(&self) -> Option<i64> {
        let least = self.hours.iter().map(|hour| hour.ahead_secs).min()?;
        (self.run_secs >= CLOCK_TRUST_SECS).then(|| self.run_secs.saturating_add(least))
    }

    /// The running time until the last reading is trusted, in seconds.
    fn until_trusted(&self) -> i64 {
        let last = self.last_ahead_secs.unwrap_or_default();
        let holding = self.hours.iter().rev().find(|hour| hour.ahead_secs.saturating_add(JUMP_SECS) <= last);
        let gone_at = holding
            .map_or(0, |hour| (hour.number + 1).saturating_mul(HOUR_SECS).saturating_add(CLOCK_TRUST_SECS));
        gone_at.max(CLOCK_TRUST_SECS).saturating_sub(self.run_secs).max(0)
    }
}

/// Reads the clock for deletion by age. Has the readings of the data directory and the monotonic time of the last one.
#[derive(Default)]
pub(crate) struct TimeWatch(Mutex<Option<(Readings, Duration)>>);

impl TimeWatch {
    /// Reads the clock, saves the reading, and returns the earliest possible time.
    pub(crate) fn read(&self, data: &DataDir, now: i64, monotonic: Duration) -> Option<i64> {
        let mut watching = lock(&self.0);
        // The first reading of a process adds no running time.
        let (readings, read_at) =
            watching.get_or_insert_with(|| (data.state(CLOCK).unwrap_or_default(), monotonic));
        let ran_secs = monotonic.saturating_sub(*read_at).as_secs();
        // Fractions of a second are added to the next reading.
        *read_at += Duration::from_secs(ran_secs);
        if let Some(jumped_secs) = readings.add(now, i64::try_from(ran_secs).unwrap_or(i64::MAX)) {
            let trusted_in_secs = readings.until_trusted();
            tracing::warn!(
                jumped_secs,
                trusted_in_secs,
                "the clock jumped forward: nothing is deleted by age until a server has run with it for a day"
            );
        }
        data.keep_state(CLOCK, readings);
        readings.earliest()
    }
}

/// The running time until the clock is trusted, in seconds, if the saved readings suspend deletion by age at `now`.
pub(crate) fn held_back_secs(data: &DataDir, now: i64) -> Option<i64> {
    let readings: Readings = data.state(CLOCK)?;
    let jumped = readings.earliest().is_none_or(|earliest| now.saturating_sub(earliest) >= JUMP_SECS);
    Some(readings.until_trusted()).filter(|secs| jumped && *secs > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR_SECS;
    const NOW: i64 = 1_790_000_000;

    /// Runs with a clock that is right at the start, read every ten minutes.
    fn run(readings: &mut Readings, from: i64, secs: i64) -> i64 {
        readings.add(from, 0);
        let mut ran = 0;
        while ran < secs {
            let step = 600.min(secs - ran);
            ran += step;
            readings.add(from + ran, step);
        }
        from + ran
    }

    #[test]
    fn a_steady_clock_is_trusted_after_a_day() {
        let mut readings = Readings::default();
        let now = run(&mut readings, NOW, DAY - 1);
        assert_eq!(readings.earliest(), None);
        readings.add(now + 1, 1);
        assert_eq!(readings.earliest(), Some(now + 1));
        let now = run(&mut readings, now + 1, 30 * DAY);
        assert_eq!(readings.earliest(), Some(now));
        assert!(readings.hours.len() <= 26, "{}", readings.hours.len());
    }

    #[test]
    fn a_jump_forward_takes_effect_after_a_day_of_running() {
        for jump in [2 * DAY, 400 * DAY] {
            let mut readings = Readings::default();
            let now = run(&mut readings, NOW, 10 * DAY);
            assert_eq!(readings.add(now + jump, 0), Some(jump));
            assert_eq!(readings.earliest(), Some(now));
            run(&mut readings, now + jump, DAY - HOUR_SECS);
            assert!(readings.earliest().unwrap() <= now + DAY);
            assert!((1..=2 * HOUR_SECS).contains(&readings.until_trusted()), "{}", readings.until_trusted());
            let now = run(&mut readings, now + jump + DAY - HOUR_SECS, 2 * HOUR_SECS);
            assert_eq!((readings.earliest(), readings.until_trusted()), (Some(now), 0));
        }
    }

    #[test]
    fn restarts_are_not_running_time() {
        let mut readings = Readings::default();
        let now = run(&mut readings, NOW, 10 * DAY);
        for start in 0..10_000 {
            readings.add(now + 400 * DAY + start, 0);
        }
        assert_eq!(readings.earliest(), Some(now));
    }

    #[test]
    fn a_jump_back_takes_effect_at_once_and_its_correction_after_a_day() {
        let mut readings = Readings::default();
        let now = run(&mut readings, NOW, 10 * DAY);
        readings.add(0, 0);
        assert_eq!(readings.earliest(), Some(0));
        run(&mut readings, 0, HOUR_SECS);
        // The clock is corrected: what was deleted meanwhile looks decades old.
        let now = run(&mut readings, now + HOUR_SECS, DAY - HOUR_SECS);
        assert!(readings.earliest().unwrap() < 2 * DAY);
        let now = run(&mut readings, now, 3 * HOUR_SECS);
        assert_eq!(readings.earliest(), Some(now));
    }

    #[test]
    fn time_is_counted_despite_nights_without_a_server() {
        let (mut readings, mut now) = (Readings::default(), NOW);
        for _ in 0..30 {
            now = run(&mut readings, now, 10 * HOUR_SECS) + 14 * HOUR_SECS;
        }
        // The last day of running contains at most three nights.
        assert!(now - readings.earliest().unwrap() <= 4 * 14 * HOUR_SECS);
    }

    #[test]
    fn readings_are_saved_and_extreme_ones_do_not_panic() {
        let mut readings = Readings::default();
        run(&mut readings, NOW, DAY);
        let text = serde_json::to_string(&readings).unwrap();
        assert_eq!(serde_json::from_str::<Readings>(&text).unwrap(), readings);
        for now in [i64::MAX, i64::MIN, 0, -1] {
            readings.add(now, 0);
            readings.add(now, i64::MAX);
        }
    }
}
