//! What a proxy tells of the request that it asks about.

use crate::domain::{
    access::Demand,
    permission::Permission,
    protected_api::{Closed, RequestPath, reads},
};
use actix_web::{
    dev::RequestHead,
    http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue},
};
use url::form_urlencoded;

/// Headers in which proxies tell the method: nginx is told to send the first, Caddy and Traefik send the second.
static METHODS: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-forwarded-method")];
/// Headers in which they tell the path; the second is the whole address, as nginx sends it in Kubernetes.
static PATHS: [HeaderName; 3] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-forwarded-uri"),
];

/// Why it is not known what a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misled {
    /// Whoever asks is no proxy that is believed.
    #[error("Only proxies that JETON_TRUSTED_PROXIES names may ask about protected APIs.")]
    Stranger,
    /// No method or no path was told.
    #[error("The proxy does not tell the method and the path of the request.")]
    NothingTold,
    /// A header came more than once, cannot be read, or is for the connection alone.
    #[error("What tells the method or the path of the request is not told once and plainly.")]
    Garbled,
    /// The path can be read in more ways than one.
    #[error("{}", Closed::Ambiguous)]
    Ambiguous,
    /// The address of the verification demands what there is not.
    #[error("The address that the proxy asks demands an unknown scope or permission.")]
    UnknownDemand,
}

/// The headers about a request to a protected API, each once at most.
pub struct Headers<'a> {
    methods: [Option<&'a HeaderValue>; 2],
    paths: [Option<&'a HeaderValue>; 3],
}

impl<'a> Headers<'a> {
    /// Finds them.
    ///
    /// # Errors
    /// [`Misled::Garbled`]: one that comes twice, or that `Connection` names, was not written by a proxy that knows it (V10).
    pub fn of(request: &'a RequestHead) -> Result<Self, Misled> {
        let headers = &request.headers;
        if names_one_of_them(headers) {
            return Err(Misled::Garbled);
        }
        let [original_method, forwarded_method] = METHODS.each_ref().map(|name| once(headers, name));
        let [original, url, forwarded] = PATHS.each_ref().map(|name| once(headers, name));
        Ok(Self { methods: [original_method?, forwarded_method?], paths: [original?, url?, forwarded?] })
    }

    /// All methods that are told; the request's own is one of them if it is the client's, and if it changes something.
    ///
    /// # Errors
    /// [`Misled::NothingTold`], [`Misled::Garbled`].
    pub fn methods(&self, request: &'a RequestHead, path: &str) -> Result<Vec<&'a str>, Misled> {
        let own = request.method.as_str();
        let told = self.methods.iter().flatten().map(|value| value.to_str().map_err(|_| Misled::Garbled));
        let own = (!path.is_empty() || !reads(own)).then_some(Ok(own));
        let all: Vec<&str> = told.chain(own).collect::<Result<_, _>>()?;
        if all.is_empty() { Err(Misled::NothingTold) } else { Ok(all) }
    }

    /// All paths that are told; `path` is the one behind the address that is asked, if there is one.
    ///
    /// # Errors
    /// [`Misled::NothingTold`], [`Misled::Ambiguous`].
    pub fn paths(&self, path: &str) -> Result<Vec<RequestPath>, Misled> {
        let behind = (!path.is_empty()).then_some(path.as_bytes());
        let told = self.paths.iter().flatten().map(|value| value.as_bytes()).chain(behind);
        let all: Vec<RequestPath> =
            told.map(RequestPath::parse).collect::<Result<_, _>>().map_err(|_| Misled::Ambiguous)?;
        if all.is_empty() { Err(Misled::NothingTold) } else { Ok(all) }
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Misled> {
    let mut values = headers.get_all(name);
    let value = values.next();
    if values.next().is_some() { Err(Misled::Garbled) } else { Ok(value) }
}

/// Whether `Connection` names one of them, so that a proxy on the way would have had to take it off.
fn names_one_of_them(headers: &HeaderMap) -> bool {
    let named = headers.get_all(CONNECTION).flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let is_one = |name: &[u8]| {
        METHODS.iter().chain(&PATHS).any(|header| header.as_str().as_bytes().eq_ignore_ascii_case(name.trim_ascii()))
    };
    named.into_iter().any(is_one)
}

/// Whether any method that is told, or the request's own, is not one that only reads.
pub fn some_write(request: &RequestHead) -> bool {
    let mut told = METHODS.iter().flat_map(|name| request.headers.get_all(name));
    !reads(request.method.as_str()) || told.any(|method| !method.to_str().is_ok_and(reads))
}

/// What the address that is asked demands, such as `?scope=write&permission=templates.view`. Some proxies put the client's
/// own parameters behind it, so these can only demand more, and what else there is means nothing.
///
/// # Errors
/// [`Misled::UnknownDemand`]: a mistyped demand must not be none.
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
                let permissions = words.map(|key| Permission::from_key(key).ok_or(Misled::UnknownDemand));
                demand.permissions = demand.permissions.with(permissions.collect::<Result<_, _>>()?);
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

    fn told(headers: &[(&'static str, &'static str)], path: &str) -> Result<(Vec<String>, usize), Misled> {
        let request = headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
        let request = request.to_http_request();
        let headers = Headers::of(request.head())?;
        let methods = headers.methods(request.head(), path)?.into_iter().map(str::to_owned).collect();
        Ok((methods, headers.paths(path)?.len()))
    }

    #[test]
    fn everything_that_is_told_counts() {
        let nginx = [("x-original-method", "POST"), ("x-original-uri", "/v1/x")];
        assert_eq!(told(&nginx, ""), Ok((vec!["POST".into()], 1)));
        let forged = [nginx[0], nginx[1], ("x-forwarded-method", "GET"), ("x-forwarded-uri", "/v1/y")];
        assert_eq!(told(&forged, ""), Ok((vec!["POST".into(), "GET".into()], 2)));
        assert_eq!(told(&[], "/v1/x"), Ok((vec!["GET".into()], 1)));
        assert_eq!(told(&forged, "/v1/z"), Ok((vec!["POST".into(), "GET".into(), "GET".into()], 3)));
    }

    #[test]
    fn what_is_not_told_once_and_plainly_is_refused() {
        assert_eq!(told(&[], ""), Err(Misled::NothingTold));
        assert_eq!(told(&[("x-original-method", "GET")], ""), Err(Misled::NothingTold));
        assert_eq!(told(&[("x-original-uri", "/v1/x")], ""), Err(Misled::NothingTold));
        let method = ("x-original-method", "GET");
        assert_eq!(told(&[method, ("x-original-uri", "")], ""), Err(Misled::Ambiguous));
        assert_eq!(told(&[method, method, ("x-original-uri", "/v1/x")], ""), Err(Misled::Garbled));
        let nominated = ("connection", "close, X-Original-URI");
        assert_eq!(told(&[method, ("x-original-uri", "/v1/x"), nominated], ""), Err(Misled::Garbled));
    }

    #[test]
    fn parameters_only_demand_more() {
        let of = |query: &str| demanded(query).map(|demand| (demand.write, demand.permissions.keys()));
        assert_eq!(of(""), Ok((false, String::new())));
        assert_eq!(of("x=1&scope=read&scope=write&scope=read"), Ok((true, String::new())));
        assert_eq!(of("scope=read+write"), Ok((true, String::new())));
        let both = Ok((false, "templates.view assets.view".to_owned()));
        assert_eq!(of("permission=assets.view&permission=templates.view"), both);
        assert_eq!(of("permission=assets.view%20templates.view"), both);
        for unknown in ["scope=everything", "permission=template.view", "permission=assets.view&permission=x"] {
            assert_eq!(demanded(unknown), Err(Misled::UnknownDemand), "{unknown}");
        }
    }
}
