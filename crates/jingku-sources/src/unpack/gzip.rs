//! The members of a gzip file.

use std::io::Read;

use flate2::bufread::GzDecoder;

use super::input::{Input, Stop, Stream};
use crate::packing::{PackedFault, Packing};

/// Reads one member after another. Only zeros may follow the last one, as on a tape.
pub(super) struct GzipMembers {
    /// `None` at the end.
    member: Option<Box<GzDecoder<Input>>>,
    position: u64,
}

impl Stream for GzipMembers {
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Stop> {
        while let Some(member) = &mut self.member {
            let read = member.read(into).map_err(|error| Stop::of(Packing::Gzip, &error))?;
            self.position = member.get_ref().position;
            if read > 0 {
                return Ok(Some(read));
            }
            self.next_member()?;
        }
        Ok(Some(0))
    }

    fn position(&self) -> u64 {
        self.position
    }
}

impl GzipMembers {
    pub(super) fn start(input: Input) -> Self {
        Self { member: Some(Box::new(GzDecoder::new(input))), position: 0 }
    }

    fn next_member(&mut self) -> Result<(), Stop> {
        let Some(member) = self.member.take() else { return Ok(()) };
        let mut input = member.into_inner();
        let head = input.peek(3).map_err(Stop::Io)?;
        match *head {
            // Another member, or a truncated magic number.
            [0x1f, 0x8b, 8] | [0x1f, 0x8b] | [0x1f] => self.member = Some(Box::new(GzDecoder::new(input))),
            _ => {
                if let Some(at) = input.skip_padding().map_err(Stop::Io)? {
                    return Err(PackedFault::Followed(Packing::Gzip, at).into());
                }
                self.position = input.position;
            }
        }
        Ok(())
    }
}
