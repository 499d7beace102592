//! Sizes, times and durations for people.

use fluent_bundle::FluentArgs;
use jiff::Timestamp;

use crate::lang::Lang;

/// A time. The server does not know the zone of the browser: the page's script shows local time instead.
pub(crate) struct Time {
    /// As HTML has it.
    pub(crate) iso: String,
    /// In UTC.
    pub(crate) text: String,
}

impl Time {
    /// `None` for 0, which is never.
    pub(crate) fn of(unix_secs: i64) -> Option<Self> {
        let time = Timestamp::from_second(unix_secs).ok().filter(|_| unix_secs > 0)?;
        // As ISO 8601, with `Z`. A list has many times, and `strftime` takes several times as long.
        let iso = time.to_string();
        let (date, clock) = iso.split_once('T')?;
        let text = format!("{date} {} UTC", clock.get(..5)?);
        Some(Self { iso, text })
    }
}

/// A size that the API answers in MB; empty for 0, which is unknown.
pub(crate) fn megabytes(size: i64) -> String {
    match u64::try_from(size) {
        Ok(size) if size > 0 => bytes(size.saturating_mul(1 << 20)),
        _ => String::new(),
    }
}

/// A size with one decimal below 10 units, as the command line shows it.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let (mut unit, mut tenths) = (0, u128::from(bytes) * 10);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = tenths.div_ceil(1024);
        unit += 1;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if unit == 0 || whole >= 10 || tenth == 0 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenth} {}", UNITS[unit])
    }
}

/// A duration in its two largest units.
pub(crate) fn duration(lang: Lang, secs: u64) -> String {
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    let args = |values: [(&'static str, u64); 2]| FluentArgs::from_iter(values);
    match (hours, minutes) {
        (0, 0) => lang.with("duration-seconds", "seconds", secs),
        (0, _) => lang.format("duration-minutes", &args([("minutes", minutes), ("seconds", secs)])),
        _ => lang.format("duration-hours", &args([("hours", hours), ("minutes", minutes)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (size, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1536, "1.5 KB"), (15 << 30, "15 GB")]
        {
            assert_eq!(bytes(size), text);
        }
        assert_eq!((megabytes(0), megabytes(1 << 20)), (String::new(), "1 TB".to_owned()));
    }

    #[test]
    fn times_are_utc() {
        let time = Time::of(1_712_563_200).unwrap();
        assert_eq!((&*time.iso, &*time.text), ("2024-04-08T08:00:00Z", "2024-04-08 08:00 UTC"));
        assert!(Time::of(0).is_none());
    }
}
