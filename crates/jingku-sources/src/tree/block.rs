//! The blocks that an archive consists of.

use std::io::{self, Read};

use tar::Header;

/// The size of a header, and what contents are padded to.
pub(crate) const BLOCK: usize = 512;

/// The most bytes that list the parts of a sparse file.
const SPARSE_MAP_BYTES_MAX: u64 = 1 << 20;

/// A block where a header can be.
pub(super) enum Block {
    Header(Box<Header>),
    Zeros,
    Nothing,
}

pub(super) fn read_header(source: &mut impl Read) -> io::Result<Block> {
    let mut block = Vec::with_capacity(BLOCK);
    let read = source.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
    match read {
        0 => return Ok(Block::Nothing),
        BLOCK if block.iter().all(|byte| *byte == 0) => return Ok(Block::Zeros),
        BLOCK => {}
        _ => return Err(cut_off()),
    }
    let header = Header::from_byte_slice(&block).clone();
    let sum = block.iter().enumerate().map(|(at, byte)| {
        // The field of the sum itself counts as blanks.
        u32::from(if (148..156).contains(&at) { b' ' } else { *byte })
    });
    let said = header.cksum().map_err(|_| damaged())?;
    if said == sum.sum::<u32>() { Ok(Block::Header(Box::new(header))) } else { Err(damaged()) }
}

/// Reads what follows the end mark. Fails if it is not zeros: the mark was then not the end.
pub(crate) fn read_rest(source: &mut impl Read) -> io::Result<()> {
    let mut piece = [0; 8192];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) if piece[..read].iter().all(|byte| *byte == 0) => {}
            Ok(_) => return Err(invalid("the archive has data after its end")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn damaged() -> io::Error {
    invalid("a header is damaged")
}

pub(super) fn cut_off() -> io::Error {
    invalid("the archive is cut off")
}

pub(super) fn read_sparse_map(source: &mut impl Read, header: &Header) -> io::Result<Vec<u8>> {
    let mut map = Vec::new();
    let is_sparse = header.entry_type().is_gnu_sparse();
    let mut more = is_sparse && header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        if map.len() as u64 >= SPARSE_MAP_BYTES_MAX {
            return Err(invalid("a sparse file has too many parts"));
        }
        read_onto(source, &mut map, BLOCK as u64)?;
        // The byte after the 21 parts of a block: whether another block follows.
        more = map[map.len() - BLOCK + 21 * 24] != 0;
    }
    Ok(map)
}

/// Appends exactly `length` bytes.
pub(crate) fn read_onto(source: &mut impl Read, bytes: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let read = source.by_ref().take(length).read_to_end(bytes)?;
    if read as u64 == length { Ok(()) } else { Err(cut_off()) }
}

pub(crate) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
