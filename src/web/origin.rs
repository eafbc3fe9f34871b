//! Requests that change something must come from Jeton's own pages (C1, C10).
//!
//! Browsers state where a request comes from in headers that a page cannot forge. The check runs before the session is
//! read, for every request to the pages with an unsafe method, and has no exceptions; the form token is a second
//! protection.

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

/// The addresses at which the pages may be used.
#[derive(Clone, Debug)]
pub struct Origins(Vec<PublicUrl>);

impl Origins {
    /// Accepts the public address; and on a machine's own loopback, all of its names.
    pub fn new(url: &PublicUrl, listening: SocketAddr) -> Self {
        let mut all = vec![url.clone()];
        if listening.ip().is_loopback() && !url.is_https() {
            let named = |name| PublicUrl::parse(&format!("http://{name}:{}", listening.port())).ok();
            all.extend(["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(named));
        }
        Self(all)
    }

    /// Returns whether the request is for one of these addresses. The `Host` header must name one, and so must the
    /// request target if it contains a host: then that host is the one that counts (RFC 9112, section 3.2.2), whatever
    /// a proxy on the way has looked at.
    fn are_asked(&self, request: &RequestHead) -> bool {
        let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        self.have(host) && request.uri.authority().is_none_or(|authority| self.have(authority.as_str()))
    }

    /// Returns whether this host is one of these addresses, in any spelling.
    fn have(&self, host: &str) -> bool {
        self.0.iter().any(|known| known.host() == host)
            // Only a host is allowed here, though browsers would parse more of it.
            || !host.contains(['/', '\\', '?', '#', '@', '\t', ' '])
                && self.0.iter().any(|known| is(known, &format!("{}://{host}", known.scheme())))
    }

    /// Returns whether a request with an unsafe method comes from one of Jeton's pages: `Sec-Fetch-Site` decides if it
    /// is present, otherwise `Origin`; a browser sends one of the two.
    fn are_of(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => self.0.iter().any(|known| is(known, origin)),
            (None, None) => false,
        }
    }
}

/// Returns whether a text is another spelling of an address.
fn is(known: &PublicUrl, text: &str) -> bool {
    known.0 == text || PublicUrl::parse(text).is_ok_and(|other| other == *known)
}

/// The middleware around all pages.
///
/// # Errors
/// 421 for a host that is not this server's, 403 for a request from another site.
pub async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(origins) = request.app_data::<Data<Origins>>() {
        if !origins.are_asked(request.request().head()) {
            return Err(WebError::WrongHost.into());
        }
        if !request.method().is_safe() && !origins.are_of(request.headers()) {
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
    fn the_headers_of_the_browser_decide() {
        let ours = origins("https://jeton.example.org", "0.0.0.0:8080");
        let own = |pairs: &[(&'static str, &'static str)]| ours.are_of(&headers(pairs));
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
    fn a_server_on_loopback_has_all_its_names_and_no_others() {
        let local = origins("http://127.0.0.1:8080", "127.0.0.1:8080");
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(local.have(host), "{host}");
        }
        for host in ["evil.example:8080", "localhost", "127.0.0.1:8081"] {
            assert!(!local.have(host), "{host}");
        }
    }

    #[test]
    fn a_host_and_an_origin_are_recognized_in_every_spelling() {
        for url in ["https://jeton.exämple.org", "https://JETON.xn--exmple-cua.org:443/", "https://jeton.exämple.org."]
        {
            let ours = origins(url, "127.0.0.1:1");
            for host in [
                "jeton.xn--exmple-cua.org",
                "jeton.xn--exmple-cua.org:443",
                "Jeton.XN--EXMPLE-CUA.org",
                "jeton.xn--exmple-cua.org.",
                "jeton.xn--exmple-cua.org.:443",
            ] {
                assert!(ours.have(host), "{url} {host}");
            }
            for host in [
                "",
                "jeton.example.org",
                "jeton.xn--exmple-cua.org:80",
                "jeton.xn--exmple-cua.org..",
                "jeton.xn--exmple-cua.org/",
                "evil@jeton.xn--exmple-cua.org",
                "jeton.xn--exmple-cua.org?evil",
                "jeton.xn--exmple-cua.org\\evil",
                "evil.jeton.xn--exmple-cua.org",
            ] {
                assert!(!ours.have(host), "{url} {host}");
            }
            assert!(ours.are_of(&headers(&[("origin", "https://jeton.xn--exmple-cua.org")])));
            assert!(ours.are_of(&headers(&[("origin", "https://jeton.xn--exmple-cua.org.")])));
            assert!(!ours.are_of(&headers(&[("origin", "http://jeton.xn--exmple-cua.org")])));
        }
        let plain = origins("http://jeton:80", "10.0.0.1:80");
        assert!(plain.have("jeton") && plain.have("jeton:80"));
        assert!(plain.are_of(&headers(&[("origin", "http://jeton")])));
        let v6 = origins("http://[2001:DB8:0::7]:8080", "[::]:8080");
        assert!(v6.have("[2001:db8::7]:8080"));
        assert!(!v6.have("2001:db8::7:8080"));
    }
}
