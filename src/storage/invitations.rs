//! Invitations to organizations.

use super::{
    AnyConnection, Result,
    connection::MultiBackend,
    patterns, permission_set,
    schema::{invitations, organizations, permission_sets},
    searchable_person,
};
use diesel::prelude::*;
use domain::{
    invitation::{Invitation, InvitationId, KEPT_DAYS, expires_at},
    organization::{OrganizationId, PermissionSetId},
    permission::OwnPermissions,
    time::{DAY, Timestamp},
    user::{Email, UserId, folded_email},
};

/// An invitation to be stored.
pub struct NewInvitation<'a> {
    /// The organization.
    pub organization: OrganizationId,
    /// The invited address.
    pub email: &'a Email,
    /// The permission set of the new member.
    pub set: PermissionSetId,
    /// The hash of the code in its link.
    pub code_hash: &'a [u8],
    /// The user who invites.
    pub invited_by: UserId,
    /// Their name.
    pub invited_by_name: &'a str,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
struct Row {
    id: i64,
    organization_id: i64,
    email: String,
    invited_by_name: String,
    expires_at: i64,
}

type Joined = (Row, (String, String, String), (i64, Option<String>, String, String));

fn invitation(
    (row, (slug, organization_name, known), (set, built_in, name, permissions)): Joined,
) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId(row.id),
        organization: OrganizationId(row.organization_id),
        slug,
        organization_name,
        email: row.email,
        set: permission_set(set, built_in, name, &permissions, &OwnPermissions::parse(&known))?,
        invited_by_name: row.invited_by_name,
        expires_at: Timestamp::from_seconds(row.expires_at),
    })
}

/// Stores an invitation.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if there is one for the same address.
pub fn insert(connection: &mut AnyConnection, new: &NewInvitation<'_>, now: Timestamp) -> Result<()> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::organization_id.eq(new.organization.0),
            invitations::email.eq(new.email.as_str()),
            invitations::email_folded.eq(new.email.folded()),
            invitations::search.eq(searchable_person("", new.email.as_str())),
            invitations::permission_set_id.eq(new.set.0),
            invitations::code_hash.eq(new.code_hash),
            invitations::invited_by.eq(new.invited_by.0),
            invitations::invited_by_name.eq(new.invited_by_name),
            invitations::created_at.eq(now.seconds()),
            invitations::expires_at.eq(expires_at(now).seconds()),
        ))
        .execute(connection)?;
    Ok(())
}

/// The columns of an [`Invitation`], and their joins.
macro_rules! joined {
    () => {
        invitations::table.inner_join(organizations::table).inner_join(permission_sets::table).select((
            Row::as_select(),
            (organizations::slug, organizations::name, organizations::own_permissions),
            (permission_sets::id, permission_sets::built_in, permission_sets::name, permission_sets::permissions),
        ))
    };
}

/// Returns the invitation whose link has a code with this hash; `None` once it has expired.
pub fn find_by_code(connection: &mut AnyConnection, code_hash: &[u8], now: Timestamp) -> Result<Option<Invitation>> {
    // An invitation that was sent while the clock was ahead would otherwise work for longer.
    let its_time = invitations::expires_at.gt(now.seconds());
    let its_time = its_time.and(invitations::expires_at.le(expires_at(now.latest()).seconds()));
    joined!()
        .filter(invitations::code_hash.eq(code_hash).and(its_time))
        .get_result::<Joined>(connection)
        .optional()?
        .map(invitation)
        .transpose()
}

/// Returns whether there is an invitation for this address whose link still works.
pub fn any_for(connection: &mut AnyConnection, email: &str, now: Timestamp) -> Result<bool> {
    let theirs = invitations::email_folded.eq(folded_email(email)).and(invitations::expires_at.gt(now.seconds()));
    Ok(diesel::select(diesel::dsl::exists(invitations::table.filter(theirs))).get_result(connection)?)
}

/// Removes the invitation with this code hash, as it is being accepted. Of two uses at the same time, one gets it.
pub fn take(connection: &mut AnyConnection, code_hash: &[u8], now: Timestamp) -> Result<Option<Invitation>> {
    let Some(found) = find_by_code(connection, code_hash, now)? else { return Ok(None) };
    Ok(delete(connection, found.organization, found.id)?.then_some(found))
}

/// Lists the invitations of an organization whose address has each of the words, with `set` if given, newest first, at
/// most `limit`.
pub fn list(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    words: &str,
    set: Option<PermissionSetId>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let mut query = joined!()
        .filter(invitations::organization_id.eq(organization.0))
        .order(invitations::id.desc())
        .limit(limit)
        .into_boxed::<MultiBackend>();
    if let Some(set) = set {
        query = query.filter(invitations::permission_set_id.eq(set.0));
    }
    for pattern in patterns(words) {
        query = query.filter(invitations::search.like(pattern).escape('\\'));
    }
    query.load::<Joined>(connection)?.into_iter().map(invitation).collect()
}

/// Returns an invitation of an organization; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<Option<Invitation>> {
    joined!()
        .filter(invitations::id.eq(id.0).and(invitations::organization_id.eq(organization.0)))
        .get_result::<Joined>(connection)
        .optional()?
        .map(invitation)
        .transpose()
}

/// Deletes an invitation of an organization. Returns false if there is none.
pub fn delete(connection: &mut AnyConnection, organization: OrganizationId, id: InvitationId) -> Result<bool> {
    let one = invitations::id.eq(id.0).and(invitations::organization_id.eq(organization.0));
    Ok(diesel::delete(invitations::table.filter(one)).execute(connection)? == 1)
}

/// Deletes the invitation for an address, if there is one, as another one replaces it.
pub fn delete_for(connection: &mut AnyConnection, organization: OrganizationId, email: &Email) -> Result<()> {
    let same = invitations::organization_id.eq(organization.0).and(invitations::email_folded.eq(email.folded()));
    diesel::delete(invitations::table.filter(same)).execute(connection)?;
    Ok(())
}

/// Returns how many invitations to an organization a user has sent that nobody has accepted yet.
pub fn count_by(connection: &mut AnyConnection, organization: OrganizationId, user: UserId) -> Result<i64> {
    Ok(invitations::table
        .filter(invitations::organization_id.eq(organization.0).and(invitations::invited_by.eq(user.0)))
        .count()
        .get_result(connection)?)
}

/// Lists the invitations to an organization that a user has sent, or that are for their own address: row and address.
pub fn by_or_for(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    user: UserId,
    email: &str,
) -> Result<Vec<(InvitationId, String)>> {
    let theirs = invitations::invited_by.eq(user.0).or(invitations::email_folded.eq(folded_email(email)));
    let rows: Vec<(i64, String)> = invitations::table
        .filter(invitations::organization_id.eq(organization.0).and(theirs))
        .order(invitations::id)
        .select((invitations::id, invitations::email))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, email)| (InvitationId(id), email)).collect())
}

/// Deletes the rows of invitations that expired [`KEPT_DAYS`] ago.
pub fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    let old = invitations::expires_at.le(now.plus(-KEPT_DAYS * DAY).seconds());
    Ok(diesel::delete(invitations::table.filter(old)).execute(connection)?)
}
