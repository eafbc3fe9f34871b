//! Answers that do not come from the application: to invalid requests, to slow requests, and to too many connections.
//!
//! They close the connection and say so: a proxy that shares the connection between clients must not send another
//! request over it.

use super::Client;
use crate::{finish, routes::path, source::RequestId, verify};
use actix_web::http::{
    StatusCode,
    header::{HttpDate, STRICT_TRANSPORT_SECURITY},
};
use std::{fmt::Write, time::SystemTime};

/// The maximum length of the head of an answer by actix-http itself, in bytes.
const LONGEST_OWN: usize = 256;

/// The answers to requests that do not reach the application.
#[derive(Clone, Copy, Debug)]
pub struct Refusals {
    /// Whether browsers use TLS.
    pub is_https: bool,
}

impl Refusals {
    /// Returns the answer to a head that did not arrive in time.
    pub fn too_slow(self, client: &Client) -> Vec<u8> {
        self.answer(StatusCode::REQUEST_TIMEOUT, client)
    }

    /// Returns the answer to a connection that exceeds the limit.
    pub fn too_many(self) -> Vec<u8> {
        self.written(StatusCode::SERVICE_UNAVAILABLE, "retry-after: 1\r\n")
    }

    /// Replaces an answer of actix-http's own at the end of these bytes with an explained one, if there is one. It is
    /// recognized by what it lacks: each answer of the application has a request id.
    pub fn explained(self, bytes: &[u8], client: &Client) -> Option<Vec<u8>> {
        let tail = bytes.len().saturating_sub(LONGEST_OWN);
        let begin = tail + memchr::memmem::rfind(&bytes[tail..], b"HTTP/1.")?;
        let own = std::str::from_utf8(&bytes[begin..]).ok()?;
        let status = own.split(' ').nth(1)?.parse::<StatusCode>().ok().filter(|status| status.as_u16() >= 400)?;
        let is_own = own.ends_with("\r\n\r\n") && !own.contains(RequestId::HEADER.as_str());
        is_own.then(|| [&bytes[..begin], &self.answer(status, client)].concat())
    }

    /// Uses a status that a proxy passes on if the request is for forward-auth: nginx turns 400 and 431 into 500.
    fn answer(self, status: StatusCode, client: &Client) -> Vec<u8> {
        if !client.asks_for(path::VERIFY) || status.is_server_error() {
            return self.written(status, "");
        }
        let mut headers = verify::IDENTITY.iter().map(|name| format!("{name}: \r\n")).collect::<String>();
        headers += "www-authenticate: Bearer realm=\"jeton\", error=\"invalid_request\"\r\n";
        self.written(StatusCode::FORBIDDEN, &headers)
    }

    fn written(self, status: StatusCode, headers: &str) -> Vec<u8> {
        let id = RequestId::new();
        let body = finish::problem_body(status, id.as_str());
        let mut text = format!("HTTP/1.1 {status}\r\n{headers}");
        for (name, value) in finish::for_programs() {
            line(&mut text, name.as_str(), value.to_str().unwrap_or_default());
        }
        if self.is_https {
            line(&mut text, STRICT_TRANSPORT_SECURITY.as_str(), finish::TRANSPORT_SECURITY);
        }
        line(&mut text, RequestId::HEADER.as_str(), id.as_str());
        line(&mut text, "date", &HttpDate::from(SystemTime::now()).to_string());
        line(&mut text, "connection", "close");
        line(&mut text, "content-type", "application/problem+json");
        line(&mut text, "content-length", &body.len().to_string());
        (text + "\r\n" + &body).into_bytes()
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    write!(text, "{name}: {value}\r\n").unwrap_or_default();
}
