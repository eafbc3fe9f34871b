//! An organization's own kinds of items, and the permissions that they become.

use super::{
    AnyConnection, Result, expect_column,
    schema::{kind_actions as actions, kinds, organizations},
};
use diesel::prelude::*;
use domain::{
    kind::{ActionKey, Kind, KindKey, OwnAction, StoredKind, permissions},
    organization::OrganizationId,
    time::Timestamp,
};

/// Row, key, names and version.
type Row = (i64, String, String, String, i64);
/// The row of the kind, key, name and whether it reads.
type ActionRow = (i64, String, String, bool);

/// Lists the own kinds of an organization by name.
pub fn list(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<StoredKind>> {
    let rows: Vec<Row> = kinds::table
        .filter(kinds::organization_id.eq(organization.0))
        .order((kinds::plural, kinds::id))
        .select((kinds::id, kinds::key, kinds::singular, kinds::plural, kinds::version))
        .load(connection)?;
    let own: Vec<ActionRow> = actions::table
        .inner_join(kinds::table)
        .filter(kinds::organization_id.eq(organization.0))
        .order((actions::kind_id, actions::position))
        .select((actions::kind_id, actions::key, actions::name, actions::reads))
        .load(connection)?;
    rows.into_iter().map(|row| stored(row, &own)).collect()
}

fn stored((id, key, singular, plural, version): Row, actions: &[ActionRow]) -> Result<StoredKind> {
    let own = actions.iter().filter(|(kind, ..)| *kind == id);
    let action = |(_, key, name, reads): &ActionRow| {
        let key = expect_column(ActionKey::parse(key).ok(), key)?;
        Ok(OwnAction { key, name: name.clone(), reads: *reads })
    };
    let key = expect_column(KindKey::parse(&key).ok(), &key)?;
    Ok(StoredKind {
        id,
        kind: Kind { key, singular, plural, actions: own.map(action).collect::<Result<_>>()? },
        version,
    })
}

/// Creates a kind, and writes the organization's permissions.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the organization has a kind with this key.
pub fn insert(connection: &mut AnyConnection, organization: OrganizationId, kind: &Kind, now: Timestamp) -> Result<()> {
    let id: i64 = diesel::insert_into(kinds::table)
        .values((
            kinds::organization_id.eq(organization.0),
            kinds::key.eq(kind.key.as_str()),
            kinds::singular.eq(&kind.singular),
            kinds::plural.eq(&kind.plural),
            kinds::created_at.eq(now.seconds()),
            kinds::version.eq(1),
        ))
        .returning(kinds::id)
        .get_result(connection)?;
    insert_actions(connection, id, &kind.actions)?;
    write_permissions(connection, organization)
}

/// Changes the names and the own actions of a kind, and writes the organization's permissions.
pub fn update(connection: &mut AnyConnection, organization: OrganizationId, id: i64, kind: &Kind) -> Result<()> {
    diesel::update(kinds::table.find(id))
        .set((
            kinds::singular.eq(&kind.singular),
            kinds::plural.eq(&kind.plural),
            kinds::version.eq(kinds::version + 1),
        ))
        .execute(connection)?;
    diesel::delete(actions::table.filter(actions::kind_id.eq(id))).execute(connection)?;
    insert_actions(connection, id, &kind.actions)?;
    write_permissions(connection, organization)
}

/// Deletes a kind, and writes the organization's permissions.
pub fn delete(connection: &mut AnyConnection, organization: OrganizationId, id: i64) -> Result<()> {
    diesel::delete(kinds::table.find(id)).execute(connection)?;
    write_permissions(connection, organization)
}

fn insert_actions(connection: &mut AnyConnection, kind: i64, all: &[OwnAction]) -> Result<()> {
    for (position, action) in (1_i16..).zip(all) {
        diesel::insert_into(actions::table)
            .values((
                actions::kind_id.eq(kind),
                actions::position.eq(position),
                actions::key.eq(action.key.as_str()),
                actions::name.eq(&action.name),
                actions::reads.eq(action.reads),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Writes the permissions that all kinds of an organization become to where tokens are looked up.
fn write_permissions(connection: &mut AnyConnection, organization: OrganizationId) -> Result<()> {
    let all = list(connection, organization)?;
    let text = permissions(all.iter().map(|stored| &stored.kind)).to_text();
    diesel::update(organizations::table.find(organization.0))
        .set(organizations::own_permissions.eq(text))
        .execute(connection)?;
    Ok(())
}
