//! Keys that no token has. They are made while a test runs, so that no scanner finds any in the sources.

use domain::token::{ApiKey, TokenKind};

/// A key in the right form that Jeton never made; another one each time.
pub fn another_key() -> String {
    ApiKey::mint(TokenKind::Personal, |buffer| getrandom::fill(buffer).expect("random bytes")).reveal().to_owned()
}
