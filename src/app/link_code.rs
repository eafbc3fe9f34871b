//! The secret of a link that is sent to a person: for a new password, an invitation or a new e-mail address.

use super::random;
use sha2::{Digest, Sha256};

/// The code in the link, 200 random bits. The database has only its hash.
pub struct LinkCode(String);

impl LinkCode {
    pub(super) fn new() -> Self {
        Self(random::code())
    }

    /// Returns the code as text, for the one answer or mail that contains it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the hash that the database stores.
    pub(super) fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

impl std::fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkCode(…)")
    }
}

/// Returns the hash under which this code is stored.
pub(super) fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}
