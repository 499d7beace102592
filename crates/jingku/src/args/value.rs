//! Values of options, read as people write them. A refusal says how to write one.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use compshare::actions::{ImageSort, MAX_LINK_SECS, is_blake3};
use compshare::{DeliveryState, ImageStatus, WebhookEvent};
use jingku_library::{AuditNote, AuditResult, ByteSize, PlatformType};

use crate::messages::tr;

/// The most parts for `check --subset`: one a day for a year.
const PARTS_MAX: u64 = 366;

/// A path that may be empty. Clap's own parser would refuse it without saying why.
pub(crate) fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let number = text.strip_suffix("iB").or_else(|| text.strip_suffix('B')).unwrap_or(text);
    let unit = units.iter().find_map(|(unit, bits)| Some((number.strip_suffix(unit)?, *bits)));
    let (number, bits) = unit.unwrap_or((number, 0));
    let count = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits));
    count.filter(|count| (1..=i64::MAX.cast_unsigned()).contains(count)).ok_or_else(|| tr!("argument-bytes"))
}

pub(crate) fn blake3(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if is_blake3(&text) { Ok(text) } else { Err(tr!("argument-blake3")) }
}

/// The lifetime of a link in seconds.
pub(crate) fn lifetime(text: &str) -> Result<i64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let units = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let secs = units.and_then(|(number, secs)| number.parse::<i64>().ok()?.checked_mul(secs));
    secs.filter(|secs| (1..=MAX_LINK_SECS).contains(secs)).ok_or_else(|| tr!("argument-lifetime"))
}

/// The new value of a limit; `None` for the server's default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitTo(pub(crate) Option<i64>);

pub(crate) fn count_limit(text: &str) -> Result<LimitTo, String> {
    let count = |text: &str| Some(text.parse::<u32>().ok()?.into());
    limit(text, count).ok_or_else(|| tr!("argument-count-limit"))
}

pub(crate) fn size_limit(text: &str) -> Result<LimitTo, String> {
    let size = |text: &str| Some(text.parse::<ByteSize>().ok()?.0);
    limit(text, size).ok_or_else(|| tr!("argument-size-limit"))
}

fn limit(text: &str, parse: impl Fn(&str) -> Option<i64>) -> Option<LimitTo> {
    if text == "default" { Some(LimitTo(None)) } else { Some(LimitTo(Some(parse(text)?))) }
}

pub(crate) fn platform_type(word: &str) -> Result<PlatformType, String> {
    let known = PlatformType::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(word));
    known.copied().ok_or_else(|| tr!("argument-platform-type"))
}

pub(crate) fn status(word: &str) -> Result<ImageStatus, String> {
    let known = [
        ImageStatus::Making,
        ImageStatus::Available,
        ImageStatus::UnAvailable,
        ImageStatus::Reviewing,
        ImageStatus::Offline,
    ];
    let found = known.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| tr!("argument-status", known = known.map(ImageStatus::as_str).join(", ")))
}

pub(crate) fn sort() -> impl TypedValueParser<Value = ImageSort> {
    PossibleValuesParser::new(["created", "updated", "size", "name"]).map(|word| match word.as_str() {
        "updated" => ImageSort::UpdateTime,
        "size" => ImageSort::Size,
        "name" => ImageSort::Name,
        _ => ImageSort::CreateTime,
    })
}

pub(crate) fn webhook_event() -> impl TypedValueParser<Value = WebhookEvent> {
    let known = |word: String| WebhookEvent::ALL.into_iter().find(|event| event.name() == word);
    PossibleValuesParser::new(WebhookEvent::ALL.map(WebhookEvent::name))
        .map(move |word| known(word).expect("clap accepts only these names"))
}

pub(crate) fn delivery_state() -> impl TypedValueParser<Value = DeliveryState> {
    let known = |word: String| DeliveryState::ALL.into_iter().find(|state| state.name() == word);
    PossibleValuesParser::new(DeliveryState::ALL.map(DeliveryState::name))
        .map(move |word| known(word).expect("clap accepts only these names"))
}

/// A local date or time, an exact time with its zone, or an age.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Ok(exact.as_second());
    }
    let local =
        text.parse::<jiff::civil::DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    let moment = if let Ok(local) = local {
        local.to_zoned_datetime(jiff::tz::TimeZone::system()).map_err(|error| error.to_string())?
    } else {
        let span = text.parse::<jiff::Span>();
        let ago = span.and_then(|span| jiff::ZonedDateTime::now().checked_sub(span));
        ago.map_err(|_| tr!("argument-moment"))?
    };
    Ok(moment.timestamp().as_second())
}

/// A size in MB, with or without a unit.
pub(crate) fn megabytes(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "M" | "MB" | "MIB" => Some(1),
        "G" | "GB" | "GIB" => Some(1 << 10),
        "T" | "TB" | "TIB" => Some(1 << 20),
        _ => None,
    };
    let size = factor.and_then(|factor| digits.parse::<u32>().ok()?.checked_mul(factor));
    size.ok_or_else(|| tr!("argument-megabytes"))
}

/// An age in seconds, written in days, hours, minutes or seconds.
pub(crate) fn age(text: &str) -> Result<i64, String> {
    let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
    let parts = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(unit)?, *secs)));
    let age = parts.and_then(|(number, secs)| i64::from(number.parse::<u32>().ok()?).checked_mul(secs));
    age.ok_or_else(|| tr!("argument-age"))
}

/// Part N of M, as in 1/7.
pub(crate) fn subset(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('/').and_then(|(nth, of)| Some((nth.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((nth, of)) if (1..=of).contains(&nth) && of <= PARTS_MAX => Ok((nth, of)),
        _ => Err(tr!("argument-subset")),
    }
}

/// A return code, or any that is not success.
pub(crate) fn audit_result(text: &str) -> Result<AuditResult, String> {
    if text == "failed" {
        return Ok(AuditResult::Failed);
    }
    text.parse().map(AuditResult::Code).map_err(|_| tr!("argument-audit-result"))
}

/// The number and hash of an entry, as `jingku audit verify` prints them.
pub(crate) fn audit_note(text: &str) -> Result<AuditNote, String> {
    let note = text.split_once(':').and_then(|(seq, hash)| {
        // A SHA-256 has as many digits as a BLAKE3.
        let seq = seq.parse().ok().filter(|seq| *seq > 0)?;
        is_blake3(hash).then(|| AuditNote { seq, hash: hash.to_owned() })
    });
    note.ok_or_else(|| tr!("argument-audit-note"))
}

/// A number of seconds; fractions are cut off.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    let whole = text.parse().ok();
    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer there is")]
    let cut = || Some(text.parse().ok().filter(|number: &f64| number.is_finite())?.trunc() as i64);
    whole.or_else(cut).ok_or_else(|| tr!("argument-seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        for (text, mb) in [("500", 500), ("500MB", 500), ("20GB", 20 << 10), ("1t", 1 << 20)] {
            assert_eq!(megabytes(text), Ok(mb), "{text}");
        }
        for text in ["", "GB", "1.5GB", "-1", "9999999GB", "10 kB"] {
            assert!(megabytes(text).is_err(), "{text}");
        }
        assert_eq!(moment("2026-11-24T08:00:00Z"), Ok(1_795_507_200));
        let (day, week) = (moment("1d").unwrap(), moment("7d").unwrap());
        assert!((day - week - 6 * 86_400).abs() <= 3_600 + 2, "a day may have 23 or 25 hours");
        assert!(moment("2026-11-24").is_ok() && moment("2026-11-24T08:00").is_ok());
        for text in ["", "yesterday", "2026-13-01", "24"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(["7d", "12h", "0s"].map(age), [Ok(604_800), Ok(43_200), Ok(0)]);
        for text in ["7", "", "d", "-1d", "7 d", "7D", "99999999999d"] {
            assert!(age(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_part_is_one_of_all() {
        assert_eq!(["1/7", "7/7", "1/1"].map(subset), [Ok((1, 7)), Ok((7, 7)), Ok((1, 1))]);
        for text in ["0/7", "8/7", "1", "1/0", "/", "a/b", "-1/7", "1/367", "1/7/2", ""] {
            assert!(subset(text).is_err(), "{text:?}");
        }
    }
}
