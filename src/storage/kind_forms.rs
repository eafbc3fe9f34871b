//! The fields of kinds: one form for all items of a kind in an organization.

use super::{AnyConnection, Result, StorageError, schema::kind_forms};
use diesel::prelude::*;
use domain::{field::Form, item::ItemKind, organization::OrganizationId};

/// Returns the form of a kind, and its version; `None` if it has never had a field.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
) -> Result<Option<(Form, i64)>> {
    let row: Option<(String, i64)> = kind_forms::table
        .find((organization.0, kind.key()))
        .select((kind_forms::form, kind_forms::version))
        .get_result(connection)
        .optional()?;
    let read = |(form, version): (String, i64)| {
        let form = Form::from_json(&form).map_err(|error| StorageError::Row(format!("{}: {error}", kind.key())))?;
        Ok((form, version))
    };
    row.map(read).transpose()
}

/// Gives a kind another form. The organization must be locked.
pub fn set(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind, form: &Form) -> Result<()> {
    let before = find(connection, organization, kind)?.map_or(0, |(_, version)| version);
    delete(connection, organization, kind)?;
    diesel::insert_into(kind_forms::table)
        .values((
            kind_forms::organization_id.eq(organization.0),
            kind_forms::kind.eq(kind.key()),
            kind_forms::form.eq(form.to_json()),
            kind_forms::version.eq(before + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Deletes the form of a kind that is going.
pub fn delete(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind) -> Result<()> {
    diesel::delete(kind_forms::table.find((organization.0, kind.key()))).execute(connection)?;
    Ok(())
}
