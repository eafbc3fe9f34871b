//! What the activity log tells: who did what, when, through which token; and the chain that its entries form.

mod detail;

pub use detail::Detail;

use super::{organization::OrganizationId, time::Timestamp, user::UserId};
use sha2::{Digest, Sha256};

/// Declares [`Action`] together with the stable names, so that neither can be forgotten.
macro_rules! actions {
    ($($(#[$meta:meta])* $name:ident = $key:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$meta])* $name,)*
        }

        impl Action {
            /// All of them, in the order of filters.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name in the database and in exports.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }
        }
    };
}

actions! {
    /// The first organization and its administrator were made.
    InstallationSetUp = "installation.set_up",
    /// The database was restored from a backup; the detail is when that was created.
    InstallationRestored = "installation.restored",
    /// Whoever runs the server said that its clock is right.
    ClockConfirmed = "installation.clock_confirmed",
    /// An organization was made.
    OrganizationCreated = "organization.created",
    /// An organization's name or address was changed; the detail is the name before.
    OrganizationChanged = "organization.changed",
    /// Somebody signed in.
    SessionStarted = "session.started",
    /// Somebody signed out.
    SessionEnded = "session.ended",
    /// Somebody ended other sessions of theirs.
    OtherSessionsEnded = "session.others_ended",
    /// Somebody changed their password, which ended their other sessions.
    PasswordChanged = "password.changed",
    /// Somebody got a new password, by a link or from an operator, which ended their sessions.
    PasswordReset = "password.reset",
    /// A one-time link for a new password was made for the target.
    PasswordLinkMade = "password.link_made",
    /// Somebody changed their name, e-mail address or settings.
    ProfileChanged = "profile.changed",
    /// Somebody asked for another e-mail address, and has yet to prove it.
    EmailChangeAsked = "profile.email_change_asked",
    /// Somebody does not want that address any more.
    EmailChangeCancelled = "profile.email_change_cancelled",
    /// Somebody has another e-mail address; the detail is which.
    EmailChanged = "profile.email_changed",
    /// The target administers the installation since then.
    AccountPromoted = "account.promoted",
    /// The target does not administer the installation any more.
    AccountDemoted = "account.demoted",
    /// The target's account was blocked as a whole, which stopped their tokens.
    AccountBlocked = "account.blocked",
    /// The target's account was opened again.
    AccountUnblocked = "account.unblocked",
    /// An address, the target, was invited.
    UserInvited = "user.invited",
    /// An invitation of the target was taken back.
    InvitationWithdrawn = "user.invitation_withdrawn",
    /// The actor took an invitation, or the target was added by an operator.
    UserJoined = "user.joined",
    /// The target was deactivated, which stopped their tokens.
    UserDeactivated = "user.deactivated",
    /// The target was reactivated.
    UserReactivated = "user.reactivated",
    /// The target was removed from the organization, which stopped their tokens.
    UserRemoved = "user.removed",
    /// The target got another permission set; the detail is its name.
    UserPermissionSetChanged = "user.permission_set_changed",
    /// A permission set, the target, was made.
    PermissionSetCreated = "permission_set.created",
    /// A permission set, the target, was changed; the detail is [`Detail::Permissions`].
    PermissionSetChanged = "permission_set.changed",
    /// A permission set, the target, was deleted.
    PermissionSetDeleted = "permission_set.deleted",
    /// A token was made.
    TokenCreated = "token.created",
    /// A token was used for the first time.
    TokenFirstUsed = "token.first_used",
    /// A service user's name was changed; the detail is the name before.
    TokenRenamed = "token.renamed",
    /// A token's inactivity expiry was changed; the detail is the number of days.
    TokenExpiryChanged = "token.expiry_changed",
    /// A service user's permissions were changed; the detail is [`Detail::Permissions`].
    TokenPermissionsChanged = "token.permissions_changed",
    /// A token was revoked; the detail is the reason, if one was given.
    TokenRevoked = "token.revoked",
    /// A token was revoked because its key was found in the open; the detail is where, if that was told.
    TokenLeaked = "token.leaked",
    /// A token got a new key after it had ended.
    TokenRegenerated = "token.regenerated",
    /// A token got a new key while the old one goes on working; the detail is the last moment of the old key.
    TokenRotated = "token.rotated",
    /// A token's old key stopped working.
    OldKeyEnded = "token.old_key_ended",
    /// A token was deleted.
    TokenDeleted = "token.deleted",
    /// A token was not used for its inactivity period.
    TokenExpired = "token.expired",
    /// A revoked token was used again, and refused.
    RevokedTokenRefused = "token.refused",
    /// A protected API, the target, was registered; the detail is [`Detail::ProtectedApi`].
    ProtectedApiCreated = "protected_api.created",
    /// A protected API, the target, was changed; the detail is [`Detail::ProtectedApi`] since then.
    ProtectedApiChanged = "protected_api.changed",
    /// A protected API, the target, was deleted.
    ProtectedApiDeleted = "protected_api.deleted",
    /// The activity log or a list was exported; the detail says which.
    Exported = "data.exported",
}

impl Action {
    /// The action with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.key() == key)
    }

    /// The group that filters show it in.
    pub fn group(self) -> ActionGroup {
        match self.key().split('.').next() {
            Some("token") => ActionGroup::Tokens,
            Some("user") => ActionGroup::Users,
            Some("permission_set") => ActionGroup::PermissionSets,
            Some("session" | "password" | "profile" | "account") => ActionGroup::Accounts,
            _ => ActionGroup::Organization,
        }
    }
}

/// Actions that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionGroup {
    /// API tokens of people and of service users.
    Tokens,
    /// Who is in the organization, and with what permissions.
    Users,
    /// The permission sets themselves.
    PermissionSets,
    /// Signing in, passwords and profiles.
    Accounts,
    /// The organization as a whole, and what left it as a file.
    Organization,
}

impl ActionGroup {
    /// All of them, in the order of filters.
    pub const ALL: [Self; 5] = [Self::Tokens, Self::Users, Self::PermissionSets, Self::Accounts, Self::Organization];

    /// The word in addresses. No [`Action`] has such a key: theirs have a dot.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Users => "users",
            Self::PermissionSets => "permission_sets",
            Self::Accounts => "accounts",
            Self::Organization => "organization",
        }
    }

    /// The group with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.key() == key)
    }

    /// Its actions.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| action.group() == self)
    }
}

/// Where a request came from: what the log, the lists of sessions and of tokens say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The address of the client.
    pub address: String,
    /// What the client calls itself (`User-Agent`), 200 characters at most, without control characters.
    pub program: String,
    /// The id of the request in logs and error answers.
    pub request_id: String,
}

/// SHA-256, the form of a link of the chain.
pub type Hash = [u8; 32];

/// What stands before the first entry of a chain.
pub const CHAIN_START: Hash = [0; 32];

/// The hash of an entry with these fields after an entry with the hash `previous` (G3): SHA-256 of that hash and of every
/// field, each as its length in bytes (64 bits, big-endian) and its UTF-8 text; a missing field is the length 2⁶⁴ − 1.
///
/// There is no secret in it: whoever has an export can check it. Whoever can write to the database could compute a whole
/// new chain, which the hash of any entry noted elsewhere gives away.
///
/// A whole export (JSON Lines, without filters) is checked by this program, which prints position and hash of the last
/// entry, to be compared with what the page of the log shows:
///
/// ```python
/// import hashlib, json, struct, sys
///
/// names = ["position", "organization", "at", "action", "actor_id", "actor", "target_id", "target", "token_id", "token",
///          "detail", "count", "address", "program", "request_id"]
/// rows = sorted(map(json.loads, open(sys.argv[1], encoding="utf-8")), key=lambda row: row["position"])
/// last = bytes(32)
/// for position, row in enumerate(rows, 1):
///     entry = hashlib.sha256(last)
///     for value in map(row.get, names):
///         text = b"" if value is None else str(value).encode()
///         entry.update(struct.pack(">Q", 2**64 - 1 if value is None else len(text)) + text)
///     last = entry.digest()
///     assert (row["position"], row["hash"]) == (position, last.hex()), f"entry {position} is not what was written"
/// print(position, last.hex())
/// ```
pub fn chained(previous: &Hash, fields: &[Option<&str>]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(previous);
    for field in fields {
        let length = field.map_or(u64::MAX, |text| text.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(field.unwrap_or_default());
    }
    hash.finalize().into()
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The row.
    pub id: i64,
    /// Its place in the log of its organization, from 1.
    pub position: i64,
    /// In which organization.
    pub organization: Option<OrganizationId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Who, if it was a person.
    pub actor: Option<UserId>,
    /// Their name at that moment, or that of the service user; empty if it came about by itself.
    pub actor_name: String,
    /// Which user it happened to, if it was one.
    pub target: Option<UserId>,
    /// The name of the user, permission set or whatever else it happened to.
    pub target_name: Option<String>,
    /// The token that it happened to or through: public id and label.
    pub token: Option<(String, String)>,
    /// What else there is to say.
    pub detail: Option<Detail>,
    /// How many times since the entry before, for what is counted; otherwise 1.
    pub count: i64,
    /// Where the request came from.
    pub source: Source,
    /// What chains it to the entry before.
    pub hash: Hash,
}

impl Logged {
    /// Its place in the order of pages.
    pub const fn key(&self) -> Key {
        Key { at: self.at, id: self.id }
    }
}

/// A place in the order of the log: entries of one second stand in the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When.
    pub at: Timestamp,
    /// The row.
    pub id: i64,
}

/// From where a page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// The newest entries.
    #[default]
    Newest,
    /// Entries older than this one, the newest of them first.
    Before(Key),
    /// Entries newer than this one, the oldest of them first.
    After(Key),
}

/// What is wrong with a chain. Positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The entry at this position is not what was written, or the one before it is another than at that time.
    Changed(i64),
    /// The entries from the first to the second of these positions are gone.
    Missing(i64, i64),
    /// The entry at this position was never written by Jeton: the chain ends before it.
    Inserted(i64),
    /// So many entries stand outside of the chain.
    Unchained(i64),
    /// The last entry is not the one that the chain's end was noted to be.
    EndChanged(i64),
    /// There are entries, and no note of where the chain ends.
    NoEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_actions_are_read_back_and_differ() {
        for action in Action::ALL {
            assert_eq!(Action::from_key(action.key()), Some(*action));
        }
        assert_eq!(Action::from_key("token.eaten"), None);
    }

    #[test]
    fn each_action_is_in_one_group_and_no_group_is_empty_or_named_like_an_action() {
        let grouped: usize = ActionGroup::ALL.into_iter().map(|group| group.actions().count()).sum();
        assert_eq!(grouped, Action::ALL.len());
        for group in ActionGroup::ALL {
            assert!(group.actions().next().is_some());
            assert_eq!((ActionGroup::from_key(group.key()), Action::from_key(group.key())), (Some(group), None));
        }
    }

    #[test]
    fn a_chain_is_the_documented_one() {
        // Independently: Python's hashlib.sha256(bytes(32) + struct.pack('>Q', 2) + b'ab' + b'\xff' * 8).
        let hash = chained(&CHAIN_START, &[Some("ab"), None]);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "d8acac3bf554135d04542b5f8e7ca2fa9aaec5f0732d2c74b24e330472993901");
        assert_ne!(chained(&CHAIN_START, &[Some("a"), Some("b")]), chained(&CHAIN_START, &[Some("ab"), Some("")]));
        assert_ne!(chained(&CHAIN_START, &[None]), chained(&CHAIN_START, &[Some("")]));
    }
}
