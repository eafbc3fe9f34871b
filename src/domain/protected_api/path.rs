//! Paths: of requests, of rules and of base addresses. Each can be read in one way only.

use super::word::Word;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// The maximum length of an address or of a rule's path in characters.
pub const LONGEST_PATH: usize = 100;

/// Why an address or a rule's path is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It is not an address of the form `https://api.example.org/v1/`.
    #[error("no address")]
    NoAddress,
    /// It does not begin with a slash.
    #[error("no slash at the beginning")]
    NoSlash,
    /// It is longer than [`LONGEST_PATH`].
    #[error("too long")]
    TooLong,
    /// It has a star that is not alone between slashes, or `**` before the end.
    #[error("a star in the wrong place")]
    Star,
    /// It has something that no accepted request has in its path: a forbidden character, an empty part, or `.` or `..`.
    #[error("a character that no path has")]
    Character,
    /// A part of it has a dot or white space at its end, an invisible character, or one that is equivalent to others,
    /// such as a full-width letter: some servers would read another path.
    #[error("a part that servers read in more ways than one")]
    Loose,
    /// It has braces that are no `{item}` between slashes, or a second `{item}`.
    #[error("braces in the wrong place")]
    Braces,
    /// It has `{item}`, but nothing says of which kind.
    #[error("an item of no kind")]
    NoKind,
    /// There is a kind, but no `{item}`.
    #[error("no item")]
    NoItem,
}

/// What stands in a pattern for the external id of an item.
pub const ITEM: &str = "{item}";

/// The path pattern of a rule: `/orders/*` matches one part after `/orders`, `/orders/**` matches `/orders` and
/// everything below it, and `/orders/{item}` matches one part that names an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Word),
    Any,
    Item,
}

impl Pattern {
    /// Parses a pattern as typed, which is not percent-encoded. It is composed (NFC).
    ///
    /// # Errors
    /// [`PathError`] says what is wrong.
    pub fn typed(typed: &str) -> Result<Self, PathError> {
        let pattern = Self::parse(&typed.nfc().collect::<String>())?;
        let words = || {
            pattern.parts.iter().filter_map(|part| match part {
                Part::Text(word) => Some(word),
                Part::Any | Part::Item => None,
            })
        };
        let items = pattern.parts.iter().filter(|part| matches!(part, Part::Item)).count();
        if items > 1 || words().any(|word| word.as_str().contains(['{', '}'])) {
            return Err(PathError::Braces);
        }
        if words().all(Word::is_canonical) { Ok(pattern) } else { Err(PathError::Loose) }
    }

    /// Parses a pattern that was accepted before.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong.
    pub fn parse(typed: &str) -> Result<Self, PathError> {
        let typed = typed.trim();
        if typed.chars().count() > LONGEST_PATH {
            return Err(PathError::TooLong);
        }
        let rest = typed.strip_prefix('/').ok_or(PathError::NoSlash)?;
        let (rest, is_open) = match rest.strip_suffix("**") {
            Some(before) if before.is_empty() || before.ends_with('/') => (before, true),
            Some(_) => return Err(PathError::Star),
            None => (rest, false),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let parts = if rest.is_empty() { Vec::new() } else { rest.split('/').map(part).collect::<Result<_, _>>()? };
        Ok(Self { parts, is_open })
    }

    /// Returns whether the pattern matches the parts of a path, where `same` compares two parts.
    pub(super) fn matches(&self, segments: &[Word], same: impl Fn(&Word, &Word) -> bool) -> bool {
        let is_long_enough = segments.len() == self.parts.len() || (self.is_open && segments.len() > self.parts.len());
        let fits = |(part, segment): (&Part, &Word)| match part {
            Part::Any | Part::Item => true,
            Part::Text(word) => same(word, segment),
        };
        is_long_enough && self.parts.iter().zip(segments).all(fits)
    }

    /// Returns whether a part of it names an item.
    pub fn has_item(&self) -> bool {
        self.parts.contains(&Part::Item)
    }

    /// Returns the part of a path that names an item.
    pub(super) fn item<'a>(&self, segments: &'a [Word]) -> Option<&'a Word> {
        segments.get(self.parts.iter().position(|part| *part == Part::Item)?)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(word) => write!(out, "/{}", word.as_str())?,
                Part::Any => out.write_str("/*")?,
                Part::Item => write!(out, "/{ITEM}")?,
            }
        }
        match (self.is_open, self.parts.is_empty()) {
            (true, _) => out.write_str("/**"),
            (false, true) => out.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

fn part(text: &str) -> Result<Part, PathError> {
    match text {
        "*" => Ok(Part::Any),
        ITEM => Ok(Part::Item),
        starred if starred.contains('*') => Err(PathError::Star),
        plain => Word::new(plain.to_owned()).map(Part::Text).ok_or(PathError::Character),
    }
}

/// The base address of an API's requests, such as `https://api.example.org/v1/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host_end: usize,
    segments: Vec<Word>,
}

impl BaseUrl {
    /// Parses an `http://` or `https://` address without query or user.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong.
    pub fn parse(typed: &str) -> Result<Self, PathError> {
        let typed = typed.trim().trim_end_matches('/');
        if typed.chars().count() > LONGEST_PATH {
            return Err(PathError::TooLong);
        }
        let scheme = ["https://", "http://"].into_iter().find(|scheme| typed.starts_with(scheme));
        let scheme = scheme.ok_or(PathError::NoAddress)?;
        let rest = &typed[scheme.len()..];
        let host = rest.split('/').next().unwrap_or_default();
        if !is_host(host) {
            return Err(PathError::NoAddress);
        }
        let path = &rest[host.len()..];
        if path.contains(['*', '?', '#']) {
            return Err(PathError::NoAddress);
        }
        let is_simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        if !path.chars().all(is_simple) {
            return Err(PathError::Character);
        }
        let segments: Option<Vec<Word>> = path.split('/').skip(1).map(|part| Word::new(part.to_owned())).collect();
        let segments = segments.ok_or(PathError::Character)?;
        let host_end = scheme.len() + host.len();
        Ok(Self { text: format!("{}{path}/", typed[..host_end].to_lowercase()), host_end, segments })
    }

    /// Returns the whole address, which ends with a slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the scheme and host, without a slash at the end.
    pub fn site(&self) -> &str {
        &self.text[..self.host_end]
    }

    /// Returns the host, with the port if there is one.
    pub fn host(&self) -> &str {
        self.site().split_once("://").map_or("", |(_, host)| host)
    }

    /// Returns the path, which begins and ends with a slash.
    pub fn path(&self) -> &str {
        &self.text[self.host_end..]
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    name.split('.').all(label) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The path of a request in the only form that rules see: percent-decoded once and split into its parts. A slash at the
/// end makes no difference, as in most APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(Vec<Word>);

/// The path can be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("ambiguous path")]
pub struct Ambiguous;

impl RequestPath {
    /// Parses the target of a request as it was sent, in origin form or absolute form, without the query.
    ///
    /// # Errors
    /// [`Ambiguous`].
    pub fn parse(target: &[u8]) -> Result<Self, Ambiguous> {
        let target = [&b"https://"[..], b"http://"].into_iter().find_map(|scheme| target.strip_prefix(scheme)).map_or(
            target,
            |behind| match behind.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')) {
                Some(at) => &behind[at..],
                None => b"/",
            },
        );
        let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        let rest = path.strip_prefix(b"/").ok_or(Ambiguous)?;
        let rest = rest.strip_suffix(b"/").unwrap_or(rest);
        if rest.is_empty() {
            // Two slashes are not the same as one.
            return if path == b"/" { Ok(Self(Vec::new())) } else { Err(Ambiguous) };
        }
        rest.split(|byte| *byte == b'/').map(segment).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the parts after those of the base address, if the path begins with them.
    pub(super) fn behind(&self, address: &BaseUrl) -> Option<&[Word]> {
        self.0.strip_prefix(&address.segments[..])
    }
}

fn segment(encoded: &[u8]) -> Result<Word, Ambiguous> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match *byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(*digit).to_digit(16)).ok_or(Ambiguous);
                u8::try_from(digit()? * 16 + digit()?).map_err(|_| Ambiguous)?
            }
            b' ' => return Err(Ambiguous),
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().and_then(Word::new).ok_or(Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<RequestPath, Ambiguous> {
        RequestPath::parse(target.as_bytes())
    }

    #[test]
    fn a_path_has_one_form() {
        let word = |text: &&str| Word::new((*text).to_owned()).unwrap();
        let of = |segments: &[&str]| Ok(RequestPath(segments.iter().map(word).collect()));
        assert_eq!(path("/"), of(&[]));
        assert_eq!(path("/v1/orders/"), of(&["v1", "orders"]));
        assert_eq!(path("/v1/orders?next=//x/..%2f"), of(&["v1", "orders"]));
        assert_eq!(path("https://api.example.org/v1/orders"), of(&["v1", "orders"]));
        assert_eq!(path("http://api.example.org?x"), path(""), "an absolute address has a path");
        assert_eq!(path("https://api.example.org"), of(&[]));
        assert_eq!(path("/caf%C3%A9/a%20b/%7e...x"), of(&["café", "a b", "~...x"]));
        assert_eq!(path("/café"), of(&["café"]));
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_ambiguous() {
        for odd in [
            "",
            "*",
            "v1",
            "//",
            "//v1",
            "/v1//orders",
            "/v1///",
            "/v1/./x",
            "/v1/../x",
            "/..",
            "/.",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/..;/x",
            "/a;b",
            "/a%3bb",
            "/a%00",
            "/a%0d%0a",
            "/a\tb",
            "/a b",
            "/a%7f",
            "/a%252e",
            "/%25",
            "/%",
            "/%2",
            "/%zz",
            "/%c0%ae",
            "/%ff",
            "/%c3",
            "/a%23",
            "/a#b",
            "/a%3fb",
            "/%c2%85",
            "/%+1",
            "/a%EF%BC%8Fb",
            "/%E2%80%8B/x",
            "/x/%20/y",
            "/%E2%80%A5/x",
        ] {
            assert_eq!(path(odd), Err(Ambiguous), "{odd:?}");
        }
    }

    #[test]
    fn patterns_are_written_as_they_were_typed() {
        for text in ["/", "/**", "/orders", "/orders/*", "/orders/**", "/*/lines/*", "/été/*/**", "/x/{item}/**"] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Pattern::parse(" /orders/ ").unwrap().to_string(), "/orders");
        for (text, error) in [
            ("orders", PathError::NoSlash),
            ("", PathError::NoSlash),
            ("/o*", PathError::Star),
            ("/**/x", PathError::Star),
            ("/x**", PathError::Star),
            ("/a//b", PathError::Character),
            ("/a/../b", PathError::Character),
            ("/a%20b", PathError::Character),
            ("/a?b", PathError::Character),
            ("/a;b", PathError::Character),
            ("/a\u{0}", PathError::Character),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Pattern::parse(&format!("/{}", "a".repeat(100))), Err(PathError::TooLong));
    }

    #[test]
    fn a_new_pattern_means_the_same_to_every_server() {
        for text in ["/", "/**", "/Orders/*/**", "/été/*", "/.well-known/x.json"] {
            assert_eq!(Pattern::typed(text).map(|pattern| pattern.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Pattern::typed("/e\u{301}te\u{301}").map(|pattern| pattern.to_string()).as_deref(), Ok("/été"));
        for text in ["/{id}", "/x{item}", "/{item}/{item}", "/{Item}", "/a{/b}", "/{}"] {
            assert_eq!(Pattern::typed(text), Err(PathError::Braces), "{text}");
        }
        for text in
            ["/admin./**", "/admin /x", "/a\u{a0}/x", "/x/ y", "/ad\u{200b}min", "/\u{ff41}dmin", "/o\u{fb03}ce"]
        {
            assert_eq!(Pattern::typed(text), Err(PathError::Loose), "{text:?}");
            assert!(Pattern::parse(text).is_ok(), "an existing one keeps working: {text:?}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_plain_path() {
        let address = BaseUrl::parse(" https://API.example.org:8443/v1 ").unwrap();
        assert_eq!(address.as_str(), "https://api.example.org:8443/v1/");
        assert_eq!((address.host(), address.path()), ("api.example.org:8443", "/v1/"));
        assert_eq!(BaseUrl::parse("http://localhost").unwrap().path(), "/");
        for wrong in [
            "",
            "api.example.org",
            "ftp://x/",
            "https://",
            "https:///v1",
            "https://a b/",
            "https://x:0/",
            "https://a@x/",
            "https://x/?q",
            "https://x/a%20b",
            "https://x/../y",
            "https://x/a//b",
            "https://x/a;b",
            "https://x/\"",
            "https://x/{}",
            "https://x/*",
        ] {
            assert!(BaseUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
