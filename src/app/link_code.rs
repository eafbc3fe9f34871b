//! The secret of a link that is sent to a person: for a new password, an invitation or a new e-mail address.

use super::random;
use sha2::{Digest, Sha256};

/// 200 random bits, as they stand in the link. The database has only their hash.
pub struct LinkCode(String);

impl LinkCode {
    pub(super) fn new() -> Self {
        Self(random::code())
    }

    /// The text of the code, for the one answer or mail that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub(super) fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

impl std::fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkCode(…)")
    }
}

/// The hash under which a code is stored that somebody came with.
pub(super) fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}
