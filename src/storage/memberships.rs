//! Memberships: users in organizations, and the seats that they take.

pub mod people;
pub mod places;

use super::{
    AnyConnection, Result, granted, known_in, permission_set,
    schema::{group_members, memberships, organizations, permission_sets, seats, site_members, users},
    searchable_person,
};
use diesel::prelude::*;
use domain::{
    membership::{Membership, Standing},
    organization::{MembershipId, OrganizationId, PermissionSetId},
    permission::{BuiltInSet, OwnPermissions, Permissions},
    permission_set::{PermissionSet, SetName},
    time::Timestamp,
    user::UserId,
};

const fn standing_of(is_active: bool, removed_at: Option<i64>) -> Standing {
    match (is_active, removed_at) {
        (true, _) => Standing::Active,
        (false, None) => Standing::Deactivated,
        (false, Some(_)) => Standing::Removed,
    }
}

/// Makes a user an active member.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the user already has a membership.
pub fn insert(
    connection: &mut AnyConnection,
    user: UserId,
    organization: OrganizationId,
    permission_set: PermissionSetId,
    now: Timestamp,
) -> Result<MembershipId> {
    let (name, email): (String, String) =
        users::table.find(user.0).select((users::name, users::email)).get_result(connection)?;
    let id = diesel::insert_into(memberships::table)
        .values((
            memberships::search.eq(searchable_person(&name, &email)),
            memberships::user_id.eq(user.0),
            memberships::organization_id.eq(organization.0),
            memberships::permission_set_id.eq(permission_set.0),
            memberships::is_active.eq(true),
            memberships::created_at.eq(now.seconds()),
        ))
        .returning(memberships::id)
        .get_result(connection)?;
    take_seat(connection, organization, MembershipId(id), now)?;
    Ok(MembershipId(id))
}

/// Updates the text by which a user is sorted and searched, in all their organizations.
pub fn rename(connection: &mut AnyConnection, user: UserId, name: &str, email: &str) -> Result<()> {
    diesel::update(memberships::table.filter(memberships::user_id.eq(user.0)))
        .set(memberships::search.eq(searchable_person(name, email)))
        .execute(connection)?;
    Ok(())
}

/// Returns a user's membership in an organization that they once joined, and its state.
pub fn standing(
    connection: &mut AnyConnection,
    user: UserId,
    organization: OrganizationId,
) -> Result<Option<(MembershipId, Standing)>> {
    let row: Option<(i64, bool, Option<i64>)> = memberships::table
        .filter(memberships::user_id.eq(user.0).and(memberships::organization_id.eq(organization.0)))
        .select((memberships::id, memberships::is_active, memberships::removed_at))
        .get_result(connection)
        .optional()?;
    Ok(row.map(|(id, is_active, removed_at)| (MembershipId(id), standing_of(is_active, removed_at))))
}

/// Returns whether a user is a member of any other organization, active or deactivated.
pub fn belongs_elsewhere(connection: &mut AnyConnection, user: UserId, organization: OrganizationId) -> Result<bool> {
    let others = memberships::table
        .filter(memberships::user_id.eq(user.0).and(memberships::organization_id.ne(organization.0)))
        .filter(memberships::removed_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(connection)?)
}

/// Reactivates a deactivated or removed member, with this permission set and a new seat. Returns false if they are
/// active.
pub fn activate(
    connection: &mut AnyConnection,
    id: MembershipId,
    organization: OrganizationId,
    permission_set: PermissionSetId,
    now: Timestamp,
) -> Result<bool> {
    let inactive = memberships::table.find(id.0).filter(memberships::is_active.eq(false));
    let activated = diesel::update(inactive)
        .set((
            memberships::is_active.eq(true),
            memberships::removed_at.eq(None::<i64>),
            memberships::permission_set_id.eq(permission_set.0),
        ))
        .execute(connection)?;
    if activated == 1 {
        take_seat(connection, organization, id, now)?;
    }
    Ok(activated == 1)
}

/// Ends a member's access and frees their seat; with `removed`, they leave the list too, with their groups, sites and
/// external id. Returns false if this had already happened.
pub fn deactivate(connection: &mut AnyConnection, id: MembershipId, removed: bool, now: Timestamp) -> Result<bool> {
    let changed = if removed {
        diesel::update(memberships::table.find(id.0).filter(memberships::removed_at.is_null()))
            .set((
                memberships::is_active.eq(false),
                memberships::removed_at.eq(now.seconds()),
                memberships::external_id.eq(None::<String>),
            ))
            .execute(connection)?
    } else {
        diesel::update(memberships::table.find(id.0).filter(memberships::is_active.eq(true)))
            .set(memberships::is_active.eq(false))
            .execute(connection)?
    };
    if removed {
        diesel::delete(group_members::table.filter(group_members::membership_id.eq(id.0))).execute(connection)?;
        diesel::delete(site_members::table.filter(site_members::membership_id.eq(id.0))).execute(connection)?;
    }
    diesel::update(seats::table.filter(seats::membership_id.eq(id.0).and(seats::ended_at.is_null())))
        .set(seats::ended_at.eq(now.seconds()))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Gives a member another permission set.
pub fn give_set(connection: &mut AnyConnection, id: MembershipId, set: PermissionSetId) -> Result<()> {
    diesel::update(memberships::table.find(id.0)).set(memberships::permission_set_id.eq(set.0)).execute(connection)?;
    Ok(())
}

/// Records that a member used the pages of their organization.
pub fn note_seen(connection: &mut AnyConnection, id: MembershipId, now: Timestamp) -> Result<()> {
    diesel::update(memberships::table.find(id.0)).set(memberships::seen_at.eq(now.seconds())).execute(connection)?;
    Ok(())
}

/// Lists the permission sets of an organization, built-in ones first, then by name.
pub fn sets(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<PermissionSet>> {
    let rows: Vec<SetRow> = permission_sets::table
        .filter(permission_sets::organization_id.eq(organization.0))
        .order(permission_sets::name)
        .select(SetRow::as_select())
        .load(connection)?;
    let known = known_in(connection, organization)?;
    let mut sets = rows.into_iter().map(|row| row.set(&known)).collect::<Result<Vec<_>>>()?;
    sets.sort_by_key(|set| match &set.name {
        SetName::BuiltIn(built_in) => BuiltInSet::ALL.iter().position(|known| known == built_in),
        SetName::Own(_) => Some(BuiltInSet::ALL.len()),
    });
    Ok(sets)
}

/// Returns whether an organization has an active administrator other than `except`. The organization must be locked, in
/// the transaction that removes an administrator.
pub fn has_administrator(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    except: Option<MembershipId>,
) -> Result<bool> {
    let known = known_in(connection, organization)?;
    let all: Vec<i64> = sets(connection, organization)?
        .into_iter()
        .filter(|set| set.is_administrators(&known))
        .map(|set| set.id.0)
        .collect();
    let administrators = memberships::table
        .filter(memberships::permission_set_id.eq_any(all).and(memberships::is_active.eq(true)))
        .filter(memberships::id.ne(except.map_or(0, |id| id.0)));
    Ok(diesel::select(diesel::dsl::exists(administrators)).get_result(connection)?)
}

/// The columns of a permission set in queries that join it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = permission_sets)]
struct SetRow {
    id: i64,
    built_in: Option<String>,
    name: String,
    permissions: String,
}

impl SetRow {
    fn set(self, known: &OwnPermissions) -> Result<PermissionSet> {
        permission_set(self.id, self.built_in, self.name, &self.permissions, known)
    }
}

fn take_seat(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    membership: MembershipId,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(seats::table)
        .values((
            seats::organization_id.eq(organization.0),
            seats::membership_id.eq(membership.0),
            seats::began_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Lists a user's active memberships, the oldest first.
pub fn list(connection: &mut AnyConnection, user: UserId) -> Result<Vec<Membership>> {
    type Row = (i64, i64, String, String, String, (String, Option<bool>), String);
    let rows: Vec<Row> = memberships::table
        .inner_join(organizations::table)
        .inner_join(permission_sets::table)
        .filter(memberships::user_id.eq(user.0).and(memberships::is_active.eq(true)))
        .order(memberships::id)
        .select((
            memberships::id,
            organizations::id,
            organizations::public_id,
            organizations::slug,
            organizations::name,
            (permission_sets::permissions, permission_sets::built_in.eq(BuiltInSet::Administrator.key())),
            organizations::own_permissions,
        ))
        .load(connection)?;
    let membership = |(id, organization, public_id, slug, organization_name, set, known): Row| {
        let known = OwnPermissions::parse(&known);
        Membership {
            id: MembershipId(id),
            organization: OrganizationId(organization),
            organization_public_id: public_id,
            slug,
            organization_name,
            permissions: granted(set.1 == Some(true), &set.0, &known),
            known,
        }
    };
    Ok(rows.into_iter().map(membership).collect())
}

/// Returns the membership in a user's default organization: the first that they joined and in which they are active.
pub fn first(connection: &mut AnyConnection, user: UserId) -> Result<Option<Membership>> {
    Ok(list(connection, user)?.into_iter().next())
}

/// Returns the current permissions of a membership, and those that its organization has added; `None` if it is not
/// active, or its user is blocked.
pub fn permissions(connection: &mut AnyConnection, id: MembershipId) -> Result<Option<(Permissions, OwnPermissions)>> {
    let found: Option<(String, Option<bool>, String)> = memberships::table
        .inner_join(permission_sets::table)
        .inner_join(users::table)
        .inner_join(organizations::table)
        .filter(memberships::id.eq(id.0).and(memberships::is_active.eq(true)).and(users::blocked_at.is_null()))
        .select((
            permission_sets::permissions,
            permission_sets::built_in.eq(BuiltInSet::Administrator.key()),
            organizations::own_permissions,
        ))
        .get_result(connection)
        .optional()?;
    Ok(found.map(|(keys, is_administrator, known)| {
        let known = OwnPermissions::parse(&known);
        (granted(is_administrator == Some(true), &keys, &known), known)
    }))
}
