//! Where a request comes from.

mod proxies;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::RequestHead,
    http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT},
    web::Data,
};
use app::random;
use domain::{activity::Source, leak, text};
pub use proxies::TrustedProxies;
use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

/// The id of a request in logs, error answers and the activity log: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The header that contains it.
    pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Returns a new id. Ids start at a random number and do not repeat; they are names, not secrets.
    pub fn new() -> Self {
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(u64::from_le_bytes(random::bytes())));
        // An odd step visits all numbers, and a large one makes successive ids easier to distinguish.
        let number = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let digit = |place: usize| b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15];
        Self(std::array::from_fn(digit))
    }

    /// Returns the value of its header.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the address, program and id of a request.
pub fn of(request: &HttpRequest) -> Source {
    let none = TrustedProxies::default();
    let trusted = request.app_data::<Data<TrustedProxies>>().map_or(&none, |proxies| proxies);
    let extensions = request.extensions();
    trusted.source(request.head(), extensions.get::<RequestId>().map_or("", RequestId::as_str))
}

impl TrustedProxies {
    /// Returns the address and program of a request with this id.
    pub fn source(&self, request: &RequestHead, id: &str) -> Source {
        let address = request.peer_addr.map(|peer| self.client(peer.ip(), &request.headers));
        Source {
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            program: program(&request.headers),
            request_id: id.to_owned(),
        }
    }

    /// Returns whether a request comes from a trusted proxy.
    pub fn sent(&self, request: &RequestHead) -> bool {
        request.peer_addr.is_some_and(|peer| self.include(peer.ip()))
    }
}

/// Returns the visible part of the `User-Agent`: without control characters and characters that change the reading
/// direction, without API keys, and cut to 200 characters.
fn program(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let is_plain = |c: &char| if c.is_ascii() { !c.is_ascii_control() } else { text::is_visible(*c) };
    let plain: String = agent.unwrap_or_default().chars().filter(is_plain).collect();
    leak::without_keys(&plain).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_source_is_described_without_the_key() {
        let told = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.append(USER_AGENT, HeaderValue::from_bytes(agent.as_bytes()).unwrap());
            program(&headers)
        };
        assert_eq!(told("Büro\u{202e}\u{200b} 1.0 (x86_64)"), "Büro 1.0 (x86_64)");
        assert_eq!(told(&format!("cron jtn_s_{} x", "0".repeat(38))), "cron jtn_… x");
        assert_eq!(told(&"é".repeat(300)).chars().count(), 200);
    }
}
