//! The people, groups and sites of an organization, and who is in which, as exports read them: by row, a page at a time.

use crate::{AnyConnection, Result};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Integer, Text},
};
use domain::{organization::OrganizationId, time::Timestamp};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// Users, active or deactivated.
    Users,
    /// Groups.
    Groups,
    /// The members of all groups.
    GroupUsers,
    /// All sites, or only those in which there are no others.
    Sites {
        /// Whether it is only those.
        leaves: bool,
    },
    /// The people of all sites.
    SiteMembers,
}

/// Where a page ends: the row, and for members the row of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place(pub i64, pub i64);

/// One of them.
#[derive(Clone, Debug, QueryableByName)]
pub struct Listed {
    #[diesel(sql_type = BigInt)]
    place: i64,
    /// The membership of a user or of a member; of a group or site, its row again.
    #[diesel(sql_type = BigInt)]
    pub membership: i64,
    /// The public id of a group or site, also of a member's.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// The name; empty for members.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The e-mail address of a user; the public id of the site that a site is in.
    #[diesel(sql_type = Text)]
    pub more: String,
    #[diesel(sql_type = Integer)]
    active: i32,
    #[diesel(sql_type = BigInt)]
    created: i64,
}

impl Listed {
    /// Where it stands.
    pub const fn place(&self) -> Place {
        Place(self.place, self.membership)
    }

    /// Whether a user is active.
    pub const fn is_active(&self) -> bool {
        self.active != 0
    }

    /// Since when there is a user.
    pub const fn created_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.created)
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Directory {
    /// The columns of [`Listed`], what they are read from, and the columns of a [`Place`]. `$1` is the organization.
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Users => (
                "m.id AS place, m.id AS membership, '' AS id, u.name AS name, u.email AS more, \
                 CASE WHEN m.is_active THEN 1 ELSE 0 END AS active, m.created_at AS created",
                "memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 AND m.removed_at IS NULL",
                "m.id, m.id",
            ),
            Self::Groups => (
                "g.id AS place, g.id AS membership, g.public_id AS id, g.name AS name, '' AS more, 1 AS active, \
                 g.created_at AS created",
                "groups g WHERE g.organization_id = $1",
                "g.id, g.id",
            ),
            Self::GroupUsers => (
                "g.id AS place, n.membership_id AS membership, g.public_id AS id, '' AS name, '' AS more, 1 AS active, \
                 n.added_at AS created",
                "groups g JOIN group_members n ON n.group_id = g.id WHERE g.organization_id = $1",
                "g.id, n.membership_id",
            ),
            Self::Sites { leaves: false } => {
                (SITE, "sites s LEFT JOIN sites p ON p.id = s.parent_id WHERE s.organization_id = $1", "s.id, s.id")
            }
            Self::Sites { leaves: true } => (
                SITE,
                "sites s LEFT JOIN sites p ON p.id = s.parent_id WHERE s.organization_id = $1 \
                 AND NOT EXISTS (SELECT 1 FROM sites c WHERE c.parent_id = s.id)",
                "s.id, s.id",
            ),
            Self::SiteMembers => (
                "s.id AS place, n.membership_id AS membership, s.public_id AS id, '' AS name, '' AS more, 1 AS active, \
                 n.added_at AS created",
                "sites s JOIN site_members n ON n.site_id = s.id WHERE s.organization_id = $1",
                "s.id, n.membership_id",
            ),
        }
    }
}

const SITE: &str = "s.id AS place, s.id AS membership, s.public_id AS id, s.name AS name, \
    coalesce(p.public_id, '') AS more, 1 AS active, s.created_at AS created";

/// Lists at most `limit` after a place.
pub fn page(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    of: Directory,
    after: Place,
    limit: i64,
) -> Result<Vec<Listed>> {
    let (columns, from, place) = of.parts();
    let sql = format!("SELECT {columns} FROM {from} AND ({place}) > ($2, $3) ORDER BY {place} LIMIT $4");
    Ok(sql_query(sql)
        .bind::<BigInt, _>(organization.0)
        .bind::<BigInt, _>(after.0)
        .bind::<BigInt, _>(after.1)
        .bind::<BigInt, _>(limit)
        .load(connection)?)
}

/// Counts those after a place.
pub fn count(connection: &mut AnyConnection, organization: OrganizationId, of: Directory, after: Place) -> Result<i64> {
    let (_, from, place) = of.parts();
    let sql = format!("SELECT count(*) AS count FROM {from} AND ({place}) > ($2, $3)");
    let counted: Count = sql_query(sql)
        .bind::<BigInt, _>(organization.0)
        .bind::<BigInt, _>(after.0)
        .bind::<BigInt, _>(after.1)
        .get_result(connection)?;
    Ok(counted.count)
}
