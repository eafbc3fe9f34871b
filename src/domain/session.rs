//! Sessions of the web pages, and how long they last.

use super::{organization::OrganizationId, time::Timestamp, user::UserId};

/// Seconds without a request after which a session ends (NIST SP 800-63B-4 §5.2, S2).
pub const IDLE: i64 = 60 * 60;
/// Seconds after signing in at which a session ends whatever happens.
pub const ABSOLUTE: i64 = 24 * 60 * 60;
/// For how many seconds an entered password allows actions that grant access (S8).
pub const PROOF: i64 = 10 * 60;

/// The times that decide whether a session is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLife {
    /// When the user signed in.
    pub started_at: Timestamp,
    /// The last request.
    pub seen_at: Timestamp,
}

impl SessionLife {
    /// Returns whether the session has ended by `now`. Both intervals are half open, as for a token. A session that
    /// began or was used while the clock was ahead has ended, too, as it would otherwise last longer.
    pub fn has_ended(self, now: Timestamp) -> bool {
        let is_ahead = self.seen_at.max(self.started_at) > now.latest();
        is_ahead || now.since(self.seen_at) >= IDLE || now.since(self.started_at) >= ABSOLUTE
    }
}

/// Returns whether a password entered at `at` still allows actions that grant access at `now`.
pub fn is_proof(at: Timestamp, now: Timestamp) -> bool {
    at <= now.latest() && now.since(at) < PROOF
}

/// A session; for its user, a browser on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its public id, which distinguishes the user's sessions and is not secret.
    pub public_id: String,
    /// The user.
    pub user: UserId,
    /// The generation of the user's sessions when it began.
    pub generation: i64,
    /// When it began and was last used.
    pub life: SessionLife,
    /// When the password was last entered.
    pub proved_at: Timestamp,
    /// The IP address from which it began.
    pub address: String,
    /// The browser.
    pub program: String,
    /// The organization that the user chose as their current one.
    pub organization: Option<OrganizationId>,
}

#[cfg(test)]
mod tests {
    use super::{super::time::SET_RIGHT, *};

    #[test]
    fn a_session_ends_at_the_second() {
        let life = |started, seen| SessionLife {
            started_at: Timestamp::from_seconds(started),
            seen_at: Timestamp::from_seconds(seen),
        };
        let at = Timestamp::from_seconds;
        assert!(!life(0, 0).has_ended(at(IDLE - 1)));
        assert!(life(0, 0).has_ended(at(IDLE)));
        assert!(!life(0, ABSOLUTE - 2).has_ended(at(ABSOLUTE - 1)));
        assert!(life(0, ABSOLUTE - 1).has_ended(at(ABSOLUTE)));
        assert!(is_proof(at(0), at(PROOF - 1)) && !is_proof(at(0), at(PROOF)));
        assert!(!life(SET_RIGHT, SET_RIGHT).has_ended(at(0)) && is_proof(at(SET_RIGHT), at(0)));
        assert!(life(0, SET_RIGHT + 1).has_ended(at(0)) && life(SET_RIGHT + 1, 0).has_ended(at(0)));
        assert!(!is_proof(at(SET_RIGHT + 1), at(0)));
    }
}
