//! Jeton's cookies, among all cookies that a browser sends.
//!
//! Browsers do not separate cookies by port and, when they send them, do not say who set them. So cookies of other
//! programs on the same host or on parent domains arrive too, in any form, and perhaps under Jeton's own names.
//! Therefore each installation uses its own names, each cookie is parsed independently of the others, and if there are
//! several with one name, each is tried.
//!
//! Over TLS the names begin with `__Host-`, which browsers accept from this host only; browsers drop such cookies on
//! plain HTTP (S1). Values are not signed: a session's key and a browser's device mark need no signature.

use super::{App, PublicUrl};
use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::COOKIE,
    web::Data,
};

/// How many cookies of one name are tried: Jeton's, and those that others may have set before it.
const TRIED: usize = 4;

/// A cookie of Jeton's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    /// The key of a session, until the browser is closed.
    Session,
    /// The mark of a browser from which somebody has signed in, for a year.
    Device,
    /// The language of somebody who is not signed in, for a year.
    Language,
}

impl Ours {
    /// Returns all values that were sent under this cookie's name.
    pub fn sent(self, request: &HttpRequest) -> Vec<String> {
        let name = self.name(request);
        let headers = request.headers().get_all(COOKIE).map(|header| header.as_bytes());
        let pairs = headers.flat_map(|header| header.split(|byte| *byte == b';')).map(str::from_utf8);
        let named = pairs.filter_map(|pair| pair.ok()?.trim().strip_prefix(&name)?.strip_prefix('='));
        named.take(TRIED).map(str::to_owned).collect()
    }

    /// Returns the cookie with this value.
    pub fn cookie(self, request: &HttpRequest, value: String) -> Cookie<'static> {
        let cookie = Cookie::build(self.name(request), value)
            .path("/")
            .http_only(true)
            .secure(is_https(request))
            .same_site(SameSite::Lax);
        match self {
            Self::Session => cookie.finish(),
            Self::Device | Self::Language => cookie.max_age(Duration::days(365)).finish(),
        }
    }

    /// Returns the cookie that removes it from the browser.
    pub fn removal(self, request: &HttpRequest) -> Cookie<'static> {
        let mut cookie = self.cookie(request, String::new());
        cookie.make_removal();
        cookie
    }

    fn name(self, request: &HttpRequest) -> String {
        let kind = match self {
            Self::Session => "jeton",
            Self::Device => "jeton_device",
            Self::Language => "jeton_language",
        };
        let installation = request.app_data::<App>().map_or("", |jeton| jeton.fingerprint());
        format!("{}{kind}_{installation}", if is_https(request) { "__Host-" } else { "" })
    }
}

fn is_https(request: &HttpRequest) -> bool {
    request.app_data::<Data<PublicUrl>>().is_some_and(|url| url.is_https())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn sent(headers: &[&[u8]]) -> Vec<String> {
        let request = headers.iter().fold(TestRequest::default(), |request, header| {
            request.append_header((COOKIE, actix_web::http::header::HeaderValue::from_bytes(header).unwrap()))
        });
        Ours::Session.sent(&request.to_http_request())
    }

    #[test]
    fn a_cookie_is_found_among_any_others() {
        for beside in [
            &b"x=1"[..],
            b"x",
            b"=",
            b"=x",
            b";;",
            b" ; ",
            b"a b=c d",
            b"x=%zz%",
            b"x=\xff\xfe",
            b"\xff=1",
            b"x=\"a;b\"",
            "é=ü".as_bytes(),
            b"$Version=1",
            b"jeton=1; jeton_0=2; JETON_=3; _jeton_=4; jeton__=5; jeton_",
        ] {
            for header in [[beside, b"; jeton_=k"].concat(), [b"jeton_=k;", beside].concat()] {
                assert_eq!(sent(&[&header]), ["k"], "{}", String::from_utf8_lossy(&header));
            }
            assert_eq!(sent(&[beside, b"jeton_=k"]), ["k"], "{}", String::from_utf8_lossy(beside));
        }
    }

    #[test]
    fn several_cookies_of_one_name_are_tried_up_to_a_limit() {
        assert_eq!(sent(&[b"jeton_=a; jeton_=b", b"jeton_=c"]), ["a", "b", "c"]);
        assert_eq!(sent(&["jeton_=a;".repeat(1000).as_bytes()]).len(), TRIED);
    }
}
