//! Organizations and the permission sets that they start with.

use super::{
    AnyConnection, Result,
    schema::{organizations, permission_sets},
};
use crate::domain::{
    organization::{OrganizationId, PermissionSetId},
    permission::BuiltInSet,
    time::Timestamp,
};
use diesel::prelude::*;

/// Makes an organization with the built-in permission sets.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the slug is taken.
pub fn insert(connection: &mut AnyConnection, slug: &str, name: &str, now: Timestamp) -> Result<OrganizationId> {
    let id: i64 = diesel::insert_into(organizations::table)
        .values((
            organizations::slug.eq(slug),
            organizations::name.eq(name),
            organizations::created_at.eq(now.seconds()),
        ))
        .returning(organizations::id)
        .get_result(connection)?;
    for set in BuiltInSet::ALL {
        diesel::insert_into(permission_sets::table)
            .values((
                permission_sets::organization_id.eq(id),
                permission_sets::built_in.eq(set.key()),
                permission_sets::name.eq(set.key()),
                permission_sets::permissions.eq(set.permissions().keys()),
            ))
            .execute(connection)?;
    }
    Ok(OrganizationId(id))
}

/// Changes an organization's name and its part of addresses.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the slug is taken.
pub fn update(connection: &mut AnyConnection, id: OrganizationId, slug: &str, name: &str) -> Result<()> {
    diesel::update(organizations::table.find(id.0))
        .set((organizations::slug.eq(slug), organizations::name.eq(name)))
        .execute(connection)?;
    Ok(())
}

/// The name of an organization.
///
/// # Errors
/// When the database fails.
pub fn name(connection: &mut AnyConnection, id: OrganizationId) -> Result<String> {
    Ok(organizations::table.find(id.0).select(organizations::name).get_result(connection)?)
}

/// The organization with this part of addresses.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &mut AnyConnection, slug: &str) -> Result<Option<OrganizationId>> {
    let found: Option<i64> = organizations::table
        .filter(organizations::slug.eq(slug))
        .select(organizations::id)
        .get_result(connection)
        .optional()?;
    Ok(found.map(OrganizationId))
}

/// Whether an organization has this part of addresses.
///
/// # Errors
/// When the database fails.
pub fn is_taken(connection: &mut AnyConnection, slug: &str) -> Result<bool> {
    Ok(find(connection, slug)?.is_some())
}

/// The built-in permission set of an organization.
///
/// # Errors
/// When the database fails.
pub fn built_in_set(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    set: BuiltInSet,
) -> Result<PermissionSetId> {
    let id = permission_sets::table
        .filter(permission_sets::organization_id.eq(organization.0).and(permission_sets::built_in.eq(set.key())))
        .select(permission_sets::id)
        .get_result(connection)?;
    Ok(PermissionSetId(id))
}

/// The part of addresses of every organization.
///
/// # Errors
/// When the database fails.
pub fn slugs(connection: &mut AnyConnection) -> Result<Vec<(OrganizationId, String)>> {
    let rows: Vec<(i64, String)> =
        organizations::table.select((organizations::id, organizations::slug)).load(connection)?;
    Ok(rows.into_iter().map(|(id, slug)| (OrganizationId(id), slug)).collect())
}

/// Holds back every other transaction that locks the same organization until this one ends: limits are counted under it.
///
/// # Errors
/// When the database fails.
pub fn lock(connection: &mut AnyConnection, id: OrganizationId) -> Result<()> {
    // As `users::lock`.
    diesel::update(organizations::table.find(id.0)).set(organizations::id.eq(organizations::id)).execute(connection)?;
    Ok(())
}
