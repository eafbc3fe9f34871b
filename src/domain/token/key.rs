//! The key of a token: its form, and the digest that is stored.

use super::TokenKind;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

const BODY: usize = 32;
const CHECKSUM: usize = 6;
/// The length of a key in characters, the same for all kinds.
pub const KEY_LENGTH: usize = "jtn_p_".len() + BODY + CHECKSUM;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The secret text of a token, `jtn_p_` + 32 random base62 characters + 6 characters of checksum (T1).
///
/// It has no `Display`, and its `Debug` hides it: only [`ApiKey::reveal`] returns the text, for the one page that shows
/// it.
pub struct ApiKey(String);

impl ApiKey {
    /// Creates a key of 190 random bits. `fill` fills a buffer with random bytes from the operating system; bytes that
    /// would make some characters more likely than others are discarded.
    pub fn mint(kind: TokenKind, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut key = String::from(kind.prefix());
        let length = key.len() + BODY;
        while key.len() < length {
            let mut bytes = [0; 2 * BODY];
            fill(&mut bytes);
            for byte in bytes.into_iter().filter(|byte| *byte < 248) {
                if key.len() < length {
                    key.push(char::from(BASE62[usize::from(byte % 62)]));
                }
            }
        }
        let sum = checksum(&key);
        key.extend(sum.map(char::from));
        Self(key)
    }

    /// Returns the text, to be shown once and then dropped.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// The text is not an API key of Jeton: its prefix, length, characters or checksum are wrong. It need not be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an API key of the form jtn_…")]
pub struct Malformed;

/// Checks the form of a key exactly: prefix, length, alphabet and checksum (T2, T6).
///
/// # Errors
/// [`Malformed`] for anything else.
pub fn kind_of_key(text: &str) -> Result<TokenKind, Malformed> {
    let kind = TokenKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix())).ok_or(Malformed)?;
    let body = kind.prefix().len();
    if text.len() != body + BODY + CHECKSUM || !text.as_bytes()[body..].iter().all(u8::is_ascii_alphanumeric) {
        return Err(Malformed);
    }
    let (before, sum) = text.split_at(body + BODY);
    if checksum(before) == sum.as_bytes() { Ok(kind) } else { Err(Malformed) }
}

/// Returns the CRC-32 (IEEE) of `text` in base62, most significant digit first.
fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// What the database stores of a key: its HMAC-SHA-256 under the [`Pepper`] (T4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl std::fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// The installation's secret, which is stored outside the database: whoever can only write to the database cannot
/// create a token.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// The number of this pepper in token rows, so that another one can replace it some day without new keys for
    /// everybody.
    pub const VERSION: i16 = 1;
    /// Its length in bytes.
    pub const LENGTH: usize = 32;

    /// Creates a pepper from these bytes.
    pub fn new(bytes: &[u8; Self::LENGTH]) -> Self {
        // The key is not longer than a SHA-256 block, so this is exactly the construction of HMAC with that key.
        let mut block = [0; 64];
        block[..Self::LENGTH].copy_from_slice(bytes);
        Self(Hmac::new(&block.into()))
    }

    /// Returns the digest under which a key is stored and found.
    pub fn digest(&self, key: &str) -> KeyDigest {
        KeyDigest(self.mac(&[key.as_bytes()]))
    }

    /// Derives another secret for a `purpose`, so that there is only one file to keep safe. The purposes are constants
    /// of the program, and no API key begins like one.
    pub fn derive(&self, purpose: &str, input: &[u8]) -> [u8; 32] {
        self.mac(&[b"jeton:", purpose.as_bytes(), b":", input])
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn random(buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }

    #[test]
    fn keys_have_the_documented_form_and_never_repeat() {
        let mut seen = HashSet::new();
        let mut counts = [0u32; 62];
        for _ in 0..10_000 {
            let key = ApiKey::mint(TokenKind::Personal, random);
            let text = key.reveal();
            assert_eq!(text.len(), 44);
            assert_eq!(kind_of_key(text), Ok(TokenKind::Personal));
            for c in text[6..38].bytes() {
                counts[BASE62.iter().position(|known| *known == c).unwrap()] += 1;
            }
            assert!(seen.insert(text.to_owned()));
        }
        // Chi-square with 61 degrees of freedom: chance exceeds 130 less than once in a million runs.
        let expected = 320_000.0 / 62.0;
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi < 130.0, "{chi}");
    }

    #[test]
    fn the_checksum_is_the_documented_one() {
        // Computed independently: python3 -c "import zlib; print(zlib.crc32(b'jtn_p_' + b'0' * 32))" says 738073388.
        let body = format!("jtn_p_{}", "0".repeat(32));
        assert_eq!(&checksum(&body), b"0nwsbU");
    }

    #[test]
    fn any_altered_key_is_malformed() {
        let key = ApiKey::mint(TokenKind::Personal, random);
        let key = key.reveal();
        let mut altered: Vec<String> = (0..key.len()).map(|end| key[..end].to_owned()).collect();
        for tail in ["\n", "\0", " ", "=", "%00", "0", "é"] {
            altered.push(format!("{key}{tail}"));
            altered.push(format!("{tail}{key}"));
        }
        altered.push(format!("jtn_p_{key}"));
        altered.push(key.replacen("jtn_p_", "jtn_s_", 1));
        altered.push(key.replacen("jtn", "JTN", 1));
        altered.push(key.replacen("jtn_p_", "jtn_\u{440}_", 1));
        for at in 6..key.len() {
            let flipped = key.as_bytes()[at] as char;
            let other = if flipped == 'a' { 'b' } else { 'a' };
            altered.push(format!("{}{other}{}", &key[..at], &key[at + 1..]));
        }
        for text in altered {
            assert_eq!(kind_of_key(&text), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_digest_needs_the_pepper() {
        let key = ApiKey::mint(TokenKind::Service, random);
        let (ours, theirs) = (Pepper::new(&[1; 32]), Pepper::new(&[2; 32]));
        assert_eq!(ours.digest(key.reveal()), ours.digest(key.reveal()));
        assert_ne!(ours.digest(key.reveal()), theirs.digest(key.reveal()));
    }

    #[test]
    fn the_digest_is_the_hmac_of_rfc_4231() {
        // RFC 4231 test case 1 has a key of 20 bytes; padded with zeros to 32 it is the same HMAC key.
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let digest = Pepper::new(&key).digest("Hi There").0;
        assert_eq!(digest[..4], [0xb0, 0x34, 0x4c, 0x61]);
    }

    #[test]
    fn secrets_are_hidden_in_debug_output() {
        let key = ApiKey::mint(TokenKind::Personal, random);
        assert!(!format!("{key:?}").contains(&key.reveal()[6..20]));
        assert!(!format!("{:?}", Pepper::new(&[7; 32])).contains('7'));
    }
}
