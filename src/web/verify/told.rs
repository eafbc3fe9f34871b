//! What a proxy says about the request that it asks about.

use actix_web::{
    dev::RequestHead,
    http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN},
};
use domain::{
    access::Demand,
    permission::Permission,
    protected_api::{Closed, RequestPath, reads},
};
use memchr::memchr2;
use url::form_urlencoded;

/// Headers in which proxies state the method: the configuration for nginx sends the first, Caddy and Traefik send the
/// second.
static METHODS: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-forwarded-method")];
/// Headers in which proxies state the path; the second contains the whole address, as nginx sends it in Kubernetes.
static PATHS: [HeaderName; 3] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-forwarded-uri"),
];

/// What a header states about the client's request, whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Method,
    Path,
}

/// Returns what a header of this name states, if anything. This covers the headers of proxies, and those that
/// frameworks behind them accept from clients, such as `X-HTTP-Method-Override`, `X-HTTP-Method`, `X-Method-Override`
/// and `X-Rewrite-URL`. CGI programs cannot distinguish `X_HTTP_Method` from `X-HTTP-Method`, so the separators between
/// the words are ignored.
fn tells(name: &str) -> Option<Tells> {
    // Most names have neither letter, which is found out many bytes at a time.
    let may_be_method = memchr2(b'm', b'v', name.as_bytes()).is_some();
    let is_method = may_be_method && (name.contains("method") || name.contains("verb"));
    let is_path = name.starts_with('x') && name.contains("ur");
    if !is_method && !is_path {
        return None;
    }
    let words: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let is_telling = |word: &&str| words.contains(*word);
    if is_method {
        let is_told = ["forwarded", "http", "original", "override"].iter().any(is_telling);
        return (is_told || matches!(&*words, "xmethod" | "xverb")).then_some(Tells::Method);
    }
    matches!(&*words, "xoriginaluri" | "xoriginalurl" | "xforwardeduri" | "xrewriteurl").then_some(Tells::Path)
}

/// A header that states the method or the path.
type Telling<'a> = (&'a HeaderName, &'a HeaderValue, Tells);

/// Iterates over the headers that state the method or the path.
fn telling(headers: &HeaderMap) -> impl Iterator<Item = Telling<'_>> {
    headers.iter().filter_map(|(name, value)| Some((name, value, tells(name.as_str())?)))
}

/// Why it is unclear what the client requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misled {
    /// The proxy asks at an address that does not exist.
    #[error("The address that the proxy asks does not exist in Jeton: it is mistyped or incomplete.")]
    Nowhere,
    /// The request did not come from a trusted proxy.
    #[error("Only proxies that are listed in JETON_TRUSTED_PROXIES may ask about protected APIs.")]
    Stranger,
    /// No header states the method, or none states the path.
    #[error("The proxy does not state the method and the path of the request.")]
    NothingTold,
    /// A header was repeated, is ambiguous, or applies to the connection only.
    #[error("The method or the path of the request is repeated or ambiguous.")]
    Garbled,
    /// The path can be interpreted in more than one way.
    #[error("{}", Closed::Ambiguous)]
    Ambiguous,
    /// The address of the verification demands a scope that there is not, or a permission that the organization does
    /// not have.
    #[error("The address that the proxy asks demands an unknown scope or permission.")]
    UnknownDemand,
}

/// The headers that describe a request to a protected API, each at most once.
pub struct Headers<'a>(Vec<Telling<'a>>);

impl<'a> Headers<'a> {
    /// Collects them from a request.
    ///
    /// # Errors
    /// [`Misled::Garbled`] if one is repeated or is named by `Connection`: a proxy that knows the header would not send
    /// it like that (V10).
    pub fn of(request: &'a RequestHead) -> Result<Self, Misled> {
        let mut found: Vec<Telling<'_>> = Vec::with_capacity(4);
        for header in telling(&request.headers) {
            if found.iter().any(|(name, ..)| *name == header.0) {
                return Err(Misled::Garbled);
            }
            found.push(header);
        }
        if names_one_of_them(&request.headers) { Err(Misled::Garbled) } else { Ok(Self(found)) }
    }

    /// Returns all methods that are stated. The request's own method is included if it is the client's, or if it is a
    /// write. What clients tell frameworks is added to what a proxy states, and never replaces it.
    ///
    /// # Errors
    /// [`Misled::NothingTold`], [`Misled::Garbled`].
    pub fn methods(&self, request: &'a RequestHead, path: &str) -> Result<Vec<&'a str>, Misled> {
        let own = request.method.as_str();
        let own = (!path.is_empty() || !reads(own)).then_some(own);
        if own.is_none() && !self.has_one_of(&METHODS) {
            return Err(Misled::NothingTold);
        }
        self.values(Tells::Method).map(method).chain(own.map(Ok)).collect()
    }

    /// Returns all paths that are stated. `path` is the one after the address of the verification, if there is one.
    ///
    /// # Errors
    /// [`Misled::NothingTold`], [`Misled::Ambiguous`].
    pub fn paths(&self, path: &str) -> Result<Vec<RequestPath>, Misled> {
        let behind = (!path.is_empty()).then_some(path.as_bytes());
        if behind.is_none() && !self.has_one_of(&PATHS) {
            return Err(Misled::NothingTold);
        }
        let told = self.values(Tells::Path).map(HeaderValue::as_bytes).chain(behind);
        told.map(RequestPath::parse).collect::<Result<_, _>>().map_err(|_| Misled::Ambiguous)
    }

    fn values(&self, what: Tells) -> impl Iterator<Item = &'a HeaderValue> {
        self.0.iter().filter(move |(_, _, tells)| *tells == what).map(|(_, value, _)| *value)
    }

    fn has_one_of(&self, names: &[HeaderName]) -> bool {
        self.0.iter().any(|(name, ..)| names.contains(name))
    }
}

/// Parses a single method. A list is refused: some programs use its first method, others its last.
fn method(value: &HeaderValue) -> Result<&str, Misled> {
    let is_token = |text: &&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    value.to_str().ok().filter(is_token).ok_or(Misled::Garbled)
}

/// Returns the method of the request that a CORS preflight announces, if this may be a preflight (Fetch Standard,
/// section 4.8).
pub fn announced(request: &RequestHead) -> Option<&str> {
    let mut announced = request.headers.get_all(ACCESS_CONTROL_REQUEST_METHOD);
    let value = announced.next().filter(|_| request.headers.contains_key(ORIGIN))?;
    method(value).ok().filter(|_| announced.next().is_none())
}

/// Returns whether `Connection` names one of these headers, in which case a proxy on the way should have removed it.
fn names_one_of_them(headers: &HeaderMap) -> bool {
    let named = headers.get_all(CONNECTION).flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let is_one = |name: &[u8]| tells(&String::from_utf8_lossy(name).trim().to_ascii_lowercase()).is_some();
    named.into_iter().any(is_one)
}

/// Returns whether any stated method, or the request's own, is a write.
pub fn some_write(request: &RequestHead) -> bool {
    let mut told = telling(&request.headers).filter(|(_, _, tells)| *tells == Tells::Method);
    !reads(request.method.as_str()) || told.any(|(_, method, _)| !method.to_str().is_ok_and(reads))
}

/// Parses what the address of the verification demands, such as `?scope=write&permission=templates.view`. Some proxies
/// append the client's own parameters, so a parameter can only demand more, and unknown ones are ignored.
///
/// # Errors
/// [`Misled::UnknownDemand`]: a mistyped demand must not be ignored.
pub fn demanded(query: &str) -> Result<Demand, Misled> {
    let mut demand = Demand::default();
    if query.is_empty() {
        return Ok(demand);
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let words = value.split_ascii_whitespace();
        match &*name {
            "scope" => {
                for word in words {
                    demand.write |= match word {
                        "read" => false,
                        "write" => true,
                        _ => return Err(Misled::UnknownDemand),
                    };
                }
            }
            "permission" => {
                let permissions = words.map(|key| Permission::named(key).ok_or(Misled::UnknownDemand));
                demand.permissions = demand.permissions.with(&permissions.collect::<Result<_, _>>()?);
            }
            _ => {}
        }
    }
    Ok(demand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn told(headers: &[(&str, &str)], path: &str) -> Result<(Vec<String>, usize), Misled> {
        let request = headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
        let request = request.to_http_request();
        let headers = Headers::of(request.head())?;
        let mut methods: Vec<String> = headers.methods(request.head(), path)?.into_iter().map(str::to_owned).collect();
        // Headers have no defined order.
        methods.sort_unstable();
        Ok((methods, headers.paths(path)?.len()))
    }

    #[test]
    fn every_header_counts() {
        let nginx = [("x-original-method", "POST"), ("x-original-uri", "/v1/x")];
        assert_eq!(told(&nginx, ""), Ok((vec!["POST".into()], 1)));
        let forged = [nginx[0], nginx[1], ("x-forwarded-method", "GET"), ("x-forwarded-uri", "/v1/y")];
        assert_eq!(told(&forged, ""), Ok((vec!["GET".into(), "POST".into()], 2)));
        assert_eq!(told(&[], "/v1/x"), Ok((vec!["GET".into()], 1)));
        assert_eq!(told(&forged, "/v1/z"), Ok((vec!["GET".into(), "GET".into(), "POST".into()], 3)));
    }

    #[test]
    fn a_repeated_or_ambiguous_header_is_refused() {
        assert_eq!(told(&[], ""), Err(Misled::NothingTold));
        assert_eq!(told(&[("x-original-method", "GET")], ""), Err(Misled::NothingTold));
        assert_eq!(told(&[("x-original-uri", "/v1/x")], ""), Err(Misled::NothingTold));
        let method = ("x-original-method", "GET");
        assert_eq!(told(&[method, ("x-original-uri", "")], ""), Err(Misled::Ambiguous));
        assert_eq!(told(&[method, method, ("x-original-uri", "/v1/x")], ""), Err(Misled::Garbled));
        for nominated in ["close, X-Original-URI", "X_HTTP_Method_Override", "close,x-method-override"] {
            let nominated = ("connection", nominated);
            assert_eq!(told(&[method, ("x-original-uri", "/v1/x"), nominated], ""), Err(Misled::Garbled));
        }
    }

    #[test]
    fn overridden_methods_count_in_every_spelling() {
        let nginx = [("x-original-method", "POST"), ("x-original-uri", "/v1/x")];
        for name in [
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
            "x-method",
            "x-http-verb",
            "x-verb-override",
            "http-method-override",
            "x-override-method",
            "x_http_method_override",
            "x.http.method",
            "x-http-methodoverride",
            "x-forwarded-http-method",
            "x_forwarded_method",
        ] {
            let with = |value| {
                told(&[nginx[0], nginx[1], (name, value)], "").map(|(mut methods, _)| {
                    methods.sort();
                    methods
                })
            };
            assert_eq!(with("DELETE"), Ok(vec!["DELETE".into(), "POST".into()]), "{name}");
            for odd in ["GET, DELETE", "", "GET DELETE", "\u{1}"] {
                assert!(HeaderValue::from_str(odd).is_err() || with(odd) == Err(Misled::Garbled), "{name}: {odd}");
            }
            // They do not count as stated by a proxy.
            assert_eq!(told(&[(name, "GET"), nginx[1]], ""), Err(Misled::NothingTold), "{name}");
        }
        for other in
            ["access-control-request-method", "x-payment-method", "x-auth-method", "x-verbose", "x-methodology"]
        {
            assert_eq!(told(&[nginx[0], nginx[1], (other, "DELETE")], ""), Ok((vec!["POST".into()], 1)), "{other}");
        }
        let rewritten = [nginx[0], nginx[1], ("x-rewrite-url", "/v1/admin"), ("x_original_url", "/v1/y")];
        assert_eq!(told(&rewritten, ""), Ok((vec!["POST".into()], 3)));
        assert_eq!(told(&[nginx[0], rewritten[2]], ""), Err(Misled::NothingTold));
    }

    #[test]
    fn parameters_can_only_demand_more() {
        let of = |query: &str| demanded(query).map(|demand| (demand.write, demand.permissions.keys()));
        assert_eq!(of(""), Ok((false, String::new())));
        assert_eq!(of("x=1&scope=read&scope=write&scope=read"), Ok((true, String::new())));
        assert_eq!(of("scope=read+write"), Ok((true, String::new())));
        let both = Ok((false, "templates.view assets.view".to_owned()));
        assert_eq!(of("permission=assets.view&permission=templates.view"), both);
        assert_eq!(of("permission=assets.view%20templates.view"), both);
        // Whether the organization has it is known once its token is.
        assert_eq!(of("permission=invoices.approve"), Ok((false, "invoices.approve".to_owned())));
        for unknown in ["scope=everything", "permission=templates.approve", "permission=assets.view&permission=x"] {
            assert_eq!(demanded(unknown), Err(Misled::UnknownDemand), "{unknown}");
        }
    }
}
