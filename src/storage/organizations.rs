//! Organizations, and their built-in permission sets.

use super::{
    AnyConnection, Result,
    schema::{organization_slugs, organizations, permission_sets},
};
use diesel::prelude::*;
use domain::{
    organization::{OrganizationId, PermissionSetId},
    permission::BuiltInSet,
    time::Timestamp,
};

/// An organization with its names for addresses, programs and people.
#[derive(Clone, Debug)]
pub struct Named {
    /// The row.
    pub id: OrganizationId,
    /// Its public id, by which programs know it forever.
    pub public_id: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// Creates an organization with the built-in permission sets.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if another organization has or had the slug.
pub fn insert(
    connection: &mut AnyConnection,
    public_id: &str,
    (slug, name): (&str, &str),
    now: Timestamp,
) -> Result<OrganizationId> {
    let id: i64 = diesel::insert_into(organizations::table)
        .values((
            organizations::public_id.eq(public_id),
            organizations::slug.eq(slug),
            organizations::name.eq(name),
            organizations::created_at.eq(now.seconds()),
        ))
        .returning(organizations::id)
        .get_result(connection)?;
    keep_slug(connection, OrganizationId(id), slug)?;
    for set in BuiltInSet::ALL {
        diesel::insert_into(permission_sets::table)
            .values((
                permission_sets::organization_id.eq(id),
                permission_sets::built_in.eq(set.key()),
                permission_sets::name.eq(set.key()),
                permission_sets::permissions.eq(set.permissions().keys()),
                permission_sets::version.eq(1),
            ))
            .execute(connection)?;
    }
    Ok(OrganizationId(id))
}

/// Records that an organization has this slug, which stays its own.
fn keep_slug(connection: &mut AnyConnection, id: OrganizationId, slug: &str) -> Result<()> {
    if find(connection, slug)? != Some(id) {
        diesel::insert_into(organization_slugs::table)
            .values((organization_slugs::slug.eq(slug), organization_slugs::organization_id.eq(id.0)))
            .execute(connection)?;
    }
    Ok(())
}

/// Changes an organization's name and slug. The old slug still leads to it.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if another organization has or had the slug.
pub fn update(connection: &mut AnyConnection, id: OrganizationId, slug: &str, name: &str) -> Result<()> {
    keep_slug(connection, id, slug)?;
    diesel::update(organizations::table.find(id.0))
        .set((organizations::slug.eq(slug), organizations::name.eq(name)))
        .execute(connection)?;
    Ok(())
}

type NamedRow = (i64, String, String, String);

fn of_row((id, public_id, slug, name): NamedRow) -> Named {
    Named { id: OrganizationId(id), public_id, slug, name }
}

/// Returns the names of an organization.
pub fn named(connection: &mut AnyConnection, id: OrganizationId) -> Result<Named> {
    let names = (organizations::id, organizations::public_id, organizations::slug, organizations::name);
    Ok(of_row(organizations::table.find(id.0).select(names).get_result(connection)?))
}

/// Returns the organization that has or had this slug.
pub fn find(connection: &mut AnyConnection, slug: &str) -> Result<Option<OrganizationId>> {
    let owner = organization_slugs::table.find(slug).select(organization_slugs::organization_id);
    let owner: Option<i64> = owner.get_result(connection).optional()?;
    Ok(owner.map(OrganizationId))
}

/// Returns whether an organization has or had this slug.
pub fn is_taken(connection: &mut AnyConnection, slug: &str) -> Result<bool> {
    Ok(find(connection, slug)?.is_some())
}

/// Returns the built-in permission set of an organization.
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

/// Lists all organizations, the oldest first.
pub fn all(connection: &mut AnyConnection) -> Result<Vec<Named>> {
    let names = (organizations::id, organizations::public_id, organizations::slug, organizations::name);
    let rows: Vec<NamedRow> = organizations::table.order(organizations::id).select(names).load(connection)?;
    Ok(rows.into_iter().map(of_row).collect())
}

/// Locks an organization until this transaction ends. Limits are counted under this lock.
pub fn lock(connection: &mut AnyConnection, id: OrganizationId) -> Result<()> {
    // As in `users::lock`.
    diesel::update(organizations::table.find(id.0)).set(organizations::id.eq(organizations::id)).execute(connection)?;
    Ok(())
}
