//! The key of a token: its form, and what is kept of it.

use super::TokenKind;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

const BODY: usize = 32;
const CHECKSUM: usize = 6;
/// How many characters a key has, whatever its kind.
pub const KEY_LENGTH: usize = "jtn_p_".len() + BODY + CHECKSUM;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The secret text of a token, `jtn_p_` + 32 random base62 characters + 6 characters of checksum (T1).
///
/// It has no `Display`, and its `Debug` hides it: the only way to its text is [`ApiKey::reveal`], for the one page that
/// shows it.
pub struct ApiKey(String);

impl ApiKey {
    /// Makes a key of 190 random bits. `fill` fills a buffer from the operating system's generator; bytes that would
    /// make some characters likelier than others are thrown away.
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

    /// The text, to be shown once and then forgotten.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// A text that is no key of Jeton's: wrong prefix, length, characters or checksum. Nobody needs to look it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an API key of the form jtn_…")]
pub struct Malformed;

/// Checks the form of a key: prefix, length, alphabet and checksum, all exactly (T2, T6).
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

/// CRC-32 (IEEE) of `text` in base62, most significant digit first.
fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// What the database keeps of a key: HMAC-SHA-256 of all of it under the [`Pepper`] (T4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl std::fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

/// The installation's secret, which stands outside of the database: whoever can write to the database alone cannot
/// plant a token.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// The number of this pepper in token rows, so that another can take over one day without new keys for all.
    pub const VERSION: i16 = 1;
    /// Its length in bytes.
    pub const LENGTH: usize = 32;

    /// A pepper of these bytes.
    pub fn new(bytes: &[u8; Self::LENGTH]) -> Self {
        // The key is no longer than SHA-256's block, so this is exactly HMAC's construction with that key.
        let mut block = [0; 64];
        block[..Self::LENGTH].copy_from_slice(bytes);
        Self(Hmac::new(&block.into()))
    }

    /// The digest under which a key is stored and found.
    pub fn digest(&self, key: &str) -> KeyDigest {
        KeyDigest(self.mac(&[key.as_bytes()]))
    }

    /// A secret of its own for another `purpose`, so that one file is all there is to keep safe. The purposes are
    /// constants of the program, and no API key begins like one.
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
        // Chi-square with 61 degrees of freedom: 130 is passed by chance less than once in a million runs.
        let expected = 320_000.0 / 62.0;
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi < 130.0, "{chi}");
    }

    #[test]
    fn the_checksum_is_the_documented_one() {
        // Independently: python3 -c "import zlib; print(zlib.crc32(b'jtn_p_' + b'0' * 32))" says 738073388.
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
    fn the_digest_is_rfc_4231_hmac() {
        // RFC 4231 test case 1 has a key of 20 bytes; padded with zeros to 32 it is the same HMAC key.
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let digest = Pepper::new(&key).digest("Hi There").0;
        assert_eq!(digest[..4], [0xb0, 0x34, 0x4c, 0x61]);
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let key = ApiKey::mint(TokenKind::Personal, random);
        assert!(!format!("{key:?}").contains(&key.reveal()[6..20]));
        assert!(!format!("{:?}", Pepper::new(&[7; 32])).contains('7'));
    }
}
