use blake3::{Hash, Hasher};

/// Bytes of a block of a sparse hash.
const BLOCK_BYTES: usize = 64 << 10;
static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// How the two sides of an upload agree on a file: the `Upload-Hash` of its requests and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashKind {
    /// BLAKE3 of the bytes, as `b3sum` prints it.
    #[default]
    Plain,
    /// A hash that costs nothing for zeros and of which a part can be resumed; see [`FileHasher`].
    Sparse,
}

impl HashKind {
    /// Returns the name that travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sparse => "sparse",
        }
    }

    /// Returns the kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Plain, Self::Sparse].into_iter().find(|kind| kind.name() == name)
    }
}

/// Hashes a file from its start to its end.
///
/// The sparse hash is defined by blocks of 64 KiB that begin at multiples of 64 KiB; the last one may be shorter. It
/// starts with a state of 32 zero bytes. Each block with a byte other than zero replaces the state with
/// `BLAKE3(state ‖ offset ‖ BLAKE3(block))`. The hash of the file is `BLAKE3(state ‖ length)`. Offset and length are 8
/// bytes each, the lowest first.
#[derive(Clone, Debug)]
pub struct FileHasher(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Plain(Box<Hasher>),
    Sparse(Sparse),
}

#[derive(Clone, Debug)]
struct Sparse {
    state: [u8; 32],
    /// Where the block begins that has not come to its end.
    at: u64,
    /// What has come of it.
    block: Vec<u8>,
}

impl FileHasher {
    /// Starts at the start of a file.
    pub fn new(kind: HashKind) -> Self {
        match kind {
            HashKind::Plain => Self(Inner::Plain(Box::default())),
            HashKind::Sparse => Self(Inner::Sparse(Sparse { state: [0; 32], at: 0, block: Vec::new() })),
        }
    }

    /// Resumes a sparse hash from the [`state`](Self::state) that it had after `length` bytes. Returns the hasher and
    /// where it must be given the file's bytes from: the start of the block that `length` lies in.
    pub fn resume(state: &str, length: u64) -> Option<(Self, u64)> {
        let state = Hash::from_hex(state).ok()?.into();
        let at = length - length % BLOCK_BYTES as u64;
        Some((Self(Inner::Sparse(Sparse { state, at, block: Vec::new() })), at))
    }

    /// Returns what hash it is.
    pub fn kind(&self) -> HashKind {
        match self.0 {
            Inner::Plain(_) => HashKind::Plain,
            Inner::Sparse(_) => HashKind::Sparse,
        }
    }

    /// Takes the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Plain(hasher) => {
                hasher.update(bytes);
            }
            Inner::Sparse(sparse) => sparse.update(bytes),
        }
    }

    /// Takes zeros that follow, in any number. Only a plain hash takes time for them: about a second for 4 GiB.
    pub fn zeros(&mut self, count: u64) {
        match &mut self.0 {
            Inner::Plain(hasher) => {
                for _ in 0..count / BLOCK_BYTES as u64 {
                    hasher.update(&ZEROS);
                }
                hasher.update(last_zeros(count));
            }
            Inner::Sparse(sparse) => sparse.zeros(count),
        }
    }

    /// Returns the hash of the bytes so far, in hexadecimal.
    pub fn hash(&self) -> String {
        let hash = match &self.0 {
            Inner::Plain(hasher) => hasher.finalize(),
            Inner::Sparse(sparse) => sparse.hash(),
        };
        hash.to_hex().to_string()
    }

    /// Returns what [`resume`](Self::resume) needs; a plain hash has nothing of the kind.
    pub fn state(&self) -> Option<String> {
        match &self.0 {
            Inner::Plain(_) => None,
            Inner::Sparse(sparse) => Some(Hash::from_bytes(sparse.state).to_hex().to_string()),
        }
    }
}

/// The zeros after all whole blocks of so many zeros.
fn last_zeros(count: u64) -> &'static [u8] {
    &ZEROS[..usize::try_from(count % BLOCK_BYTES as u64).unwrap_or(0)]
}

impl Sparse {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((BLOCK_BYTES - self.block.len()).min(bytes.len()));
            bytes = rest;
            if piece.len() == BLOCK_BYTES {
                self.take(piece);
                continue;
            }
            self.block.extend_from_slice(piece);
            if self.block.len() == BLOCK_BYTES {
                let block = std::mem::take(&mut self.block);
                self.take(&block);
            }
        }
    }

    fn zeros(&mut self, mut count: u64) {
        let to_boundary = (BLOCK_BYTES - self.block.len()) % BLOCK_BYTES;
        let first = usize::try_from(count).unwrap_or(BLOCK_BYTES).min(to_boundary);
        self.update(&ZEROS[..first]);
        count -= first as u64;
        let last = last_zeros(count);
        self.at += count - last.len() as u64;
        self.update(last);
    }

    fn take(&mut self, block: &[u8]) {
        self.state = self.after(block);
        self.at += block.len() as u64;
    }

    /// The state when this block is the next.
    fn after(&self, block: &[u8]) -> [u8; 32] {
        if block == &ZEROS[..block.len()] {
            return self.state;
        }
        let mut hasher = Hasher::new();
        hasher.update(&self.state).update(&self.at.to_le_bytes()).update(blake3::hash(block).as_bytes());
        hasher.finalize().into()
    }

    fn hash(&self) -> Hash {
        let length = self.at + self.block.len() as u64;
        Hasher::new().update(&self.after(&self.block)).update(&length.to_le_bytes()).finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data, zeros shorter and longer than a block, and a ragged end.
    fn file() -> Vec<u8> {
        let mut file = vec![0; 7 * BLOCK_BYTES + 13];
        file[100] = 1;
        file[BLOCK_BYTES..BLOCK_BYTES + 5].fill(2);
        file[5 * BLOCK_BYTES - 1] = 3;
        file
    }

    fn of(kind: HashKind, bytes: &[u8]) -> String {
        let mut hasher = FileHasher::new(kind);
        hasher.update(bytes);
        hasher.hash()
    }

    fn defined(file: &[u8]) -> String {
        let mut state = [0; 32];
        for (index, block) in file.chunks(BLOCK_BYTES).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                let offset = (index * BLOCK_BYTES) as u64;
                let text = [&state[..], &offset.to_le_bytes(), blake3::hash(block).as_bytes()].concat();
                state = blake3::hash(&text).into();
            }
        }
        blake3::hash(&[&state[..], &(file.len() as u64).to_le_bytes()].concat()).to_hex().to_string()
    }

    #[test]
    fn the_hash_matches_its_documentation() {
        let file = file();
        assert_eq!(of(HashKind::Plain, &file), blake3::hash(&file).to_hex().to_string());
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, file.len()] {
            assert_eq!(of(HashKind::Sparse, &file[..length]), defined(&file[..length]), "{length}");
        }
    }

    #[test]
    fn pieces_and_zeros_make_no_difference() {
        let file = file();
        for kind in [HashKind::Plain, HashKind::Sparse] {
            for step in [1000, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 7] {
                let mut hasher = FileHasher::new(kind);
                for piece in file.chunks(step) {
                    if piece.iter().all(|byte| *byte == 0) {
                        hasher.zeros(piece.len() as u64);
                    } else {
                        hasher.update(piece);
                    }
                }
                assert_eq!(hasher.hash(), of(kind, &file), "{kind:?} {step}");
            }
        }
    }

    #[test]
    fn every_byte_its_place_and_the_length_matter() {
        let file = file();
        let mut others = vec![file[..file.len() - 1].to_vec(), [&file[..], &[0]].concat()];
        for at in [0, 100, 2 * BLOCK_BYTES, file.len() - 1] {
            let mut other = file.clone();
            other[at] ^= 4;
            others.push(other);
        }
        let mut moved = file.clone();
        moved.rotate_right(BLOCK_BYTES);
        others.push(moved);
        for kind in [HashKind::Plain, HashKind::Sparse] {
            for (index, other) in others.iter().enumerate() {
                assert_ne!(of(kind, other), of(kind, &file), "{kind:?} {index}");
            }
        }
    }

    #[test]
    fn a_terabyte_of_zeros_takes_no_time() {
        let mut hasher = FileHasher::new(HashKind::Sparse);
        hasher.zeros(1 << 40);
        hasher.update(b"end");
        let mut same = FileHasher::new(HashKind::Sparse);
        same.zeros((1 << 39) + 5);
        same.zeros((1 << 39) - 5);
        same.update(b"end");
        assert_eq!(hasher.hash(), same.hash());
    }

    #[test]
    fn a_sparse_hash_is_resumed_anywhere() {
        let file = file();
        for length in [0, 5, BLOCK_BYTES, BLOCK_BYTES + 3, 5 * BLOCK_BYTES, file.len()] {
            let mut first = FileHasher::new(HashKind::Sparse);
            first.update(&file[..length]);
            let (mut second, from) = FileHasher::resume(&first.state().unwrap(), length as u64).unwrap();
            second.update(&file[usize::try_from(from).unwrap()..]);
            assert_eq!(second.hash(), of(HashKind::Sparse, &file), "{length}");
        }
        assert!(FileHasher::new(HashKind::Plain).state().is_none());
        assert!(FileHasher::resume("no state", 5).is_none());
    }

    #[test]
    fn kinds_have_names() {
        for kind in [HashKind::Plain, HashKind::Sparse] {
            assert_eq!(HashKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(HashKind::from_name("Sparse"), None);
    }
}
