//! On whose behalf a key acts: what verification reads for a key that is not cached.

use super::LifeRow;
use crate::{
    AnyConnection, Result,
    epoch::Touched,
    expect_column,
    schema::{api_tokens, memberships, organizations, permission_sets, service_users, token_uses, users},
};
use diesel::prelude::*;
use domain::{
    access::{Identity, Subject, SubjectOrganization},
    organization::{MembershipId, OrganizationId},
    permission::Permissions,
    token::{KeyDigest, Life, Scope, TokenId, TokenKind},
    user::UserId,
};

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

/// Row, public id, slug and name.
type OrganizationRow = (i64, String, String, String);
/// A membership with its user and permissions.
type MembershipRow = (i64, bool, Option<String>, i64, String, String);
type ServiceUserRow = (String, String, Option<String>, String);
type PersonalRow = (Vec<u8>, IdentityRow, MembershipRow, OrganizationRow);
type ServiceRow = (Vec<u8>, IdentityRow, ServiceUserRow, OrganizationRow);

/// The query for a personal token, written for each database separately: only then is a statement with many digests
/// prepared once, and one with a single digest not built again each time.
macro_rules! personal {
    () => {
        api_tokens::table
            .inner_join(token_uses::table)
            .inner_join(
                memberships::table
                    .inner_join(users::table)
                    .inner_join(permission_sets::table)
                    .inner_join(organizations::table),
            )
            .select((
                api_tokens::digest,
                IdentityRow::as_select(),
                (
                    memberships::id,
                    memberships::is_active,
                    memberships::external_id,
                    users::id,
                    users::name,
                    permission_sets::permissions,
                ),
                (organizations::id, organizations::public_id, organizations::slug, organizations::name),
            ))
    };
}

/// The query for a service user's token.
macro_rules! service {
    () => {
        api_tokens::table
            .inner_join(token_uses::table)
            .inner_join(service_users::table.inner_join(organizations::table))
            .select((
                api_tokens::digest,
                IdentityRow::as_select(),
                (service_users::public_id, service_users::name, service_users::external_id, service_users::permissions),
                (organizations::id, organizations::public_id, organizations::slug, organizations::name),
            ))
    };
}

/// Reads everything that a decision about a key of this kind needs, by its digest: on whose behalf it acts, and the
/// times of its life.
pub fn identity(
    connection: &mut AnyConnection,
    kind: TokenKind,
    digest: &KeyDigest,
) -> Result<Option<(Identity, Life)>> {
    let is_it = api_tokens::digest.eq(&digest.0[..]);
    let found = match (kind, connection) {
        (TokenKind::Personal, AnyConnection::Sqlite(connection)) => {
            personal!().filter(is_it).get_result(connection).optional()?.map(of_person)
        }
        (TokenKind::Personal, AnyConnection::Postgres(connection)) => {
            personal!().filter(is_it).get_result(connection).optional()?.map(of_person)
        }
        (TokenKind::Service, AnyConnection::Sqlite(connection)) => {
            service!().filter(is_it).get_result(connection).optional()?.map(of_service_user)
        }
        (TokenKind::Service, AnyConnection::Postgres(connection)) => {
            service!().filter(is_it).get_result(connection).optional()?.map(of_service_user)
        }
    };
    found.map(|found| Ok(found?.1)).transpose()
}

/// Reads the same for many keys of one kind at once. Keys that no token has are left out.
pub fn identities(
    connection: &mut AnyConnection,
    kind: TokenKind,
    digests: &[&[u8]],
) -> Result<Vec<(KeyDigest, (Identity, Life))>> {
    let are_they = api_tokens::digest.eq_any(digests);
    match (kind, connection) {
        (TokenKind::Personal, AnyConnection::Postgres(connection)) => {
            personal!().filter(are_they).load(connection)?.into_iter().map(of_person).collect()
        }
        (TokenKind::Personal, AnyConnection::Sqlite(connection)) => {
            personal!().filter(are_they).load(connection)?.into_iter().map(of_person).collect()
        }
        (TokenKind::Service, AnyConnection::Postgres(connection)) => {
            service!().filter(are_they).load(connection)?.into_iter().map(of_service_user).collect()
        }
        (TokenKind::Service, AnyConnection::Sqlite(connection)) => {
            service!().filter(are_they).load(connection)?.into_iter().map(of_service_user).collect()
        }
    }
}

type Found = Result<(KeyDigest, (Identity, Life))>;

fn of_person((digest, token, subject, organization): PersonalRow) -> Found {
    let (membership, is_active, external_id, user, display_name, permissions) = subject;
    let name = format!("membership:{membership}");
    let subject = subject_of(Some(UserId(user)), name, display_name, &permissions, organization);
    found(&digest, token, TokenKind::Personal, Subject { is_active, external_id, ..subject })
}

fn of_service_user((digest, mut token, subject, organization): ServiceRow) -> Found {
    let (public_id, display_name, external_id, permissions) = subject;
    let name = format!("service_user:{public_id}");
    let subject = subject_of(None, name, display_name, &permissions, organization);
    // A service user has one token, whichever of its keys is used.
    token.public_id = public_id;
    found(&digest, token, TokenKind::Service, Subject { external_id, ..subject })
}

fn subject_of(
    user: Option<UserId>,
    name: String,
    display_name: String,
    permissions: &str,
    (id, public_id, slug, organization): OrganizationRow,
) -> Subject {
    let permissions = Permissions::from_keys(permissions);
    Subject {
        user,
        name,
        display_name,
        external_id: None,
        is_active: true,
        permissions,
        keys: permissions.keys(),
        keys_to_read: permissions.within(Scope::ReadOnly).keys(),
        organization: SubjectOrganization { id: OrganizationId(id), public_id, slug, name: organization },
    }
}

fn found(digest: &[u8], token: IdentityRow, kind: TokenKind, subject: Subject) -> Found {
    let digest = KeyDigest(expect_column(digest.try_into().ok(), "digest")?);
    let scope = expect_column(Scope::from_key(&token.scope), &token.scope)?;
    let identity = Identity {
        token: TokenId(token.id),
        token_public_id: token.public_id,
        label: token.label,
        kind,
        scope,
        subject: subject.into(),
    };
    Ok((digest, (identity, token.life.life()?)))
}

/// Lists the digests of all keys that were not revoked; some may have expired.
pub fn unrevoked(connection: &mut AnyConnection) -> Result<Vec<Vec<u8>>> {
    let digests = api_tokens::table.filter(api_tokens::revoked_at.is_null()).select(api_tokens::digest);
    Ok(digests.load(connection)?)
}

/// Returns the keys that a change of this token affects: its own key, or all keys of its service user.
pub fn touched(connection: &mut AnyConnection, token: TokenId) -> Result<Touched> {
    let service_user: Option<Option<i64>> =
        api_tokens::table.find(token.0).select(api_tokens::service_user_id).get_result(connection).optional()?;
    let digests = api_tokens::table.select(api_tokens::digest);
    let found: Vec<Vec<u8>> = match service_user.flatten() {
        Some(id) => digests.filter(api_tokens::service_user_id.eq(id)).load(connection)?,
        None => digests.filter(api_tokens::id.eq(token.0)).load(connection)?,
    };
    found.into_iter().map(key_digest).collect::<Result<_>>().map(Touched::Keys)
}

/// Returns the keys of all tokens of a member, whatever their state.
pub fn touched_by_member(connection: &mut AnyConnection, member: MembershipId) -> Result<Touched> {
    let of_member = api_tokens::table.filter(api_tokens::membership_id.eq(member.0));
    let found: Vec<Vec<u8>> = of_member.select(api_tokens::digest).load(connection)?;
    found.into_iter().map(key_digest).collect::<Result<_>>().map(Touched::Keys)
}

/// Reads what [`identity`] does for the key of a token, as it is now.
pub fn current(connection: &mut AnyConnection, kind: TokenKind, token: TokenId) -> Result<Option<(Identity, Life)>> {
    let digest: Option<Vec<u8>> =
        api_tokens::table.find(token.0).select(api_tokens::digest).get_result(connection).optional()?;
    match digest {
        Some(digest) => identity(connection, kind, &key_digest(digest)?),
        None => Ok(None),
    }
}

fn key_digest(digest: Vec<u8>) -> Result<KeyDigest> {
    Ok(KeyDigest(expect_column(digest.try_into().ok(), "digest")?))
}
