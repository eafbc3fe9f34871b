//! The activity log: who did what, when, with which token; and the hash chain of its entries.

mod detail;

pub use detail::Detail;

use super::{organization::OrganizationId, time::Timestamp, user::UserId};
use sha2::{Digest, Sha256};

keyed! {
    /// What happened. The key stands in the database and in exports.
    pub enum Action {
        /// The first organization and its administrator were created.
        InstallationSetUp = "installation.set_up",
        /// The database was restored from a backup; the detail is when the backup was created.
        InstallationRestored = "installation.restored",
        /// The operator confirmed that the clock is right.
        ClockConfirmed = "installation.clock_confirmed",
        /// The operator set the freshness bound; the detail is the new one.
        FreshnessChanged = "installation.freshness_changed",
        /// An organization was created.
        OrganizationCreated = "organization.created",
        /// An organization's name or slug was changed; the detail is the previous name.
        OrganizationChanged = "organization.changed",
        /// Somebody signed in.
        SessionStarted = "session.started",
        /// Somebody signed out.
        SessionEnded = "session.ended",
        /// Somebody ended their other sessions.
        OtherSessionsEnded = "session.others_ended",
        /// Somebody changed their password, which ended their other sessions.
        PasswordChanged = "password.changed",
        /// Somebody got a new password, with a link or from an operator, which ended their sessions.
        PasswordReset = "password.reset",
        /// A one-time link for a new password was created for the target.
        PasswordLinkMade = "password.link_made",
        /// Somebody changed their name, e-mail address or settings.
        ProfileChanged = "profile.changed",
        /// Somebody requested another e-mail address, which is not yet confirmed.
        EmailChangeAsked = "profile.email_change_asked",
        /// Somebody cancelled that change.
        EmailChangeCancelled = "profile.email_change_cancelled",
        /// Somebody's e-mail address was changed; the detail is the new one.
        EmailChanged = "profile.email_changed",
        /// The target became an installation administrator.
        AccountPromoted = "account.promoted",
        /// The target is no longer an installation administrator.
        AccountDemoted = "account.demoted",
        /// The target's account was blocked, which stopped their tokens.
        AccountBlocked = "account.blocked",
        /// The target's account was unblocked.
        AccountUnblocked = "account.unblocked",
        /// An address, the target, was invited.
        UserInvited = "user.invited",
        /// An invitation of the target was withdrawn.
        InvitationWithdrawn = "user.invitation_withdrawn",
        /// The actor accepted an invitation, or an operator added the target.
        UserJoined = "user.joined",
        /// The target was deactivated, which stopped their tokens.
        UserDeactivated = "user.deactivated",
        /// The target was reactivated.
        UserReactivated = "user.reactivated",
        /// The target was removed from the organization, which stopped their tokens.
        UserRemoved = "user.removed",
        /// The target got another permission set; the detail is its name.
        UserPermissionSetChanged = "user.permission_set_changed",
        /// A permission set, the target, was created.
        PermissionSetCreated = "permission_set.created",
        /// A permission set, the target, was changed; the detail is [`Detail::Permissions`].
        PermissionSetChanged = "permission_set.changed",
        /// A permission set, the target, was deleted.
        PermissionSetDeleted = "permission_set.deleted",
        /// A kind, the target, was created; the detail is [`Detail::Kind`].
        KindCreated = "kind.created",
        /// A kind, the target, was changed; the detail is [`Detail::Kind`] if its permissions changed.
        KindChanged = "kind.changed",
        /// The fields of a kind, the target, were changed.
        KindFieldsChanged = "kind.fields_changed",
        /// A kind, the target, was deleted; the detail is [`Detail::Kind`].
        KindDeleted = "kind.deleted",
        /// A group, the target, was created.
        GroupCreated = "group.created",
        /// A group, the target, was renamed; the detail is the previous name.
        GroupRenamed = "group.renamed",
        /// A group, the target, was deleted; the count is that of its members.
        GroupDeleted = "group.deleted",
        /// The target was added to a group; the detail is its name.
        GroupMemberAdded = "group.member_added",
        /// As many as the count were added to a group, the target; the detail is [`Detail::Members`].
        GroupMembersAdded = "group.members_added",
        /// The target was taken out of a group; the detail is its name.
        GroupMemberRemoved = "group.member_removed",
        /// As many as the count were taken out of a group, the target; the detail is [`Detail::Members`].
        GroupMembersRemoved = "group.members_removed",
        /// A site, the target, was created; the detail is the name of the site that it is in, if it is in one.
        SiteCreated = "site.created",
        /// A site, the target, was renamed; the detail is the previous name.
        SiteRenamed = "site.renamed",
        /// A site, the target, was moved; the detail is the name of the site that it is in now, if it is in one.
        SiteMoved = "site.moved",
        /// A site, the target, was deleted; the count is that of the people who were assigned to it.
        SiteDeleted = "site.deleted",
        /// The target was assigned to a site; the detail is its name.
        SiteMemberAdded = "site.member_added",
        /// As many as the count were assigned to a site, the target; the detail is [`Detail::Members`].
        SiteMembersAdded = "site.members_added",
        /// The target was taken out of a site; the detail is its name.
        SiteMemberRemoved = "site.member_removed",
        /// As many as the count were taken out of a site, the target; the detail is [`Detail::Members`].
        SiteMembersRemoved = "site.members_removed",
        /// The target got another external id, or none; the detail is the new one.
        UserExternalIdChanged = "user.external_id_changed",
        /// A service user got another external id, or none; the detail is the new one.
        TokenExternalIdChanged = "token.external_id_changed",
        /// An item, the target, was created; the detail is [`Detail::Item`], as in all entries about items themselves.
        ItemCreated = "item.created",
        /// An item, the target, was changed.
        ItemChanged = "item.changed",
        /// An item, the target, was given to another owner; the detail is [`Detail::Share`], what they have now.
        ItemGiven = "item.given",
        /// An item, the target, was archived.
        ItemArchived = "item.archived",
        /// An item, the target, was taken out of the archive.
        ItemUnarchived = "item.unarchived",
        /// An item, the target, was deleted.
        ItemDeleted = "item.deleted",
        /// An item, the target, was shared; the detail is [`Detail::Share`].
        ItemShared = "item.shared",
        /// A share of an item, the target, got another level; the detail is the new [`Detail::Share`].
        ShareChanged = "item.share_changed",
        /// A share of an item, the target, was ended; the detail is what it was, a [`Detail::Share`].
        ShareEnded = "item.share_ended",
        /// An access rule for the target was created; the detail is [`Detail::AccessRule`].
        AccessRuleCreated = "access_rule.created",
        /// An access rule for the target was changed; the detail is the new [`Detail::AccessRule`].
        AccessRuleChanged = "access_rule.changed",
        /// An access rule for the target was deleted; the detail is what it was, a [`Detail::AccessRule`].
        AccessRuleDeleted = "access_rule.deleted",
        /// What another organization, the target, shares does not count any more.
        OrganizationRefused = "sharing.refused",
        /// What another organization, the target, shares counts again.
        OrganizationAccepted = "sharing.accepted",
        /// A token was created.
        TokenCreated = "token.created",
        /// A token was used for the first time.
        TokenFirstUsed = "token.first_used",
        /// A service user's name was changed; the detail is the previous name.
        TokenRenamed = "token.renamed",
        /// A token's inactivity expiry was changed; the detail is the number of days.
        TokenExpiryChanged = "token.expiry_changed",
        /// A service user's permissions were changed; the detail is [`Detail::Permissions`].
        TokenPermissionsChanged = "token.permissions_changed",
        /// A token was revoked; the detail is the reason, if one was given.
        TokenRevoked = "token.revoked",
        /// A token was revoked because its key was leaked; the detail is where, if that was reported.
        TokenLeaked = "token.leaked",
        /// A token got a new key after it had ended.
        TokenRegenerated = "token.regenerated",
        /// A token got a new key while the old one keeps working; the detail is when the old key ends.
        TokenRotated = "token.rotated",
        /// A token's old key stopped working.
        OldKeyEnded = "token.old_key_ended",
        /// A token was deleted.
        TokenDeleted = "token.deleted",
        /// A token was not used for its inactivity period.
        TokenExpired = "token.expired",
        /// A revoked token is still being called, and is refused.
        RevokedTokenRefused = "token.refused",
        /// A protected API, the target, was registered; the detail is [`Detail::ProtectedApi`].
        ProtectedApiCreated = "protected_api.created",
        /// A protected API, the target, was changed; the detail is the new [`Detail::ProtectedApi`].
        ProtectedApiChanged = "protected_api.changed",
        /// A protected API, the target, was deleted.
        ProtectedApiDeleted = "protected_api.deleted",
        /// The activity log or a list was exported; the detail says which.
        Exported = "data.exported",
    }
}

impl Action {
    /// Returns the group in which filters show it.
    pub fn group(self) -> ActionGroup {
        match self.key().split('.').next() {
            Some("token") => ActionGroup::Tokens,
            Some("user") => ActionGroup::Users,
            Some("permission_set") => ActionGroup::PermissionSets,
            Some("group" | "site") => ActionGroup::Groups,
            Some("item" | "access_rule" | "sharing") => ActionGroup::Items,
            Some("session" | "password" | "profile" | "account") => ActionGroup::Accounts,
            _ => ActionGroup::Organization,
        }
    }
}

keyed! {
    /// Actions that belong together. No [`Action`] has the key of a group, as those of actions have a dot.
    pub enum ActionGroup {
        /// API tokens of people and of service users.
        Tokens = "tokens",
        /// Members of the organization, and their permission sets.
        Users = "users",
        /// The permission sets themselves.
        PermissionSets = "permission_sets",
        /// Groups and sites, and who is in them.
        Groups = "groups",
        /// Items, and who has access to them.
        Items = "items",
        /// Signing in, passwords and profiles.
        Accounts = "accounts",
        /// The organization as a whole, and exports.
        Organization = "organization",
    }
}

impl ActionGroup {
    /// Iterates over its actions.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| action.group() == self)
    }
}

/// Where a request came from, as shown in the activity log and in the lists of sessions and tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The IP address of the client.
    pub address: String,
    /// The client's `User-Agent`, at most 200 characters, without control characters.
    pub program: String,
    /// The id of the request in logs and error answers.
    pub request_id: String,
}

/// A SHA-256 hash of the chain.
pub type Hash = [u8; 32];

/// The hash before the first entry of a chain.
pub const CHAIN_START: Hash = [0; 32];

/// Returns the hash of an entry with these fields after an entry with the hash `previous` (G3): SHA-256 of that hash
/// and of every field, each as its length in bytes (64 bits, big-endian) and its UTF-8 text; a missing field is the
/// length 2⁶⁴ − 1.
///
/// The hash needs no secret, so everybody can verify an export. Whoever can write to the database could compute a whole
/// new chain, but the hash of any entry recorded elsewhere reveals this.
///
/// This program verifies a whole export (JSON Lines, without filters). It prints the position and hash of the last
/// entry, to be compared with those on the page of the log:
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
    /// Its position in the log of its organization, from 1.
    pub position: i64,
    /// The organization.
    pub organization: Option<OrganizationId>,
    /// The time.
    pub at: Timestamp,
    /// The action.
    pub action: Action,
    /// The user who did it, if a person did.
    pub actor: Option<UserId>,
    /// The name of that user or service user at that time; empty if nobody did it.
    pub actor_name: String,
    /// The user to whom it happened, if it was a user.
    pub target: Option<UserId>,
    /// The name of the user, permission set or other thing to which it happened.
    pub target_name: Option<String>,
    /// The token to which it happened, or with which it was done: public id and label.
    pub token: Option<(String, String)>,
    /// Further details for the sentence about it.
    pub detail: Option<Detail>,
    /// How often it has happened since the previous entry, for counted actions; otherwise 1.
    pub count: i64,
    /// Where the request came from.
    pub source: Source,
    /// Its hash, which chains it to the previous entry.
    pub hash: Hash,
}

impl Logged {
    /// Returns its position in the order of pages.
    pub const fn key(&self) -> Key {
        Key { at: self.at, id: self.id }
    }
}

/// A position in the order of the log: entries of the same second are in the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The time.
    pub at: Timestamp,
    /// The row.
    pub id: i64,
}

/// What is wrong with a chain. Positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The entry at this position, or the one before it, is not what was written.
    Changed(i64),
    /// The entries from the first to the second of these positions are missing.
    Missing(i64, i64),
    /// Jeton did not write the entry at this position: the chain ends before it.
    Inserted(i64),
    /// This many entries are outside of the chain.
    Unchained(i64),
    /// The last entry is not the one that is stored as the end of the chain.
    EndChanged(i64),
    /// There are entries, but no stored end of the chain.
    NoEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_actions_are_unique_and_read_back() {
        for action in Action::ALL {
            assert_eq!(Action::from_key(action.key()), Some(action));
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
    fn the_hash_chain_is_the_documented_one() {
        // Computed independently with Python's hashlib.sha256(bytes(32) + struct.pack('>Q', 2) + b'ab' + b'\xff' * 8).
        let hash = chained(&CHAIN_START, &[Some("ab"), None]);
        assert_eq!(hex::encode(hash), "d8acac3bf554135d04542b5f8e7ca2fa9aaec5f0732d2c74b24e330472993901");
        assert_ne!(chained(&CHAIN_START, &[Some("a"), Some("b")]), chained(&CHAIN_START, &[Some("ab"), Some("")]));
        assert_ne!(chained(&CHAIN_START, &[None]), chained(&CHAIN_START, &[Some("")]));
    }
}
