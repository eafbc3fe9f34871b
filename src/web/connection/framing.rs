//! Finds where one request ends and the next begins in what a client sends.
//!
//! actix-http parses requests. This code only follows along, to know at each moment what a connection waits for. What
//! it cannot follow, actix-http refuses as well (two lengths, or a length and chunks), so only timeouts depend on it.

/// The maximum length of a header line that is examined when it arrives in pieces, in bytes. The lines that matter are
/// short.
const LONGEST_LINE: usize = 256;
/// How many bytes of a request line are kept: enough to see which group of routes it is for.
const LINE_BEGIN: usize = 24;

/// What a client has sent so far.
#[derive(Debug, Default)]
pub struct Framing {
    part: Part,
    /// The beginning of a line that is not complete yet.
    line: Vec<u8>,
    length: Length,
    heads: u64,
    request_line: [u8; LINE_BEGIN],
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The first line of a request, of which nothing has arrived yet.
    #[default]
    Start,
    /// The first line of a request, which has begun.
    RequestLine,
    /// The rest of a head.
    Head,
    /// A body with this many bytes still to come.
    Body(u64),
    /// The line with the size of a chunk.
    ChunkSize,
    /// A chunk with this many bytes still to come, including the end of its line.
    Chunk(u64),
    /// The lines after the last chunk.
    Trailer,
    /// Unknown: the client's data cannot be followed.
    Lost,
}

/// What a head says about its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Length {
    #[default]
    None,
    Bytes(u64),
    Chunks,
}

impl Framing {
    /// What the next byte belongs to.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Returns how many complete heads have arrived.
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Returns whether the newest head requests an address with this prefix. `prefix` has at most 15 bytes.
    pub fn asks_for(&self, prefix: &[u8]) -> bool {
        let target = self.request_line.split(|byte| *byte == b' ').nth(1);
        target.is_some_and(|target| target.starts_with(prefix))
    }

    /// Follows what arrives, and removes offers of another protocol from it. Jeton speaks no other protocol, and an
    /// upgrade that is not accepted must be ignored (RFC 9110, section 7.8). Otherwise actix-http would close the
    /// connection, or treat what follows as a body without end.
    pub fn follow(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = match self.part {
                Part::Lost => return,
                Part::Body(left) => self.skip(left, bytes.len(), Part::Body, Part::Start),
                Part::Chunk(left) => self.skip(left, bytes.len(), Part::Chunk, Part::ChunkSize),
                _ => self.take_line(bytes),
            };
            bytes = &mut bytes[taken..];
        }
    }

    fn skip(&mut self, left: u64, here: usize, same: fn(u64) -> Part, next: Part) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        let left = left - taken as u64;
        self.part = if left == 0 { next } else { same(left) };
        taken
    }

    /// Consumes a line, or the piece of one that has arrived, and returns its length.
    fn take_line(&mut self, bytes: &mut [u8]) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        let (piece, is_whole) = match end {
            Some(end) => (&mut bytes[..=end], true),
            None => (&mut bytes[..], false),
        };
        let taken = piece.len();
        if self.part == Part::Start {
            self.begin(piece);
        }
        if is_whole && self.line.is_empty() {
            self.whole(piece);
        } else {
            let room = LONGEST_LINE.saturating_sub(self.line.len()).min(piece.len());
            self.line.extend_from_slice(&piece[..room]);
            if is_whole {
                let mut line = std::mem::take(&mut self.line);
                self.whole(&mut line);
            }
        }
        taken
    }

    /// Handles the first piece of a request line. An empty line before a request is ignored (RFC 9112, section 2.2).
    fn begin(&mut self, piece: &[u8]) {
        if trimmed(piece).is_empty() && trimmed(&self.line).is_empty() {
            return;
        }
        self.keep(piece);
        self.length = Length::None;
        self.part = Part::RequestLine;
    }

    fn keep(&mut self, request_line: &[u8]) {
        let kept = request_line.len().min(LINE_BEGIN);
        self.request_line = [0; LINE_BEGIN];
        self.request_line[..kept].copy_from_slice(&request_line[..kept]);
    }

    fn whole(&mut self, line: &mut [u8]) {
        let content = trimmed(line);
        match self.part {
            Part::RequestLine => {
                self.keep(content);
                // What follows is not a request (RFC 9110, section 9.3.6).
                self.part = if content.starts_with(b"CONNECT ") { Part::Lost } else { Part::Head };
            }
            Part::Head if content.is_empty() => self.end_head(),
            Part::Head => self.header(line),
            Part::ChunkSize => self.part = chunk(content),
            Part::Trailer if content.is_empty() => self.part = Part::Start,
            _ => {}
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        self.part = match self.length {
            Length::None | Length::Bytes(0) => Part::Start,
            Length::Bytes(bytes) => Part::Body(bytes),
            Length::Chunks => Part::ChunkSize,
        };
    }

    fn header(&mut self, line: &mut [u8]) {
        // Most headers end here.
        if !matches!(line.first().map(u8::to_ascii_lowercase), Some(b'c' | b't' | b'u')) {
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at_mut(colon);
        let value = &mut value[1..];
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"upgrade") {
            blank(value);
        } else if is(b"connection") {
            value.split_mut(|byte| *byte == b',').filter(|option| is_upgrade(option)).for_each(blank);
        } else if is(b"content-length") {
            match std::str::from_utf8(trimmed(value)).ok().and_then(|length| length.parse().ok()) {
                Some(length) if self.length == Length::None => self.length = Length::Bytes(length),
                _ => self.part = Part::Lost,
            }
        } else if is(b"transfer-encoding") {
            match trimmed(value).eq_ignore_ascii_case(b"chunked") && self.length == Length::None {
                true => self.length = Length::Chunks,
                false => self.part = Part::Lost,
            }
        }
    }
}

fn is_upgrade(option: &[u8]) -> bool {
    trimmed(option).eq_ignore_ascii_case(b"upgrade")
}

fn blank(value: &mut [u8]) {
    value.iter_mut().filter(|byte| !matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// Returns what follows the line with the size of a chunk (RFC 9112, section 7.1): the chunk and its line end, or the
/// trailer.
fn chunk(line: &[u8]) -> Part {
    let digits = line.split(|byte| *byte == b';').next().map_or(line, trimmed);
    let size = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match size {
        Some(0) => Part::Trailer,
        Some(size) => Part::Chunk(size.saturating_add(2)),
        None => Part::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the next part after these bytes and the number of complete heads, and checks that they are the same
    /// however the bytes are split.
    fn after(sent: &str) -> (Part, u64) {
        let whole = fed(&[sent.as_bytes()]);
        for cut in 1..sent.len() {
            let (one, two) = sent.as_bytes().split_at(cut);
            assert_eq!(fed(&[one, two]), whole, "cut at {cut} of {sent:?}");
        }
        let bytes: Vec<&[u8]> = sent.as_bytes().chunks(1).collect();
        assert_eq!(fed(&bytes), whole, "byte by byte: {sent:?}");
        whole
    }

    fn fed(pieces: &[&[u8]]) -> (Part, u64) {
        let mut framing = Framing::default();
        for piece in pieces {
            framing.follow(&mut piece.to_vec());
        }
        (framing.part(), framing.heads())
    }

    #[test]
    fn a_request_ends_with_its_head_or_its_body() {
        for (sent, next) in [
            ("", (Part::Start, 0)),
            ("\r\n", (Part::Start, 0)),
            ("G", (Part::RequestLine, 0)),
            ("GET / HTTP/1.1\r\nHost: x\r\n", (Part::Head, 0)),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", (Part::Start, 1)),
            ("GET / HTTP/1.1\nHost: x\n\n", (Part::Start, 1)),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\nG", (Part::RequestLine, 1)),
            ("\r\nGET / HTTP/1.1\r\n\r\n\r\n", (Part::Start, 1)),
            ("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\n", (Part::Body(3), 1)),
            ("POST / HTTP/1.1\r\nContent-LENGTH:3 \r\n\r\na\nb", (Part::Start, 1)),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcP", (Part::RequestLine, 1)),
            ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", (Part::Start, 1)),
        ] {
            assert_eq!(after(sent), next, "{sent:?}");
        }
    }

    #[test]
    fn chunks_end_with_an_empty_one_and_their_trailer() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (body, next) in [
            ("", (Part::ChunkSize, 1)),
            ("3", (Part::ChunkSize, 1)),
            ("3\r\nab", (Part::Chunk(3), 1)),
            ("3\r\nabc\r\n", (Part::ChunkSize, 1)),
            ("A;name=value\r\n0123456789\r\n0\r\n", (Part::Trailer, 1)),
            ("0\r\nName: value\r\n\r\n", (Part::Start, 1)),
            ("1\r\nx\r\n0\r\n\r\nGET /", (Part::RequestLine, 1)),
            ("x\r\n", (Part::Lost, 1)),
        ] {
            assert_eq!(after(&format!("{head}{body}")), next, "{body:?}");
        }
    }

    #[test]
    fn an_ambiguous_request_ends_the_connection() {
        for headers in [
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Content-Length: x\r\n",
            "Content-Length: -1\r\n",
        ] {
            assert_eq!(after(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).0, Part::Lost, "{headers}");
        }
        assert_eq!(after("CONNECT x:1 HTTP/1.1\r\n").0, Part::Lost);
    }

    #[test]
    fn offers_of_another_protocol_are_removed() {
        let shown = |line: &str| {
            let mut sent = format!("GET / HTTP/1.1\r\n{line}\r\nHost: x\r\n\r\n").into_bytes();
            let mut framing = Framing::default();
            framing.follow(&mut sent);
            let sent = String::from_utf8(sent).unwrap();
            sent.lines().nth(1).unwrap().to_owned()
        };
        assert_eq!(shown("Connection: Upgrade, HTTP2-Settings"), "Connection:        , HTTP2-Settings");
        assert_eq!(shown("connection: keep-alive, upgrade"), "connection: keep-alive,        ");
        assert_eq!(shown("CONNECTION:upgrade"), "CONNECTION:       ");
        assert_eq!(shown("Upgrade: h2c"), "Upgrade:    ");
        assert_eq!(shown("Upgrade: websocket").trim_end(), "Upgrade:");
        for same in ["Connection: close", "Connection: upgraded", "X-Upgrade: h2c", "Upgrade-Insecure-Requests: 1"] {
            assert_eq!(shown(same), same);
        }
    }

    #[test]
    fn the_requested_address_is_known_from_the_first_bytes() {
        let mut framing = Framing::default();
        framing.follow(&mut b"GET /verify/apis/k7m2q9xd4t HTTP/1.1\r\n\r\nPOST /verif".to_vec());
        assert!(!framing.asks_for(b"/verify"));
        framing.follow(&mut b"\r\n\r\nGET /verify?x HTTP/1.1\r\n".to_vec());
        assert!(framing.asks_for(b"/verify"));
        assert!(!framing.asks_for(b"/verified"));
    }
}
