//! Encrypts what is stored where others can read it: queued mails in the database, which otherwise has only hashes of
//! their links, and forms that a browser keeps until the next sign-in.

use crate::random;
use domain::token::Pepper;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// The length of the salt before the ciphertext, in bytes.
const SALT: usize = 16;

/// Encrypts and decrypts with keys derived from the pepper, a new one for each text.
pub(super) struct Seal {
    pepper: Pepper,
    purpose: &'static str,
}

impl Seal {
    /// Creates a seal with this pepper. What is sealed for one purpose cannot be opened for another.
    pub(super) fn new(pepper: &Pepper, purpose: &'static str) -> Self {
        Self { pepper: pepper.clone(), purpose }
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.pepper.derive(self.purpose, salt)).ok().map(LessSafeKey::new)
    }

    /// Encrypts `text`. Returns `None` only if the library fails.
    pub(super) fn close(&self, text: Vec<u8>) -> Option<Vec<u8>> {
        let salt = random::bytes::<SALT>();
        let mut sealed = text;
        self.key(&salt)?.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).ok()?;
        Some([&salt[..], &sealed].concat())
    }

    /// Decrypts what was sealed with the same pepper for the same purpose, if it was not changed since.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, sealed) = sealed.split_at_checked(SALT)?;
        let mut text = sealed.to_vec();
        let length = self.key(salt)?.open_in_place(nonce(), Aad::empty(), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// Returns the nonce, which is always the same: as no key is used twice, no pair of key and nonce is.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_data_opens_only_unchanged_and_with_the_same_pepper() {
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
