//! Keys that no token has. They are created while a test runs, so that no scanner finds any in the sources.

use domain::token::{ApiKey, TokenKind};

/// Returns a well-formed key that Jeton never created; a different one each time.
pub fn another_key() -> String {
    ApiKey::mint(TokenKind::Personal, |buffer| getrandom::fill(buffer).expect("random bytes")).reveal().to_owned()
}

/// Returns `text` with another letter at the byte `at`, whichever stands there.
pub fn with_another_letter(text: &str, at: usize) -> String {
    let other = if text[at..].starts_with('x') { 'y' } else { 'x' };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}
