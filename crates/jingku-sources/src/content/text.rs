//! Text instead of a disk: an error page, a script, a checksum.

use super::foreign::Foreign;
use super::probe::is_zero;

/// Known beginnings in lower case. `true`: only if all of it is text.
const BEGINNINGS: &[(&[u8], bool, &str, &str)] = &[
    (b"<!doctype html", false, "an HTML page", ""),
    (b"<html", false, "an HTML page", ""),
    (b"<head", true, "an HTML page", ""),
    (b"<?xml", false, "an XML document", ""),
    (b"# disk descriptorfile", false, "VMDK", "qemu-img convert -O qcow2 FILE disk.qcow2"),
    (b"-----begin pgp", false, "a file encrypted with GnuPG", "gpg -d -o disk.raw FILE"),
    (b"version https://git-lfs", false, "a Git LFS pointer", "git lfs pull"),
    (b"#!", true, "a script", ""),
    (b"{", true, "a JSON document", ""),
    (b"[{", true, "a JSON document", ""),
];

/// The longest text without a blank or a line break.
const WORD_MAX: usize = 512;
/// The shortest text in a legacy code page.
const LEGACY_MIN: usize = 256;

/// Detects text, which may be followed by zeros.
pub(super) fn find(head: &[u8]) -> Option<Foreign> {
    if let Some(rest) = head.strip_prefix(b"\xff\xfe").or_else(|| head.strip_prefix(b"\xfe\xff")) {
        return is_wide_text(rest).then_some(Foreign::new("plain text", ""));
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_text = is_text(head);
    let start = head.trim_ascii_start();
    let start = start[..start.len().min(64)].to_ascii_lowercase();
    let known =
        BEGINNINGS.iter().find(|(beginning, all, ..)| start.starts_with(beginning) && (is_text || !all));
    match known {
        Some((_, _, name, command)) => Some(Foreign::new(name, command)),
        None => is_text.then_some(Foreign::new("plain text", "")),
    }
}

/// Whether it is text up to the first zero, and zeros from there on.
fn is_text(head: &[u8]) -> bool {
    let end = head.iter().position(|byte| *byte == 0).unwrap_or(head.len());
    let (body, rest) = head.split_at(end);
    if body.is_empty() || !is_zero(rest) {
        return false;
    }
    let body = match std::str::from_utf8(body) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return is_legacy_text(body),
    };
    let possible = |c: char| !c.is_control() || "\t\n\r\x0c\x1b".contains(c);
    // A long run of letters is more likely test data on a disk.
    !body.is_empty() && body.chars().all(possible) && (body.len() <= WORD_MAX || body.contains([' ', '\n']))
}

/// Text in a code page such as Latin-1 or GBK: no control characters, which are one tenth of random bytes.
fn is_legacy_text(body: &[u8]) -> bool {
    let possible = |byte: &u8| !byte.is_ascii_control() || b"\t\n\r\x0c\x1b".contains(byte);
    body.len() >= LEGACY_MIN && body.contains(&b'\n') && body.iter().all(possible)
}

/// UTF-16 text, as Windows writes it: every other byte of Latin text is zero.
fn is_wide_text(rest: &[u8]) -> bool {
    let sample = &rest[..rest.len().min(512)];
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    sample.len() >= 4 && zeros(0).abs_diff(zeros(1)) > sample.len() / 4
}
