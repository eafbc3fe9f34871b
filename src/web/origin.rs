//! Requests that change something must come from Jeton's own pages (C1, C10).
//!
//! Browsers say where a request comes from in headers that a page cannot forge. The check runs before the session is read,
//! for every request of the pages with an unsafe method, and has no exceptions; the token in forms is a second lock.

use super::{PublicUrl, errors::WebError};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{RequestHead, ServiceRequest, ServiceResponse},
    http::header::{HOST, HeaderMap, ORIGIN},
    middleware::Next,
    web::Data,
};
use std::net::SocketAddr;

/// The addresses under which the pages may be used.
#[derive(Clone, Debug)]
pub struct Origins {
    scheme: &'static str,
    hosts: Vec<String>,
}

impl Origins {
    /// The public address; and on a machine's own loopback all of its names.
    pub fn new(url: &PublicUrl, listening: SocketAddr) -> Self {
        let mut hosts = vec![url.host().to_owned()];
        if listening.ip().is_loopback() && !url.is_https() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{}", listening.port())));
        }
        Self { scheme: if url.is_https() { "https" } else { "http" }, hosts }
    }

    /// Whether the request is for one of them. `Host` says so, and the address itself if it has a host: then that is
    /// whom the request is for (RFC 9112, section 3.2.2), whatever a proxy on the way may have looked at.
    fn are_asked(&self, request: &RequestHead) -> bool {
        let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        self.have(host) && request.uri.authority().is_none_or(|authority| self.have(authority.as_str()))
    }

    /// Whether this host is one of them. A browser leaves out the port that its scheme stands for.
    fn have(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let default = if self.scheme == "https" { ":443" } else { ":80" };
        self.hosts.iter().any(|known| {
            *known == host || known.strip_suffix(default) == Some(&host) || host.strip_suffix(default) == Some(known)
        })
    }

    /// Whether a request with an unsafe method comes from one of our pages: `Sec-Fetch-Site` decides where there is one,
    /// else an exact `Origin`; a browser sends one of the two.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin
                .split_once("://")
                .is_some_and(|(scheme, host)| scheme == self.scheme && self.hosts.iter().any(|known| known == host)),
            (None, None) => false,
        }
    }
}

/// The middleware round all pages.
///
/// # Errors
/// 421 for a host that is not ours, 403 for a request of another site.
pub async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(origins) = request.app_data::<Data<Origins>>() {
        if !origins.are_asked(request.request().head()) {
            return Err(WebError::WrongHost.into());
        }
        if !request.method().is_safe() && !origins.is_own(request.headers()) {
            return Err(WebError::OtherSite.into());
        }
    }
    next.call(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn origins(url: &str, listening: &str) -> Origins {
        Origins::new(&PublicUrl::parse(url).unwrap(), listening.parse().unwrap())
    }

    #[test]
    fn what_a_browser_says_of_a_request_decides() {
        let ours = origins("https://jeton.example.org", "0.0.0.0:8080");
        let own = |pairs: &[(&'static str, &'static str)]| ours.is_own(&headers(pairs));
        assert!(own(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(own(&[("origin", "https://jeton.example.org")]));
        assert!(!own(&[]));
        for site in ["cross-site", "same-site", "none", "SAME-ORIGIN", ""] {
            assert!(!own(&[("sec-fetch-site", site), ("origin", "https://jeton.example.org")]), "{site}");
        }
        for origin in
            ["null", "http://jeton.example.org", "https://jeton.example.org:8443", "https://jeton.example.org.evil", ""]
        {
            assert!(!own(&[("origin", origin)]), "{origin}");
        }
        assert!(!own(&[("sec-fetch-mode", "no-cors")]));
    }

    #[test]
    fn a_server_on_loopback_has_all_names_of_it_and_no_other() {
        let local = origins("http://127.0.0.1:8080", "127.0.0.1:8080");
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(local.have(host), "{host}");
        }
        for host in ["evil.example:8080", "localhost", "127.0.0.1:8081", ""] {
            assert!(!local.have(host), "{host}");
        }
        assert!(origins("https://j.example:443", "127.0.0.1:1").have("j.example"));
    }
}
