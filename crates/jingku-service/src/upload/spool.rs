//! One file on its way in.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use blake3::Hasher;
use jingku_makers::SparseWriter;

use super::spools::Place;
use crate::error::Internal;
use crate::failpoint;
use crate::room::{MARGIN_BYTES, Room};

/// Read at once when a file is hashed anew.
const READ_BYTES: usize = 1 << 20;
/// Zeros are hashed from one block of this many bytes.
static ZEROS: [u8; 256 << 10] = [0; 256 << 10];
/// How often it is looked whether there is room.
const ROOM_BYTES: u64 = 8 << 20;

/// What is known of a file between two requests.
pub(super) struct Hashed {
    hasher: Hasher,
    at: u64,
}

/// A file that one request has for itself.
pub(super) struct Spool {
    /// What is known is there while nothing goes wrong.
    place: Place,
    file: SparseWriter,
    looked_at: u64,
}

impl Spool {
    /// Opens a file, or creates it. What lies beyond `received` was not acknowledged and goes; where there is less than
    /// that, less has come. Reads what has come when this process does not know its hash.
    pub(super) fn open(mut place: Place, received: u64) -> Result<Self, Internal> {
        let file = open(&mut place, received).map_err(Internal::Spool)?;
        let looked_at = place.known.as_ref().map_or(0, |known| known.at);
        Ok(Self { place, file, looked_at })
    }

    /// How many bytes have come.
    pub(super) fn received(&self) -> u64 {
        self.place.known.as_ref().map_or(0, |known| known.at)
    }

    /// The hash of what has come, in hexadecimal.
    pub(super) fn hash(&self) -> String {
        let hash = self.place.known.as_ref().map(|known| known.hasher.finalize());
        hash.map(|hash| hash.to_hex().to_string()).unwrap_or_default()
    }

    /// Appends bytes. Tells `false` when there is no room for them; then none of them has come. After an error it is not
    /// known what has.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let at = self.received();
        if at >= self.looked_at + ROOM_BYTES {
            self.looked_at = at;
            if self.place.room.as_ref().is_some_and(is_used_up) {
                return Ok(false);
            }
        }
        match self.file.append(bytes) {
            Ok(()) => {
                if let Some(known) = &mut *self.place.known {
                    known.hasher.update(bytes);
                    known.at += bytes.len() as u64;
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
            Err(error) => {
                *self.place.known = None;
                Err(error)
            }
        }
    }

    /// Appends zeros.
    pub(super) fn append_zeros(&mut self, count: u64) {
        self.file.skip(count);
        if let Some(known) = &mut *self.place.known {
            let mut left = count;
            while left > 0 {
                let piece = ZEROS.len().min(usize::try_from(left).unwrap_or(ZEROS.len()));
                known.hasher.update(&ZEROS[..piece]);
                left -= piece as u64;
            }
            known.at += count;
        }
    }

    /// Makes durable what has come.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Err(error) = self.file.sync() {
            *self.place.known = None;
            return Err(error);
        }
        failpoint::reached("upload.bytes_durable");
        Ok(())
    }

    /// What may be taken of what is free, in bytes.
    pub(super) fn free_bytes(&self) -> u64 {
        let free = self.place.room.as_ref().and_then(|room| room.free_bytes().ok());
        free.unwrap_or(0).saturating_sub(MARGIN_BYTES)
    }
}

fn open(place: &mut Place, received: u64) -> io::Result<SparseWriter> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&place.path)?;
    let length = file.metadata()?.len();
    let known = match place.known.take() {
        Some(known) if known.at == received && length >= received => known,
        _ => {
            if let Some(folder) = place.path.parent() {
                File::open(folder)?.sync_all()?;
            }
            hash(&mut file, received.min(length))?
        }
    };
    file.set_len(known.at)?;
    let at = known.at;
    *place.known = Some(known);
    Ok(SparseWriter::new(file, at))
}

fn is_used_up(room: &Room) -> bool {
    room.free_bytes().is_ok_and(|free| free < MARGIN_BYTES)
}

fn hash(file: &mut File, length: u64) -> io::Result<Hashed> {
    let (mut hasher, mut at) = (Hasher::new(), 0);
    let mut piece = vec![0; READ_BYTES];
    let mut rest = file.take(length);
    loop {
        match rest.read(&mut piece) {
            Ok(0) => return Ok(Hashed { hasher, at }),
            Ok(read) => {
                hasher.update(&piece[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
