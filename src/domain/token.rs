//! API tokens: what a token may be and when it ends.

mod facts;
mod key;
pub mod listing;

pub use facts::{KeyFacts, LastUse, OwnedToken, RefusedUses, RevokedBy, Token};
pub use key::{ApiKey, KEY_LENGTH, KeyDigest, Malformed, Pepper, kind_of_key};

use super::{
    text::{self, TextError},
    time::{DAY, Timestamp},
};

/// Most active personal tokens of one user (L1).
pub const PERSONAL_LIMIT: i16 = 10;
/// Most active tokens of service users in one organization (L1).
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
}

impl TokenKind {
    const ALL: [Self; 2] = [Self::Personal, Self::Service];

    /// The word in programs and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Service => "service",
        }
    }

    /// What a key of this kind begins with (T1).
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "jtn_p_",
            Self::Service => "jtn_s_",
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

/// After how long without use a token expires (L5).
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
}
