//! Whom a key speaks for: what verification reads when it does not know a key yet.

use super::LifeRow;
use crate::{
    domain::{
        access::{Identity, Subject},
        organization::OrganizationId,
        permission::Permissions,
        token::{KeyDigest, Life, Scope, TokenId, TokenKind},
        user::UserId,
    },
    storage::{
        AnyConnection, Result, known,
        schema::{api_tokens, memberships, organizations, permission_sets, service_users, users},
    },
};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct IdentityRow {
    id: i64,
    public_id: String,
    label: String,
    scope: String,
    #[diesel(embed)]
    life: LifeRow,
}

type OrganizationRow = (i64, String, String);

/// Everything that a decision about a key of this kind needs, found by its digest: whom it speaks for, and the moments of
/// its life.
///
/// # Errors
/// When the database fails.
pub fn identity(
    connection: &mut AnyConnection,
    kind: TokenKind,
    digest: &KeyDigest,
) -> Result<Option<(Identity, Life)>> {
    let found = match kind {
        TokenKind::Personal => personal_identity(connection, digest)?,
        TokenKind::Service => service_identity(connection, digest)?,
        // Built-in integrations have none yet.
        TokenKind::System => None,
    };
    let Some((token, subject, (organization, organization_slug, organization_name))) = found else { return Ok(None) };
    let scope = known(Scope::from_key(&token.scope), &token.scope)?;
    let identity = Identity {
        token: TokenId(token.id),
        token_public_id: token.public_id,
        label: token.label,
        kind,
        scope,
        permission_keys: subject.permissions.within(scope).keys(),
        subject,
        organization: OrganizationId(organization),
        organization_slug,
        organization_name,
    };
    Ok(Some((identity, token.life.life()?)))
}

/// A membership with its user and permissions.
type MembershipRow = (i64, bool, i64, String, String);
type Found = Option<(IdentityRow, Subject, OrganizationRow)>;

fn personal_identity(connection: &mut AnyConnection, digest: &KeyDigest) -> Result<Found> {
    let row: Option<(IdentityRow, MembershipRow, OrganizationRow)> = api_tokens::table
        .inner_join(
            memberships::table
                .inner_join(users::table)
                .inner_join(permission_sets::table)
                .inner_join(organizations::table),
        )
        .filter(api_tokens::digest.eq(&digest.0[..]))
        .select((
            IdentityRow::as_select(),
            (memberships::id, memberships::is_active, users::id, users::name, permission_sets::permissions),
            (organizations::id, organizations::slug, organizations::name),
        ))
        .get_result(connection)
        .optional()?;
    let found = |(key, (membership, is_active, user, display_name, permissions), organization): (
        _,
        (_, _, _, _, String),
        _,
    )| {
        let subject = Subject {
            user: Some(UserId(user)),
            name: format!("membership:{membership}"),
            display_name,
            is_active,
            permissions: Permissions::from_keys(&permissions),
        };
        (key, subject, organization)
    };
    Ok(row.map(found))
}

fn service_identity(connection: &mut AnyConnection, digest: &KeyDigest) -> Result<Found> {
    let row: Option<(IdentityRow, (String, String, String), OrganizationRow)> = api_tokens::table
        .inner_join(service_users::table.inner_join(organizations::table))
        .filter(api_tokens::digest.eq(&digest.0[..]))
        .select((
            IdentityRow::as_select(),
            (service_users::public_id, service_users::name, service_users::permissions),
            (organizations::id, organizations::slug, organizations::name),
        ))
        .get_result(connection)
        .optional()?;
    let found =
        |(mut key, (public_id, display_name, permissions), organization): (IdentityRow, (String, _, String), _)| {
            let subject = Subject {
                user: None,
                name: format!("service_user:{public_id}"),
                display_name,
                is_active: true,
                permissions: Permissions::from_keys(&permissions),
            };
            // A service user has one token, whichever of its keys is used.
            key.public_id = public_id;
            (key, subject, organization)
        };
    Ok(row.map(found))
}
