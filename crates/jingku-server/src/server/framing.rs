//! Detects ambiguous message framing: a request head that states the length of its body more than once.
//!
//! Servers disagree about a head with both `Content-Length` and `Transfer-Encoding`, or with several lengths: request
//! smuggling. The HTTP parser keeps one of them and hides the others, so the bytes are inspected before it.

/// Maximum bytes kept of a line. The inspected headers are far shorter.
const LINE_BYTES_MAX: usize = 128;

/// Follows the received bytes of a connection from head to head.
#[derive(Default)]
pub(super) struct Framing {
    position: Position,
    line: Vec<u8>,
    head: Head,
}

#[derive(Default)]
enum Position {
    /// Blank lines may precede the request line.
    #[default]
    RequestLine,
    Head,
    /// A body with this many bytes left.
    Body(u64),
    /// A chunked body: the parser finds its end.
    Chunked,
}

#[derive(Clone, Copy, Default)]
struct Head {
    length: Option<u64>,
    lengths: u32,
    encodings: u32,
}

impl Framing {
    /// Reads the next bytes. Returns whether an ambiguous head ended in them.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        let mut ambiguous = false;
        while !bytes.is_empty() {
            match &mut self.position {
                Position::Chunked => break,
                Position::Body(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.position = Position::RequestLine;
                    }
                }
                Position::RequestLine | Position::Head => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.keep(bytes);
                        break;
                    };
                    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
                    bytes = rest;
                    if self.line.is_empty() {
                        ambiguous |= self.end_line(line);
                    } else {
                        self.keep(line);
                        let line = std::mem::take(&mut self.line);
                        ambiguous |= self.end_line(&line);
                    }
                }
            }
        }
        ambiguous
    }

    /// Expects a new head: the last response was sent.
    pub(super) fn begin(&mut self) {
        if matches!(self.position, Position::Chunked) {
            self.position = Position::RequestLine;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Reads a line without its line feed. Returns whether it ends an ambiguous head.
    fn end_line(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (&self.position, line.is_empty()) {
            (Position::RequestLine, true) => {}
            (Position::RequestLine, false) => (self.position, self.head) = (Position::Head, Head::default()),
            (_, false) => self.head.read(line),
            (_, true) => {
                self.position = match self.head {
                    Head { encodings: 1.., .. } => Position::Chunked,
                    Head { length: Some(length @ 1..), .. } => Position::Body(length),
                    Head { .. } => Position::RequestLine,
                };
                return self.head.lengths + self.head.encodings > 1;
            }
        }
        false
    }
}

impl Head {
    fn read(&mut self, line: &[u8]) {
        // The first byte rules out most lines.
        match line.first() {
            Some(b'c' | b'C') => {
                if let Some(value) = value(line, b"content-length:") {
                    self.lengths += 1;
                    // The parser refuses anything but a number.
                    self.length = str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
                }
            }
            Some(b't' | b'T') if value(line, b"transfer-encoding:").is_some() => self.encodings += 1,
            _ => {}
        }
    }
}

fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads bytes in pieces of this size and counts the ambiguous heads.
    fn ambiguous(bytes: &str, piece: usize) -> usize {
        let mut framing = Framing::default();
        bytes.as_bytes().chunks(piece).filter(|bytes| framing.read(bytes)).count()
    }

    #[test]
    fn an_ambiguous_head_is_found_however_it_is_split() {
        for head in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\ncontent-LENGTH:5",
            "Content-Length: 5\r\nX: y\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ] {
            for (end, pad) in [("\r\n", ""), ("\n", "\r\n\r\n")] {
                let head = head.replace("\r\n", end);
                let request = format!("{pad}POST / HTTP/1.1{end}Host: a{end}{head}{end}{end}hello");
                for piece in [1, 2, 7, 1000] {
                    assert_eq!(ambiguous(&request, piece), 1, "{request:?} by {piece}");
                }
            }
        }
    }

    #[test]
    fn bodies_and_long_lines_are_skipped() {
        let body = "\r\n\r\nA\nContent-Length: 1\nTransfer-Encoding: chunked\n\n";
        let plain = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let long = format!(
            "GET /?{} HTTP/1.1\r\nX-Content-Length: 1\r\nContent-Length: 0\r\n\r\n",
            "a".repeat(5000)
        );
        let chunked = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        for piece in [1, 3, 1000, 100_000] {
            assert_eq!(ambiguous(&format!("{plain}{long}{plain}{chunked}"), piece), 0);
            let wrong = "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n";
            assert_eq!(ambiguous(&format!("{plain}{long}{wrong}"), piece), 1);
        }
    }

    #[test]
    fn the_head_after_a_chunked_body_is_inspected() {
        let mut framing = Framing::default();
        assert!(!framing.read(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
        framing.begin();
        assert!(framing.read(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }
}
