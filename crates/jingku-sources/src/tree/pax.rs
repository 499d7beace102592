//! The records of a PAX extended header.
//!
//! A record is `LENGTH KEY=VALUE` and a newline; LENGTH counts all of it. A value may hold any byte: extended attributes
//! are binary, and names may have newlines.

use std::io;

use tar::{EntryType, Header};

use super::block::{BLOCK, invalid};

/// A key and a value.
pub(super) type Record<'a> = (&'a [u8], &'a [u8]);

/// Reads the records of a header's content.
pub(super) fn read(mut content: &[u8]) -> io::Result<Vec<Record<'_>>> {
    let mut records = Vec::new();
    while !content.is_empty() {
        let (record, rest) = split_record(content).ok_or_else(|| invalid("an extended header is damaged"))?;
        records.push(record);
        content = rest;
    }
    Ok(records)
}

fn split_record(content: &[u8]) -> Option<(Record<'_>, &[u8])> {
    // The longest number of a usize has 20 digits.
    let digits = content.iter().take(21).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&content[..digits]).ok()?.parse().ok()?;
    let (record, rest) = content.split_at_checked(length)?;
    let record = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some(((&record[..equals], &record[equals + 1..]), rest))
}

/// The content of a header with these records, without padding.
pub(super) fn content(records: &[Record<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + length.to_string().len() > length {
            length = rest + length.to_string().len();
        }
        let number = length.to_string();
        content.extend([number.as_bytes(), b" ", key, b"=", value, b"\n"].concat());
    }
    content
}

/// A header with these records and its content, with padding; nothing for no records.
pub(super) fn write(records: &[Record<'_>]) -> Vec<u8> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut content = content(records);
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..14].copy_from_slice(b"././@PaxHeader");
    header.set_mode(0o644);
    header.set_entry_type(EntryType::XHeader);
    header.set_size(content.len() as u64);
    header.set_cksum();
    content.resize(content.len().next_multiple_of(BLOCK), 0);
    [&header.as_bytes()[..], &content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_any_bytes_are_read_as_written() {
        // The lengths around which the number of digits changes.
        for length in (0..120).chain(980..1000) {
            let value = vec![b'\n'; length];
            let records = [(&b"SCHILY.xattr.user.a"[..], &value[..]), (b"path", b"a\n7 b=c\n")];
            let written = write(&records);
            let size = Header::from_byte_slice(&written[..BLOCK]).entry_size().unwrap();
            let content = &written[BLOCK..][..usize::try_from(size).unwrap()];
            assert_eq!(read(content).unwrap(), records, "{length}");
        }
    }

    #[test]
    fn damaged_records_are_refused() {
        for content in
            [&b"x"[..], b"6 a=b", b"5 a=b\n", b"7 a=b\n", b" a=b\n", b"-6 a=b\n", b"6 a b\n", b"0 ", b"2 \n"]
        {
            assert!(read(content).is_err(), "{}", content.escape_ascii());
        }
        assert!(read(b"").unwrap().is_empty());
    }
}
