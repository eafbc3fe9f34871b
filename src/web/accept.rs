//! What a client accepts.

use actix_web::{
    HttpRequest,
    http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName},
};

/// Returns the values of a header that is a list, whether it was sent in one line or in several.
pub fn values<'a>(request: &'a HttpRequest, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// Returns the weight that a client gives to something in a list such as `Accept`; `None` if it does not name it.
fn weight(request: &HttpRequest, header: &HeaderName, wanted: &str) -> Option<f32> {
    values(request, header).find_map(|value| {
        let mut parts = value.split(';').map(str::trim);
        parts.next().filter(|named| named.eq_ignore_ascii_case(wanted))?;
        let given = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok());
        Some(given.unwrap_or(1.0))
    })
}

/// Returns whether the client accepts gzip, with any weight except zero.
pub fn accepts_gzip(request: &HttpRequest) -> bool {
    weight(request, &ACCEPT_ENCODING, "gzip").is_some_and(|weight| weight > 0.0)
}

/// Returns whether the client prefers a table to JSON.
pub fn wants_table(request: &HttpRequest) -> bool {
    let weight = |media| weight(request, &ACCEPT, media);
    weight("text/csv").is_some_and(|table| table > 0.0 && weight("application/json").is_none_or(|json| table >= json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_table_is_wanted_by_name() {
        for (accept, is_wanted) in [
            ("text/csv", true),
            ("text/csv; charset=utf-8, */*;q=0.1", true),
            ("application/json;q=0.9, text/csv", true),
            ("application/json, text/csv;q=0.5", false),
            ("text/csv;q=0", false),
            ("*/*", false),
            ("text/*", false),
            ("", false),
        ] {
            assert_eq!(
                wants_table(&TestRequest::default().insert_header((ACCEPT, accept)).to_http_request()),
                is_wanted,
                "{accept}"
            );
        }
    }
}
