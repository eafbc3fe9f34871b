//! Seals what must be kept in places that others can read: mails that wait in the database, whose links it keeps only as
//! hashes elsewhere, and forms that a browser keeps until somebody has signed in again.

use crate::random;
use domain::token::Pepper;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of the salt that stands before the ciphertext.
const SALT: usize = 16;

/// Seals and opens with keys that only the pepper gives, one for each text.
pub(super) struct Seal {
    pepper: Pepper,
    purpose: &'static str,
}

impl Seal {
    /// By this pepper; what is sealed for one purpose opens for no other.
    pub(super) fn new(pepper: &Pepper, purpose: &'static str) -> Self {
        Self { pepper: pepper.clone(), purpose }
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.pepper.derive(self.purpose, salt)).ok().map(LessSafeKey::new)
    }

    /// Encrypts `text`. None only if the library fails.
    pub(super) fn close(&self, text: Vec<u8>) -> Option<Vec<u8>> {
        let salt = random::bytes::<SALT>();
        let mut sealed = text;
        self.key(&salt)?.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).ok()?;
        Some([&salt[..], &sealed].concat())
    }

    /// Decrypts what was sealed under the same pepper for the same purpose, and not changed since.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, sealed) = sealed.split_at_checked(SALT)?;
        let mut text = sealed.to_vec();
        let length = self.key(salt)?.open_in_place(nonce(), Aad::empty(), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// Always the same: no key is used twice, so no pair of both is.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_the_same_pepper_alone_and_only_whole() {
        let (ours, other) = (Pepper::new(&[1; 32]), Pepper::new(&[2; 32]));
        let seal = Seal::new(&ours, "mail");
        let text = b"https://jeton.example.org/password/secret".to_vec();
        let sealed = seal.close(text.clone()).unwrap();
        assert_eq!(seal.open(&sealed), Some(text.clone()));
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealed, seal.close(text).unwrap(), "the same mail twice");
        assert_eq!(Seal::new(&other, "mail").open(&sealed), None);
        assert_eq!(Seal::new(&ours, "form").open(&sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!((seal.open(&changed), seal.open(&sealed[..at])), (None, None), "{at}");
        }
    }
}
