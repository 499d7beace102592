//! Archives without a magic number at their start.

use super::foreign::Foreign;
use super::probe::Probe;

const BLOCK: usize = 512;
/// The checksum of a tar header, in octal digits.
const SUM: std::ops::Range<usize> = 148..156;
/// The longest plausible name in a binary cpio archive.
const NAME_MAX: u16 = 4096;

pub(super) fn find(probe: &Probe<'_>) -> Option<Foreign> {
    let block = probe.bytes(0, BLOCK);
    if let Some(header) = block.filter(|header| is_tar(header)) {
        let name = header[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let is_ova = name.to_ascii_lowercase().ends_with(b".ovf");
        let (name, command) = if is_ova {
            ("an OVA archive", "tar -xf FILE, then qemu-img convert -O qcow2 DISK.vmdk disk.qcow2")
        } else {
            ("a tar archive", "tar -xf FILE")
        };
        return Some(Foreign::new(name, command));
    }
    if ends_as_zip(probe) {
        return Some(Foreign::new("a zip archive behind something else", "unzip FILE"));
    }
    let cpio = [&b"070701"[..], b"070702", b"070707"].iter().any(|magic| probe.has(0, magic))
        || is_binary_cpio(probe);
    cpio.then_some(Foreign::new("a cpio archive", "cpio -id < FILE"))
}

/// The checksum of a tar header must match. The oldest headers have no magic number.
fn is_tar(header: &[u8]) -> bool {
    let Some(said) = octal(&header[SUM]) else { return false };
    let bytes = header.iter().enumerate().map(|(at, byte)| if SUM.contains(&at) { b' ' } else { *byte });
    let (unsigned, signed) = bytes.fold((0_i64, 0_i64), |(unsigned, signed), byte| {
        // Some programs add signed bytes.
        (unsigned + i64::from(byte), signed + i64::from(byte.cast_signed()))
    });
    said == unsigned || said == signed
}

/// Octal digits, padded with blanks or zeros.
fn octal(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    i64::from_str_radix(text, 8).ok().filter(|number| *number > 0)
}

/// The record at the end of a zip archive, which may begin with anything, such as the program that unpacks it.
fn ends_as_zip(probe: &Probe<'_>) -> bool {
    const LEN: u32 = 22;
    let Some(at) = probe.size.checked_sub(u64::from(LEN)) else { return false };
    let (Some(directory_len), Some(directory_at)) = (probe.u32_le(at + 12), probe.u32_le(at + 16)) else {
        return false;
    };
    probe.has(at, b"PK\x05\x06\0\0\0\0")
        && probe.u16_le(at + 20) == Some(0)
        && u64::from(directory_at) + u64::from(directory_len) <= at
}

/// The magic number has only two bytes, so the name of the first member must be plausible.
fn is_binary_cpio(probe: &Probe<'_>) -> bool {
    let Some(header) = probe.bytes(0, 26) else { return false };
    let word: fn([u8; 2]) -> u16 = match header[..2] {
        [0xc7, 0x71] => u16::from_le_bytes,
        [0x71, 0xc7] => u16::from_be_bytes,
        _ => return false,
    };
    let len = word([header[20], header[21]]);
    let name = probe.bytes(26, usize::from(len)).filter(|_| (2..=NAME_MAX).contains(&len));
    name.and_then(|name| name.split_last())
        .is_some_and(|(end, name)| *end == 0 && !name.iter().any(u8::is_ascii_control))
}
