//! The activity log.

use super::{AnyConnection, Result, schema::activity};
use crate::domain::{
    activity::{Action, Source},
    organization::OrganizationId,
    time::Timestamp,
    user::UserId,
};
use diesel::prelude::*;

/// An entry to be written, in the transaction of the change that it tells of.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Where it happened; none for what concerns the installation or a user without an organization.
    pub organization: Option<OrganizationId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Who, unless it came about by itself.
    pub actor: Option<UserId>,
    /// Their name at that moment; empty if it came about by itself.
    pub actor_name: &'a str,
    /// The token that it happened to or through: public id and label.
    pub token: Option<(&'a str, &'a str)>,
    /// How many times since the entry before, for what is counted; otherwise 1.
    pub count: i64,
    /// Where the request came from.
    pub source: &'a Source,
}

/// Writes an entry.
///
/// # Errors
/// When the database fails.
pub fn insert(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<()> {
    diesel::insert_into(activity::table)
        .values((
            activity::organization_id.eq(entry.organization.map(|id| id.0)),
            activity::at.eq(entry.at.seconds()),
            activity::action.eq(entry.action.key()),
            activity::actor_user_id.eq(entry.actor.map(|id| id.0)),
            activity::actor_name.eq(entry.actor_name),
            activity::token_public_id.eq(entry.token.map(|(public_id, _)| public_id)),
            activity::token_label.eq(entry.token.map(|(_, label)| label)),
            activity::count.eq(entry.count),
            activity::address.eq(&entry.source.address),
            activity::program.eq(&entry.source.program),
            activity::request_id.eq(&entry.source.request_id),
        ))
        .execute(connection)?;
    Ok(())
}
