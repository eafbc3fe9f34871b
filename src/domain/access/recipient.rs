//! Who can be given access to items.

use crate::{
    group::GroupId,
    item::ItemKind,
    organization::{MembershipId, OrganizationId, ServiceUserId},
    site::SiteId,
};
use thiserror::Error;

/// The row of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectId {
    /// A user in an organization.
    Membership(MembershipId),
    /// A service user.
    ServiceUser(ServiceUserId),
}

/// Whom a share or an access rule gives access to.
///
/// Whether they are outside the organization that gives it is no part of this, so that it cannot be said wrongly: a
/// subject of another organization is named like one's own, by a row that belongs to one organization, and `everyone`
/// is the organization itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// One user, in one organization.
    User(MembershipId),
    /// One service user.
    ServiceUser(ServiceUserId),
    /// The users of a group.
    Group(GroupId),
    /// The users that are assigned to a site or to one above it.
    Site(SiteId),
    /// Everyone in an organization: its users and its service users.
    Organization(OrganizationId),
}

keyed! {
    /// The kind of a [`Recipient`]. The key stands in the database, beside the row id.
    pub enum RecipientKind {
        /// A user.
        User = "user",
        /// A service user.
        ServiceUser = "service_user",
        /// A group.
        Group = "group",
        /// A site.
        Site = "site",
        /// Everyone in an organization.
        Organization = "organization",
    }
}

impl Recipient {
    /// Puts a recipient together from what the database stores.
    pub const fn new(kind: RecipientKind, id: i64) -> Self {
        match kind {
            RecipientKind::User => Self::User(MembershipId(id)),
            RecipientKind::ServiceUser => Self::ServiceUser(ServiceUserId(id)),
            RecipientKind::Group => Self::Group(GroupId(id)),
            RecipientKind::Site => Self::Site(SiteId(id)),
            RecipientKind::Organization => Self::Organization(OrganizationId(id)),
        }
    }

    /// Returns the kind.
    pub const fn kind(self) -> RecipientKind {
        match self {
            Self::User(_) => RecipientKind::User,
            Self::ServiceUser(_) => RecipientKind::ServiceUser,
            Self::Group(_) => RecipientKind::Group,
            Self::Site(_) => RecipientKind::Site,
            Self::Organization(_) => RecipientKind::Organization,
        }
    }

    /// Returns the row id, in the table of its kind.
    pub const fn id(self) -> i64 {
        match self {
            Self::User(MembershipId(id))
            | Self::ServiceUser(ServiceUserId(id))
            | Self::Group(GroupId(id))
            | Self::Site(SiteId(id))
            | Self::Organization(OrganizationId(id)) => id,
        }
    }

    /// Checks that `giving` may give this recipient, who belongs to the organization `of`, access to items of a kind.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, of: OrganizationId, giving: OrganizationId, kind: &ItemKind) -> Result<(), Unsuitable> {
        match self {
            _ if of == giving => Ok(()),
            Self::Group(_) | Self::Site(_) => Err(Unsuitable::Foreign),
            _ if !kind.is_built_in() => Err(Unsuitable::OwnKind),
            _ => Ok(()),
        }
    }
}

impl From<SubjectId> for Recipient {
    fn from(subject: SubjectId) -> Self {
        match subject {
            SubjectId::Membership(id) => Self::User(id),
            SubjectId::ServiceUser(id) => Self::ServiceUser(id),
        }
    }
}

/// Why somebody cannot be given access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsuitable {
    /// A group or site of another organization, which is nobody else's business: as if there were none.
    #[error("there is no such group or site")]
    Foreign,
    /// Another organization does not have this kind, which is the giving one's own.
    #[error("items of an organization's own kinds are not shared with other organizations")]
    OwnKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: OrganizationId = OrganizationId(1);
    const B: OrganizationId = OrganizationId(2);

    #[test]
    fn recipients_are_stored_as_a_kind_and_a_row() {
        let keys = RecipientKind::ALL.map(RecipientKind::key);
        assert_eq!(keys, ["user", "service_user", "group", "site", "organization"]);
        for kind in RecipientKind::ALL {
            let recipient = Recipient::new(kind, 7);
            assert_eq!((recipient.kind(), recipient.id(), RecipientKind::from_key(kind.key())), (kind, 7, Some(kind)));
        }
    }

    #[test]
    fn only_subjects_and_whole_organizations_are_given_access_outside_and_only_to_built_in_kinds() {
        let (assets, invoices) = (ItemKind::parse("assets").unwrap(), ItemKind::parse("invoices").unwrap());
        for kind in RecipientKind::ALL {
            let recipient = Recipient::new(kind, 1);
            assert_eq!((recipient.check(A, A, &assets), recipient.check(A, A, &invoices)), (Ok(()), Ok(())));
            let outside = (recipient.check(B, A, &assets), recipient.check(B, A, &invoices));
            let expected = match kind {
                RecipientKind::Group | RecipientKind::Site => (Err(Unsuitable::Foreign), Err(Unsuitable::Foreign)),
                _ => (Ok(()), Err(Unsuitable::OwnKind)),
            };
            assert_eq!(outside, expected, "{}", kind.key());
        }
    }
}
