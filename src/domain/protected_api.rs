//! APIs that a reverse proxy protects by asking Jeton about each request: which of their requests demand what of a token.
//!
//! The rules of an API are asked in their order, and the first that matches decides; what none matches is refused. A path
//! is compared in one form only ([`RequestPath`]), and one that the API behind the proxy might read in another way than
//! Jeton does is refused before any rule is asked (V11).

use super::{
    access::Demand,
    organization::OrganizationId,
    permission::{Permission, Permissions},
};
use thiserror::Error;

/// Most APIs of an organization.
pub const MOST_APIS: usize = 50;
/// Most rules of an API.
pub const MOST_RULES: usize = 50;
/// Most characters of an address or of a rule's path.
pub const LONGEST_PATH: usize = 100;

/// An API as verification knows it.
#[derive(Clone, Debug)]
pub struct ProtectedApi {
    /// Only tokens of this organization are accepted.
    pub organization: OrganizationId,
    /// What the addresses of its requests begin with.
    pub address: Address,
    /// Asked in this order.
    pub rules: Vec<Rule>,
}

/// What the addresses of an API's requests begin with, such as `https://api.example.org/v1/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    host_end: usize,
    segments: Vec<String>,
}

/// Which requests it is about, and what they demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// With which methods.
    pub methods: Methods,
    /// To which paths, behind the API's address.
    pub path: Pattern,
    /// The scope that a token needs.
    pub needs: Needs,
    /// The permission that its subject needs besides.
    pub permission: Option<Permission>,
}

/// The methods that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Any method.
    Any,
    /// Those that only read: GET, HEAD and OPTIONS.
    Reads,
    /// All others.
    Writes,
    /// One.
    One(&'static str),
}

impl Methods {
    /// All choices, in the order of forms.
    pub const ALL: [Self; 10] = [
        Self::Any,
        Self::Reads,
        Self::Writes,
        Self::One("GET"),
        Self::One("HEAD"),
        Self::One("OPTIONS"),
        Self::One("POST"),
        Self::One("PUT"),
        Self::One("PATCH"),
        Self::One("DELETE"),
    ];

    /// The word in forms and in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::One(method) => method,
        }
    }

    /// The choice with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|methods| methods.key() == key)
    }

    fn matches(self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Reads => reads(method),
            Self::Writes => !reads(method),
            Self::One(one) => one == method,
        }
    }
}

/// Whether a request with this method only reads. Methods are case-sensitive (RFC 9110, section 9.1), so `get` is none of
/// those that are known to.
pub fn reads(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// The scope that a rule demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// To read is enough, whatever the method.
    Read,
    /// To read and write, whatever the method.
    ReadWrite,
    /// What the method needs.
    ByMethod,
}

impl Needs {
    /// All choices, in the order of forms.
    pub const ALL: [Self; 3] = [Self::ByMethod, Self::Read, Self::ReadWrite];

    /// The word in forms and in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read_write",
            Self::ByMethod => "by_method",
        }
    }

    /// The choice with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|needs| needs.key() == key)
    }
}

/// Why an address or a rule's path cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It is no address of the form `https://api.example.org/v1/`.
    #[error("no address")]
    NoAddress,
    /// It does not begin with a slash.
    #[error("no slash at the beginning")]
    NoSlash,
    /// It is longer than [`LONGEST_PATH`].
    #[error("too long")]
    TooLong,
    /// A star stands elsewhere than alone between slashes, or `**` elsewhere than at the end.
    #[error("a star in the wrong place")]
    Star,
    /// It has something that no accepted request has in its path: a character, an empty part, or `.` or `..`.
    #[error("a character that no path has")]
    Character,
}

/// Paths as a rule names them: `/orders/*` is one part behind `/orders`, `/orders/**` is `/orders` and all behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Any,
}

impl Pattern {
    /// Reads a pattern as somebody types it: not percent-encoded.
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

    fn matches(&self, segments: &[String], same: impl Fn(&str, &str) -> bool) -> bool {
        let is_long_enough = segments.len() == self.parts.len() || (self.is_open && segments.len() > self.parts.len());
        let fits = |(part, segment): (&Part, &String)| match part {
            Part::Any => true,
            Part::Text(text) => same(text, segment),
        };
        is_long_enough && self.parts.iter().zip(segments).all(fits)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => write!(out, "/{text}")?,
                Part::Any => out.write_str("/*")?,
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
        starred if starred.contains('*') => Err(PathError::Star),
        plain if is_plain(plain) => Ok(Part::Text(plain.to_owned())),
        _ => Err(PathError::Character),
    }
}

/// Whether everybody reads a part of a path, percent-decoded, in the same way. Not so for slashes of either kind, for `;`
/// (parameters, which some servers cut off), for `%` (what is encoded twice may be decoded twice), for `?` and `#`, for dots
/// that lead elsewhere and for control characters.
fn is_plain(segment: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ';' | '%' | '?' | '#');
    !matches!(segment, "" | "." | "..") && !segment.contains(is_odd)
}

impl Address {
    /// Reads an `http://` or `https://` address without query or user.
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
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        if !segments.iter().all(|segment| is_plain(segment)) {
            return Err(PathError::Character);
        }
        let host_end = scheme.len() + host.len();
        Ok(Self { text: format!("{}{path}/", typed[..host_end].to_lowercase()), host_end, segments })
    }

    /// The whole address; it ends with a slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and host, without a slash at the end.
    pub fn site(&self) -> &str {
        &self.text[..self.host_end]
    }

    /// The host, with the port if there is one.
    pub fn host(&self) -> &str {
        self.site().split_once("://").map_or("", |(_, host)| host)
    }

    /// The path; it begins and ends with a slash.
    pub fn path(&self) -> &str {
        &self.text[self.host_end..]
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    name.split('.').all(label) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The path of a request in the one form in which rules are asked: percent-decoded once and cut into its parts. A slash at
/// the end makes no difference, as in most APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(Vec<String>);

/// A path that not everybody reads in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("ambiguous path")]
pub struct Ambiguous;

impl RequestPath {
    /// Reads the target of a request as it was sent, in origin form or absolute; its query is left out.
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
            // Two slashes are not one.
            return if path == b"/" { Ok(Self(Vec::new())) } else { Err(Ambiguous) };
        }
        rest.split(|byte| *byte == b'/').map(segment).collect::<Result<_, _>>().map(Self)
    }
}

fn segment(encoded: &[u8]) -> Result<String, Ambiguous> {
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
    String::from_utf8(decoded).ok().filter(|text| is_plain(text)).ok_or(Ambiguous)
}

/// Why a request to an API is refused whatever its token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Closed {
    /// Its path can be read in more ways than one.
    #[error("The path of the request can be read in more ways than one.")]
    Ambiguous,
    /// Its path is not behind the API's address.
    #[error("The path of the request is not behind the address of the protected API.")]
    Elsewhere,
    /// No rule is about it.
    #[error("No rule of the protected API is about this request.")]
    NoRule,
}

impl From<Ambiguous> for Closed {
    fn from(Ambiguous: Ambiguous) -> Self {
        Self::Ambiguous
    }
}

impl ProtectedApi {
    /// What a request with this method to this path demands of a token.
    ///
    /// Where upper and lower case would lead to different rules the path is ambiguous: some servers tell them apart and
    /// some do not.
    ///
    /// # Errors
    /// [`Closed`] says why no token is enough.
    pub fn demand(&self, method: &str, RequestPath(segments): &RequestPath) -> Result<Demand, Closed> {
        let address = &self.address.segments;
        if !segments.starts_with(address) {
            return Err(Closed::Elsewhere);
        }
        let behind = &segments[address.len()..];
        let first = |same: fn(&str, &str) -> bool| {
            self.rules.iter().position(|rule| rule.methods.matches(method) && rule.path.matches(behind, same))
        };
        let exact = first(|a, b| a == b);
        if exact != first(is_same_in_any_case) {
            return Err(Closed::Ambiguous);
        }
        let rule = exact.and_then(|index| self.rules.get(index)).ok_or(Closed::NoRule)?;
        let write = match rule.needs {
            Needs::Read => false,
            Needs::ReadWrite => true,
            Needs::ByMethod => !reads(method),
        };
        let permissions: Permissions = rule.permission.into_iter().collect();
        Ok(Demand { write, permissions, organization: Some(self.organization) })
    }
}

fn is_same_in_any_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<RequestPath, Ambiguous> {
        RequestPath::parse(target.as_bytes())
    }

    fn api(rules: &[(&str, &str, &str, &str)]) -> ProtectedApi {
        let rules = rules.iter().map(|(methods, path, needs, permission)| Rule {
            methods: Methods::from_key(methods).unwrap(),
            path: Pattern::parse(path).unwrap(),
            needs: Needs::from_key(needs).unwrap(),
            permission: Permission::from_key(permission),
        });
        ProtectedApi {
            organization: OrganizationId(1),
            address: Address::parse("https://api.example.org/v1/").unwrap(),
            rules: rules.collect(),
        }
    }

    #[test]
    fn a_path_is_read_in_one_form() {
        let of = |segments: &[&str]| Ok(RequestPath(segments.iter().map(ToString::to_string).collect()));
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
    fn what_can_be_read_in_more_ways_than_one_is_ambiguous() {
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
        ] {
            assert_eq!(path(odd), Err(Ambiguous), "{odd:?}");
        }
    }

    #[test]
    fn patterns_are_written_as_they_were_read() {
        for text in ["/", "/**", "/orders", "/orders/*", "/orders/**", "/*/lines/*", "/été/*/**"] {
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
    fn an_address_has_a_host_and_a_plain_path() {
        let address = Address::parse(" https://API.example.org:8443/v1 ").unwrap();
        assert_eq!(address.as_str(), "https://api.example.org:8443/v1/");
        assert_eq!((address.host(), address.path()), ("api.example.org:8443", "/v1/"));
        assert_eq!(Address::parse("http://localhost").unwrap().path(), "/");
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
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_without_one_nothing_passes() {
        let api = api(&[
            ("reads", "/orders/*", "read", "templates.view"),
            ("POST", "/search", "read", ""),
            ("writes", "/orders/**", "by_method", "templates.edit"),
            ("GET", "/reports/**", "read_write", ""),
        ]);
        let demand = |method: &str, target: &str| {
            let demand = api.demand(method, &path(target).unwrap())?;
            assert_eq!(demand.organization, Some(OrganizationId(1)));
            Ok((demand.write, demand.permissions.keys()))
        };
        assert_eq!(demand("GET", "/v1/orders/5"), Ok((false, "templates.view".into())));
        assert_eq!(demand("GET", "/v1/orders/5/"), Ok((false, "templates.view".into())));
        assert_eq!(demand("GET", "/v1/orders"), Err(Closed::NoRule));
        assert_eq!(demand("GET", "/v1/orders/5/lines"), Err(Closed::NoRule));
        assert_eq!(demand("POST", "/v1/orders"), Ok((true, "templates.edit".into())));
        assert_eq!(
            demand("get", "/v1/orders/5"),
            Ok((true, "templates.edit".into())),
            "no method that is known to read"
        );
        assert_eq!(demand("POST", "/v1/search"), Ok((false, String::new())));
        assert_eq!(demand("PUT", "/v1/search"), Err(Closed::NoRule));
        assert_eq!(demand("GET", "/v1/reports/2026/11"), Ok((true, String::new())));
        assert_eq!(demand("HEAD", "/v1/reports/2026/11"), Err(Closed::NoRule));
        for elsewhere in ["/", "/v2/orders/5", "/v1orders/5", "/V1/orders/5"] {
            assert_eq!(demand("GET", elsewhere), Err(Closed::Elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_path_whose_case_would_lead_past_a_rule_is_ambiguous() {
        let api = api(&[("any", "/admin/**", "read_write", "platform.users"), ("any", "/**", "by_method", "")]);
        for around in ["/v1/Admin", "/v1/ADMIN/x", "/v1/admiN/"] {
            assert_eq!(api.demand("GET", &path(around).unwrap()).map(|_| ()), Err(Closed::Ambiguous), "{around}");
        }
        assert!(api.demand("GET", &path("/v1/Orders").unwrap()).is_ok());
    }
}
