//! Permission sets: the built-in ones of an organization, and its own.

use super::{
    AnyConnection, Result, known_in, permission_set,
    schema::{api_tokens, invitations, memberships, permission_sets, users},
};
use diesel::{dsl::count_star, prelude::*};
use domain::{
    organization::{MembershipId, OrganizationId, PermissionSetId},
    permission::{OwnPermissions, Permissions},
    permission_set::{SetMember, SetToken, StoredSet},
    time::Timestamp,
    token::{Scope, TokenId},
};
use std::collections::HashMap;

/// How many members have a permission set, or are invited with it. Removed members are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Active members.
    pub active: i64,
    /// Deactivated members.
    pub deactivated: i64,
    /// Invitations with it that can still be accepted.
    pub invited: i64,
}

/// Whom a change of a permission set affects, in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The members who have it, and whether each is active.
    pub members: Vec<(MembershipId, bool)>,
    /// The personal tokens of the active members.
    pub tokens: Vec<TokenId>,
}

type Row = (i64, Option<String>, String, String, i64);

const COLUMNS: (
    permission_sets::id,
    permission_sets::built_in,
    permission_sets::name,
    permission_sets::permissions,
    permission_sets::version,
) = (
    permission_sets::id,
    permission_sets::built_in,
    permission_sets::name,
    permission_sets::permissions,
    permission_sets::version,
);

fn stored((id, built_in, name, permissions, version): Row, known: &OwnPermissions) -> Result<StoredSet> {
    Ok(StoredSet { set: permission_set(id, built_in, name, &permissions, known)?, version })
}

/// Lists the permission sets of an organization, oldest first, so built-in ones come first.
pub fn list(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<StoredSet>> {
    let known = known_in(connection, organization)?;
    permission_sets::table
        .filter(permission_sets::organization_id.eq(organization.0))
        .order(permission_sets::id)
        .select(COLUMNS)
        .load::<Row>(connection)?
        .into_iter()
        .map(|row| stored(row, &known))
        .collect()
}

/// Returns a permission set of an organization; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    id: PermissionSetId,
) -> Result<Option<StoredSet>> {
    let known = known_in(connection, organization)?;
    permission_sets::table
        .filter(permission_sets::organization_id.eq(organization.0).and(permission_sets::id.eq(id.0)))
        .select(COLUMNS)
        .get_result::<Row>(connection)
        .optional()?
        .map(|row| stored(row, &known))
        .transpose()
}

/// Creates a permission set.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the name is taken.
pub fn insert(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    name: &str,
    permissions: &Permissions,
) -> Result<PermissionSetId> {
    let id = diesel::insert_into(permission_sets::table)
        .values((
            permission_sets::organization_id.eq(organization.0),
            permission_sets::name.eq(name),
            permission_sets::permissions.eq(permissions.keys()),
            permission_sets::version.eq(1),
        ))
        .returning(permission_sets::id)
        .get_result(connection)?;
    Ok(PermissionSetId(id))
}

/// Changes a permission set of which `version` was shown. Returns false if it has changed since.
pub fn update(
    connection: &mut AnyConnection,
    id: PermissionSetId,
    version: i64,
    name: &str,
    permissions: &Permissions,
) -> Result<bool> {
    let shown = permission_sets::table.find(id.0).filter(permission_sets::version.eq(version));
    let changed = diesel::update(shown)
        .set((
            permission_sets::name.eq(name),
            permission_sets::permissions.eq(permissions.keys()),
            permission_sets::version.eq(permission_sets::version + 1),
        ))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Deletes a permission set that is not in use, and expired invitations with it. Ended memberships keep their row,
/// which needs a set: they get `instead`, which grants them nothing, as a former member who returns gets the set of
/// their invitation.
///
/// # Errors
/// When the database fails, including because a member has the set or is invited with it.
pub fn delete(
    connection: &mut AnyConnection,
    id: PermissionSetId,
    instead: PermissionSetId,
    now: Timestamp,
) -> Result<()> {
    let expired = invitations::permission_set_id.eq(id.0).and(invitations::expires_at.le(now.seconds()));
    diesel::delete(invitations::table.filter(expired)).execute(connection)?;
    diesel::update(memberships::table)
        .filter(memberships::permission_set_id.eq(id.0).and(memberships::removed_at.is_not_null()))
        .set(memberships::permission_set_id.eq(instead.0))
        .execute(connection)?;
    diesel::delete(permission_sets::table.find(id.0)).execute(connection)?;
    Ok(())
}

/// Returns how many have each permission set of an organization; unused sets are left out.
pub fn uses(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<HashMap<PermissionSetId, Uses>> {
    let counts: Vec<(i64, bool, i64)> = memberships::table
        .filter(memberships::organization_id.eq(organization.0).and(memberships::removed_at.is_null()))
        .group_by((memberships::permission_set_id, memberships::is_active))
        .select((memberships::permission_set_id, memberships::is_active, count_star()))
        .load(connection)?;
    let mut uses: HashMap<PermissionSetId, Uses> = HashMap::new();
    for (set, is_active, count) in counts {
        let uses = uses.entry(PermissionSetId(set)).or_default();
        *(if is_active { &mut uses.active } else { &mut uses.deactivated }) = count;
    }
    let invited: Vec<(i64, i64)> = invitations::table
        .filter(invitations::organization_id.eq(organization.0).and(invitations::expires_at.gt(now.seconds())))
        .group_by(invitations::permission_set_id)
        .select((invitations::permission_set_id, count_star()))
        .load(connection)?;
    for (set, count) in invited {
        uses.entry(PermissionSetId(set)).or_default().invited = count;
    }
    Ok(uses)
}

/// Lists the members who have a permission set, active ones first, then by name, at most `limit`.
pub fn members(connection: &mut AnyConnection, id: PermissionSetId, limit: i64) -> Result<Vec<SetMember>> {
    let rows: Vec<(String, bool)> = memberships::table
        .inner_join(users::table)
        .filter(memberships::permission_set_id.eq(id.0).and(memberships::removed_at.is_null()))
        .order((memberships::is_active.desc(), users::name, memberships::id))
        .limit(limit)
        .select((users::name, memberships::is_active))
        .load(connection)?;
    Ok(rows.into_iter().map(|(name, is_active)| SetMember { name, is_active }).collect())
}

/// Returns the members who have a permission set, and the active ones' personal tokens with these scopes.
pub fn affected(connection: &mut AnyConnection, id: PermissionSetId, scopes: &[Scope]) -> Result<Affected> {
    let members: Vec<(i64, bool)> = memberships::table
        .filter(memberships::permission_set_id.eq(id.0).and(memberships::removed_at.is_null()))
        .order(memberships::id)
        .select((memberships::id, memberships::is_active))
        .load(connection)?;
    let scopes = scopes.iter().map(|scope| scope.key());
    let tokens: Vec<i64> = api_tokens::table
        .inner_join(memberships::table)
        .filter(memberships::permission_set_id.eq(id.0).and(memberships::is_active.eq(true)))
        .filter(api_tokens::slot.is_not_null().and(api_tokens::scope.eq_any(scopes)))
        .order(api_tokens::id)
        .select(api_tokens::id)
        .load(connection)?;
    Ok(Affected {
        members: members.into_iter().map(|(member, is_active)| (MembershipId(member), is_active)).collect(),
        tokens: tokens.into_iter().map(TokenId).collect(),
    })
}

/// Returns the active personal tokens with this scope of the members who have a permission set: the first `limit` by
/// owner, and how many there are.
pub fn tokens(
    connection: &mut AnyConnection,
    id: PermissionSetId,
    scope: Scope,
    limit: i64,
) -> Result<(Vec<SetToken>, i64)> {
    let of_members = || {
        api_tokens::table
            .inner_join(memberships::table.inner_join(users::table))
            .filter(memberships::permission_set_id.eq(id.0).and(memberships::is_active.eq(true)))
            .filter(api_tokens::slot.is_not_null().and(api_tokens::scope.eq(scope.key())))
    };
    let count = of_members().select(count_star()).get_result(connection)?;
    let rows: Vec<(String, String, String)> = of_members()
        .order((users::name, memberships::id, api_tokens::id))
        .limit(limit)
        .select((api_tokens::public_id, api_tokens::label, users::name))
        .load(connection)?;
    let token = |(public_id, label, owner)| SetToken { public_id, label, scope, owner };
    Ok((rows.into_iter().map(token).collect(), count))
}
