//! The frames of a zstd file.
//!
//! The header of each frame is parsed first, so that errors can name what it requires, and so that only one stream at a
//! time gets much memory.

use std::io::{self, BufRead};
use std::sync::{Mutex, MutexGuard, TryLockError};

use ::zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use ::zstd::zstd_safe::DParameter;

use super::input::{Input, Stop, Stream};
use crate::packing::{PackedFault, Packing, ZSTD_WINDOW_BITS_MAX, ZSTD_WINDOW_BYTES_MAX};

/// The largest window that every stream may have, in bytes: the most that `zstd` uses without a request for more
/// memory. Streams with a larger one are read one at a time.
const SHARED_WINDOW_BYTES_MAX: u64 = 128 << 20;
/// Locked by the stream with the large window.
static LARGE_WINDOW: Mutex<()> = Mutex::new(());

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The longest header of a zstd frame, magic number included.
const HEADER_BYTES_MAX: usize = 18;

/// Reads one frame after another. Only zeros may follow the last one.
pub(super) struct ZstdFrames {
    input: Input,
    decoder: Decoder<'static>,
    in_frame: bool,
    ended: bool,
    large_window: Option<MutexGuard<'static, ()>>,
}

impl Stream for ZstdFrames {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Stop> {
        loop {
            if self.ended || !self.in_frame && !self.begin_frame()? {
                return Ok(self.ended.then_some(0));
            }
            let mut output = OutBuffer::around(into);
            let buffer = self.input.fill_buf().map_err(Stop::Io)?;
            let is_end = buffer.is_empty();
            let mut taken = InBuffer::around(buffer);
            let left = self.decoder.run(&mut taken, &mut output);
            let left = left.map_err(|error| PackedFault::Damaged(Packing::Zstd, error.to_string()))?;
            let consumed = taken.pos();
            self.input.consume(consumed);
            self.in_frame = left > 0;
            match output.pos() {
                0 if is_end && self.in_frame => return Err(PackedFault::EndsEarly(Packing::Zstd).into()),
                0 => {}
                read => return Ok(Some(read)),
            }
        }
    }

    fn position(&self) -> u64 {
        self.input.position
    }
}

impl ZstdFrames {
    pub(super) fn start(input: Input) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_BITS_MAX))?;
        Ok(Self { input, decoder, in_frame: false, ended: false, large_window: None })
    }

    /// Parses the header of the next frame. Returns `false` at the end, and if the frame must wait for memory.
    fn begin_frame(&mut self) -> Result<bool, Stop> {
        let head = self.input.peek(HEADER_BYTES_MAX).map_err(Stop::Io)?;
        match *head {
            // A skippable frame.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {}
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let frame = Frame::parse(&head).ok_or(PackedFault::EndsEarly(Packing::Zstd))?;
                if frame.dictionary != 0 {
                    return Err(PackedFault::NeedsDictionary(frame.dictionary).into());
                }
                if frame.window > ZSTD_WINDOW_BYTES_MAX {
                    return Err(PackedFault::NeedsMemory(frame.window).into());
                }
                if frame.window > SHARED_WINDOW_BYTES_MAX && !self.take_large_window() {
                    return Ok(false);
                }
            }
            _ if is_cut_magic(&head) => return Err(PackedFault::EndsEarly(Packing::Zstd).into()),
            _ => {
                if let Some(at) = self.input.skip_padding().map_err(Stop::Io)? {
                    return Err(PackedFault::Followed(Packing::Zstd, at).into());
                }
                self.ended = true;
                return Ok(false);
            }
        }
        self.decoder.reinit().map_err(Stop::Io)?;
        self.in_frame = true;
        Ok(true)
    }

    fn take_large_window(&mut self) -> bool {
        if self.large_window.is_none() {
            self.large_window = match LARGE_WINDOW.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
        }
        self.large_window.is_some()
    }
}

/// Whether the file ends within the magic number of a frame.
fn is_cut_magic(head: &[u8]) -> bool {
    let is_skippable = matches!(*head, [0x50..=0x5f] | [0x50..=0x5f, 0x2a] | [0x50..=0x5f, 0x2a, 0x4d]);
    !head.is_empty() && (MAGIC.starts_with(head) || is_skippable)
}

/// The requirements of a frame: RFC 8878, section 3.1.1.1.
struct Frame {
    window: u64,
    dictionary: u32,
}

impl Frame {
    /// `None` if the header is truncated.
    fn parse(head: &[u8]) -> Option<Self> {
        let descriptor = *head.get(4)?;
        let single_segment = descriptor & 0x20 != 0;
        let mut at = 5;
        let mut take = |count: usize| {
            let bytes = head.get(at..at + count)?;
            at += count;
            Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        };
        let window = if single_segment { None } else { Some(take(1)?) };
        let dictionary = take([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let content = match (descriptor >> 6, single_segment) {
            (0, false) => 0,
            (0, true) => take(1)?,
            (1, _) => take(2)? + 256,
            (2, _) => take(4)?,
            _ => take(8)?,
        };
        let window = window.map_or(content, |byte| {
            let base = 1_u64 << (10 + (byte >> 3));
            base + base / 8 * (byte & 7)
        });
        Some(Self { window, dictionary: u32::try_from(dictionary).unwrap_or(u32::MAX) })
    }
}
