//! The ids by which other programs know users and service users.

use super::{
    Result,
    problem::{Field, Problem, Problems},
};
use domain::organization::OrganizationId;
use storage::{
    AnyConnection,
    external_ids::{self, Known},
};

/// Gives somebody an external id, or none, with the organization locked.
///
/// # Errors
/// [`Problem::ExternalIdTaken`] if another user or service user of the organization has it.
pub(super) fn give_in(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    whom: Known,
    id: Option<&str>,
) -> Result<()> {
    if let Some(id) = id
        && external_ids::find(connection, organization, id)?.is_some_and(|known| known != whom)
    {
        return Err(Problems::one(Field::ExternalId, Problem::ExternalIdTaken).into());
    }
    Ok(external_ids::set(connection, whom, id)?)
}
