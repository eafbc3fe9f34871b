//! API tokens: their kinds, scopes and states, and when they end.

mod facts;
mod key;
pub mod listing;

pub use facts::{KeyFacts, LastUse, OwnedToken, RefusedUses, RevokedBy, Token};
pub use key::{ApiKey, KEY_LENGTH, KeyDigest, Malformed, Pepper, kind_of_key};

use super::time::{DAY, Timestamp};

/// The maximum number of a user's active personal tokens (L1).
pub const PERSONAL_LIMIT: i16 = 10;
/// The maximum number of active tokens of service users in an organization (L1).
pub const SERVICE_LIMIT: i16 = 20;

/// The row id of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub i64);

keyed! {
    /// Whose credential a token is.
    pub enum TokenKind {
        /// A user's own, in one organization.
        Personal = "personal",
        /// A service user's.
        Service = "service",
    }
}

impl TokenKind {
    /// Returns the prefix of keys of this kind (T1).
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "jtn_p_",
            Self::Service => "jtn_s_",
        }
    }
}

keyed! {
    /// What a token may do at most, within what its subject may do.
    pub enum Scope {
        /// It may read, but change nothing.
        ReadOnly = "read",
        /// It may read and change what its subject may.
        ReadWrite = "read_write",
    }
}

impl Scope {
    /// Returns the value of OAuth's `scope`: names separated by spaces, always in this order (RFC 6749 §3.3).
    pub const fn oauth(self) -> &'static str {
        match self {
            Self::ReadOnly => "read",
            Self::ReadWrite => "read write",
        }
    }
}

/// After how long without use a token expires (L5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InactivityExpiry {
    /// 31 days.
    Days31,
    /// 45 days, the default.
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

    /// Returns the number of days, each of 24 hours.
    pub const fn days(self) -> i16 {
        match self {
            Self::Days31 => 31,
            Self::Days45 => 45,
            Self::Days60 => 60,
            Self::Days180 => 180,
        }
    }

    /// Returns the number of seconds.
    pub const fn seconds(self) -> i64 {
        self.days() as i64 * DAY
    }

    /// Returns the period of this many days, if it is one of the choices.
    pub fn from_days(days: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|expiry| expiry.days() == days)
    }
}

/// The times that decide whether a token is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was created.
    pub created_at: Timestamp,
    /// Its last accepted use.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its expiry was recorded; an expired token stays expired.
    pub expired_at: Option<Timestamp>,
    /// After how long without use it expires.
    pub inactivity: InactivityExpiry,
    /// When an old key next to a new one ends at the latest.
    pub ends_at: Option<Timestamp>,
}

/// The state of a token at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It is active, and expires at this time if it is never used again.
    Active {
        /// The first second at which it no longer works.
        expires_at: Timestamp,
    },
    /// It was not used for its inactivity period, which ended at this time.
    Expired {
        /// The first second at which it no longer worked.
        at: Timestamp,
    },
    /// It was revoked at this time.
    Revoked {
        /// The time.
        at: Timestamp,
    },
}

impl Life {
    /// Returns since when it has not been used: its last use, or its creation.
    pub fn idle_since(&self) -> Timestamp {
        self.last_used_at.map_or(self.created_at, |used| used.max(self.created_at))
    }

    /// Returns the time from which the token is expired unless it is used before. The interval is half open: at exactly
    /// N × 24 hours after the last use, it has expired (L5).
    pub fn expires_at(&self) -> Timestamp {
        self.idle_since().plus(self.inactivity.seconds())
    }

    /// Returns the state at `now`. A revoked token stays revoked, an expired one expired; an old key whose overlap is
    /// over counts as revoked.
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

    /// Returns whether it is active at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        matches!(self.state(now), TokenState::Active { .. })
    }
}

/// Creates a public id: ten random characters that are easy to distinguish when read aloud. It is not part of the key
/// and may be shown anywhere.
pub fn public_id(mut fill: impl FnMut(&mut [u8])) -> String {
    const CLEAR: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 10];
    fill(&mut bytes);
    bytes.into_iter().map(|byte| char::from(CLEAR[usize::from(byte % 32)])).collect()
}

/// Returns whether a text has the form of a public id. No row has any other one, so it need not be looked up.
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
    fn revocation_and_expiry_are_permanent() {
        let mut token = life(0, Some(10), InactivityExpiry::Days31);
        token.expired_at = Some(Timestamp::from_seconds(20));
        token.inactivity = InactivityExpiry::Days180;
        assert!(matches!(token.state(Timestamp::from_seconds(30)), TokenState::Expired { .. }));
        token.revoked_at = Some(Timestamp::from_seconds(25));
        assert!(matches!(token.state(Timestamp::from_seconds(30)), TokenState::Revoked { .. }));
    }
}
