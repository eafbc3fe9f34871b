//! API tokens: the form of a key, how it is kept, what a token may be and when it ends.

use super::{
    text::{self, TextError},
    time::{DAY, Timestamp},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// Most active personal tokens of one user (`product.md` rule 7).
pub const PERSONAL_LIMIT: i16 = 10;
/// Most active tokens of service users in one organization (`product.md` rule 12).
pub const SERVICE_LIMIT: i16 = 20;

/// The row id of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub i64);

/// Whose credential a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A user's own, in one organization.
    Personal,
    /// A service user's.
    Service,
    /// Managed by Jeton for a built-in integration.
    System,
}

impl TokenKind {
    const ALL: [Self; 3] = [Self::Personal, Self::Service, Self::System];

    /// The word in programs and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Service => "service",
            Self::System => "system",
        }
    }

    /// What a key of this kind begins with (`product.md` rule 2).
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "jtn_p_",
            Self::Service => "jtn_s_",
            Self::System => "jtn_m_",
        }
    }

    /// The kind with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// How far a token reaches within what its subject may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reads, changes nothing.
    ReadOnly,
    /// Reads and changes, wherever its subject may.
    ReadWrite,
}

impl Scope {
    /// Both, in the order of forms.
    pub const ALL: [Self; 2] = [Self::ReadOnly, Self::ReadWrite];

    /// The word in programs, forms and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ReadOnly => "read",
            Self::ReadWrite => "read_write",
        }
    }

    /// The value of OAuth's `scope`: names separated by spaces, always in this order (RFC 6749 §3.3).
    pub const fn oauth(self) -> &'static str {
        match self {
            Self::ReadOnly => "read",
            Self::ReadWrite => "read write",
        }
    }

    /// The scope with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.key() == key)
    }
}

/// After how long without use a token expires (`product.md` rule 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InactivityExpiry {
    /// 31 days.
    Days31,
    /// 45 days, unless something else is chosen.
    #[default]
    Days45,
    /// 60 days.
    Days60,
    /// 180 days.
    Days180,
}

impl InactivityExpiry {
    /// All of them, shortest first.
    pub const ALL: [Self; 4] = [Self::Days31, Self::Days45, Self::Days60, Self::Days180];

    /// The number of days, each of 24 hours.
    pub const fn days(self) -> i16 {
        match self {
            Self::Days31 => 31,
            Self::Days45 => 45,
            Self::Days60 => 60,
            Self::Days180 => 180,
        }
    }

    /// The same in seconds.
    pub const fn seconds(self) -> i64 {
        self.days() as i64 * DAY
    }

    /// The period of this many days, if it is one that can be chosen.
    pub fn from_days(days: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|expiry| expiry.days() == days)
    }
}

/// What a user calls a personal token: 1 to 100 characters.
///
/// # Errors
/// [`TextError`] says what is wrong with it.
pub fn label(typed: &str) -> Result<String, TextError> {
    text::line(typed)
}

/// What decides whether a token lives: the moments of its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was made.
    pub created_at: Timestamp,
    /// Its last accepted use.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its expiry was written down; an expired token stays so.
    pub expired_at: Option<Timestamp>,
    /// After how long without use it expires.
    pub inactivity: InactivityExpiry,
    /// An old key next to a new one works until this moment at the most.
    pub ends_at: Option<Timestamp>,
}

/// What a token is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It works, and would expire at this moment if it were never used again.
    Active {
        /// The first second at which it no longer works.
        expires_at: Timestamp,
    },
    /// It was not used for its inactivity period, which ended at this moment.
    Expired {
        /// The first second at which it no longer worked.
        at: Timestamp,
    },
    /// It was revoked at this moment.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

impl Life {
    /// Since when it has not been used: its last use, or its creation.
    pub fn idle_since(&self) -> Timestamp {
        self.last_used_at.map_or(self.created_at, |used| used.max(self.created_at))
    }

    /// The moment from which the token is expired unless it is used before: the interval is half open, at exactly
    /// N × 24 hours after the last use it has expired (L5).
    pub fn expires_at(&self) -> Timestamp {
        self.idle_since().plus(self.inactivity.seconds())
    }

    /// What the token is at `now`. A revoked token stays revoked, an expired one expired; an old key whose time is over
    /// is as good as revoked.
    pub fn state(&self, now: Timestamp) -> TokenState {
        let expires_at = self.expires_at();
        let ended = self.ends_at.filter(|ends_at| now >= *ends_at);
        match (self.revoked_at.or(ended), self.expired_at) {
            (Some(at), _) => TokenState::Revoked { at },
            (None, Some(at)) => TokenState::Expired { at },
            (None, None) if now >= expires_at => TokenState::Expired { at: expires_at },
            (None, None) => TokenState::Active { expires_at },
        }
    }

    /// Whether it works at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        matches!(self.state(now), TokenState::Active { .. })
    }
}

const BODY: usize = 32;
const CHECKSUM: usize = 6;
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

/// Makes a token's public id: ten random characters that are easy to tell apart when read aloud. It is no part of the
/// key and may be shown anywhere.
pub fn public_id(mut fill: impl FnMut(&mut [u8])) -> String {
    const CLEAR: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 10];
    fill(&mut bytes);
    bytes.into_iter().map(|byte| char::from(CLEAR[usize::from(byte % 32)])).collect()
}

/// Whether a text has the form of a public id. Anything else is no row's, and need not be looked for.
pub fn is_public_id(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn random(buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }

    fn life(created: i64, used: Option<i64>, inactivity: InactivityExpiry) -> Life {
        Life {
            created_at: Timestamp::from_seconds(created),
            last_used_at: used.map(Timestamp::from_seconds),
            revoked_at: None,
            expired_at: None,
            inactivity,
            ends_at: None,
        }
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
    fn a_token_expires_at_exactly_its_period_after_the_last_use() {
        for inactivity in InactivityExpiry::ALL {
            for used in [None, Some(5_000)] {
                let life = life(1_000, used, inactivity);
                let end = used.unwrap_or(1_000) + inactivity.seconds();
                let state = |second| life.state(Timestamp::from_seconds(second));
                let expires_at = Timestamp::from_seconds(end);
                assert_eq!(state(end - 1), TokenState::Active { expires_at });
                assert_eq!(state(end), TokenState::Expired { at: expires_at });
                assert_eq!(state(end + 1), TokenState::Expired { at: expires_at });
            }
        }
    }

    #[test]
    fn revocation_outlasts_everything_and_expiry_is_not_undone() {
        let mut token = life(0, Some(10), InactivityExpiry::Days31);
        token.expired_at = Some(Timestamp::from_seconds(20));
        token.inactivity = InactivityExpiry::Days180;
        assert!(matches!(token.state(Timestamp::from_seconds(30)), TokenState::Expired { .. }));
        token.revoked_at = Some(Timestamp::from_seconds(25));
        assert!(matches!(token.state(Timestamp::from_seconds(30)), TokenState::Revoked { .. }));
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
