//! On whose behalf a key acts: what verification reads. The key's own facts are one thing and its subject's another,
//! which all tokens of the subject share.

use super::LifeRow;
use crate::{
    AnyConnection, Result,
    epoch::{Fact, Touched},
    expect_column, granted,
    schema::{api_tokens, memberships, organizations, permission_sets, service_users, token_uses, users},
};
use diesel::prelude::*;
use domain::{
    access::{Held, Identity, Subject, SubjectId, SubjectOrganization},
    organization::{MembershipId, OrganizationId, ServiceUserId},
    permission::{BuiltInSet, OwnPermissions, Permissions},
    token::{KeyDigest, Life, Scope, TokenId, TokenKind},
    user::UserId,
};
use std::{collections::HashMap, sync::Arc};

/// What a key's own row says of it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The row of the token.
    pub token: TokenId,
    /// The subject.
    pub subject: SubjectId,
    /// The times of its life.
    pub life: Life,
    public_id: String,
    label: String,
    scope: Scope,
}

impl Key {
    /// Returns on whose behalf the key acts.
    pub fn identity(self, subject: Arc<Subject>) -> (Identity, Life) {
        let (kind, token_public_id) = match subject.service_user() {
            // A service user has one token, whichever of its keys is used.
            Some(public_id) => (TokenKind::Service, public_id.to_owned()),
            None => (TokenKind::Personal, self.public_id),
        };
        let Self { token, label, scope, life, .. } = self;
        (Identity { token, token_public_id, label, kind, scope, subject }, life)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct Row {
    digest: Vec<u8>,
    id: i64,
    public_id: String,
    membership_id: Option<i64>,
    service_user_id: Option<i64>,
    label: String,
    scope: String,
    #[diesel(embed)]
    life: LifeRow,
}

impl Row {
    fn key(self) -> Result<(KeyDigest, Key)> {
        let membership = self.membership_id.map(MembershipId).map(SubjectId::Membership);
        let service_user = self.service_user_id.map(ServiceUserId).map(SubjectId::ServiceUser);
        let key = Key {
            token: TokenId(self.id),
            subject: expect_column(membership.or(service_user), "membership_id")?,
            life: self.life.life()?,
            public_id: self.public_id,
            label: self.label,
            scope: expect_column(Scope::from_key(&self.scope), &self.scope)?,
        };
        Ok((expect_digest(self.digest)?, key))
    }
}

/// The query for keys, written for each database separately: only then is a statement with many digests prepared once,
/// and one with a single digest not built again each time.
macro_rules! rows {
    ($connection:ident, $filter:expr) => {
        api_tokens::table.inner_join(token_uses::table).select(Row::as_select()).filter($filter).load($connection)?
    };
}

/// Reads what the rows of these keys say. Keys that no token has are left out.
pub fn keys(connection: &mut AnyConnection, digests: &[KeyDigest]) -> Result<Vec<(KeyDigest, Key)>> {
    let bytes = || digests.iter().map(|digest| &digest.0[..]).collect::<Vec<_>>();
    let rows: Vec<Row> = match (connection, digests) {
        (AnyConnection::Sqlite(sqlite), [digest]) => rows!(sqlite, api_tokens::digest.eq(&digest.0[..])),
        (AnyConnection::Sqlite(sqlite), _) => rows!(sqlite, api_tokens::digest.eq_any(bytes())),
        (AnyConnection::Postgres(postgres), _) => rows!(postgres, api_tokens::digest.eq_any(bytes())),
    };
    rows.into_iter().map(Row::key).collect()
}

/// Row, public id, slug, name and own permissions.
type OrganizationRow = (i64, String, String, String, String);
/// A membership with its user, the permissions of its set, and whether that is the set of administrators.
type MembershipRow = (i64, bool, Option<String>, i64, String, String, Option<bool>, OrganizationRow);
/// Row, public id, name, external id and permissions.
type ServiceUserRow = (i64, String, String, Option<String>, String, OrganizationRow);

/// The columns of an [`OrganizationRow`].
macro_rules! organization {
    () => {
        (
            organizations::id,
            organizations::public_id,
            organizations::slug,
            organizations::name,
            organizations::own_permissions,
        )
    };
}

/// The query for memberships, written as [`rows`].
macro_rules! members {
    ($connection:ident, $filter:expr) => {
        memberships::table
            .inner_join(users::table)
            .inner_join(permission_sets::table)
            .inner_join(organizations::table)
            .select((
                memberships::id,
                memberships::is_active,
                memberships::external_id,
                users::id,
                users::name,
                permission_sets::permissions,
                permission_sets::built_in.eq(BuiltInSet::Administrator.key()),
                organization!(),
            ))
            .filter($filter)
            .load($connection)?
    };
}

/// The query for service users.
macro_rules! services {
    ($connection:ident, $filter:expr) => {
        service_users::table
            .inner_join(organizations::table)
            .select((
                service_users::id,
                service_users::public_id,
                service_users::name,
                service_users::external_id,
                service_users::permissions,
                organization!(),
            ))
            .filter($filter)
            .load($connection)?
    };
}

/// Reads what these subjects may do, each once.
pub fn subjects(connection: &mut AnyConnection, ids: &[SubjectId]) -> Result<Vec<Subject>> {
    let (mut members, mut services) = (Vec::new(), Vec::new());
    for id in ids {
        match id {
            SubjectId::Membership(id) => members.push(id.0),
            SubjectId::ServiceUser(id) => services.push(id.0),
        }
    }
    let mut found = memberships_of(connection, &members)?;
    found.extend(service_users_of(connection, &services)?);
    Ok(found)
}

fn memberships_of(connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<Subject>> {
    let rows: Vec<MembershipRow> = match (connection, ids) {
        (_, []) => return Ok(Vec::new()),
        (AnyConnection::Sqlite(sqlite), [id]) => members!(sqlite, memberships::id.eq(id)),
        (AnyConnection::Sqlite(sqlite), _) => members!(sqlite, memberships::id.eq_any(ids)),
        (AnyConnection::Postgres(postgres), _) => members!(postgres, memberships::id.eq_any(ids)),
    };
    Ok(rows.into_iter().map(of_membership).collect())
}

fn service_users_of(connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<Subject>> {
    let rows: Vec<ServiceUserRow> = match (connection, ids) {
        (_, []) => return Ok(Vec::new()),
        (AnyConnection::Sqlite(sqlite), [id]) => services!(sqlite, service_users::id.eq(id)),
        (AnyConnection::Sqlite(sqlite), _) => services!(sqlite, service_users::id.eq_any(ids)),
        (AnyConnection::Postgres(postgres), _) => services!(postgres, service_users::id.eq_any(ids)),
    };
    Ok(rows.into_iter().map(of_service_user).collect())
}

fn of_membership(row: MembershipRow) -> Subject {
    let (id, is_active, external_id, user, display_name, permissions, is_administrator, organization) = row;
    let known = OwnPermissions::parse(&organization.4);
    let held = Held::new(granted(is_administrator == Some(true), &permissions, &known), known);
    let (name, id) = (format!("membership:{id}"), SubjectId::Membership(MembershipId(id)));
    let of_anybody = subject(id, name, display_name, held, organization);
    Subject { user: Some(UserId(user)), external_id, is_active, ..of_anybody }
}

fn of_service_user(row: ServiceUserRow) -> Subject {
    let (id, public_id, display_name, external_id, permissions, organization) = row;
    let known = OwnPermissions::parse(&organization.4);
    let held = Held::new(Permissions::from_keys(&permissions, &known), known);
    let (name, id) = (Subject::name_of_service_user(&public_id), SubjectId::ServiceUser(ServiceUserId(id)));
    Subject { external_id, ..subject(id, name, display_name, held, organization) }
}

fn subject(
    id: SubjectId,
    name: String,
    display_name: String,
    held: Held,
    (organization, public_id, slug, organization_name, _): OrganizationRow,
) -> Subject {
    Subject {
        id,
        user: None,
        name,
        display_name,
        external_id: None,
        is_active: true,
        held: held.into(),
        organization: SubjectOrganization {
            id: OrganizationId(organization),
            public_id,
            slug,
            name: organization_name,
        },
    }
}

/// Reads on whose behalf the key acts that an identity was read from, and the times of its life, as they are now.
pub fn current(connection: &mut AnyConnection, known: &Identity) -> Result<Option<(Identity, Life)>> {
    let digest = api_tokens::table.find(known.token.0).select(api_tokens::digest);
    let Some(digest) = digest.get_result(connection).optional()? else { return Ok(None) };
    let found = identities(connection, &[expect_digest(digest)?])?.pop();
    Ok(found.map(|(_, found)| found))
}

/// Reads the same of the token of an organization with this public id: of a service user's, its newest key.
pub fn named(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
) -> Result<Option<(Identity, Life)>> {
    let personal = api_tokens::kind.eq(TokenKind::Personal.key()).and(api_tokens::public_id.eq(public_id));
    let service_user = service_users::table.filter(service_users::public_id.eq(public_id)).select(service_users::id);
    let digest: Option<Vec<u8>> = api_tokens::table
        .filter(api_tokens::organization_id.eq(organization.0))
        .filter(personal.or(api_tokens::service_user_id.eq_any(service_user.nullable())))
        .order(api_tokens::id.desc())
        .select(api_tokens::digest)
        .first(connection)
        .optional()?;
    let Some(digest) = digest else { return Ok(None) };
    let found = identities(connection, &[expect_digest(digest)?])?.pop();
    Ok(found.map(|(_, found)| found))
}

/// Reads on whose behalf these keys act, and the times of their lives. Keys that no token has are left out.
pub fn identities(connection: &mut AnyConnection, digests: &[KeyDigest]) -> Result<Vec<(KeyDigest, (Identity, Life))>> {
    let keys = keys(connection, digests)?;
    let ids: Vec<SubjectId> = keys.iter().map(|(_, key)| key.subject).collect();
    let subjects = subjects(connection, &ids)?.into_iter().map(|subject| (subject.id, Arc::new(subject)));
    let subjects: HashMap<SubjectId, Arc<Subject>> = subjects.collect();
    // The rows cannot be missing, unless they were deleted meanwhile, together with the token.
    let identity = |(digest, key): (KeyDigest, Key)| {
        subjects.get(&key.subject).map(|subject| (digest, key.identity(Arc::clone(subject))))
    };
    Ok(keys.into_iter().filter_map(identity).collect())
}

/// Lists the digests of all keys that were not revoked; some may have expired.
pub fn unrevoked(connection: &mut AnyConnection) -> Result<Vec<KeyDigest>> {
    let digests = api_tokens::table.filter(api_tokens::revoked_at.is_null()).select(api_tokens::digest);
    digests.load(connection)?.into_iter().map(expect_digest).collect()
}

/// Returns what a change of this token affects: its own key, or its service user and all keys of that.
pub fn touched(connection: &mut AnyConnection, token: TokenId) -> Result<Touched> {
    let service_user: Option<Option<i64>> =
        api_tokens::table.find(token.0).select(api_tokens::service_user_id).get_result(connection).optional()?;
    match service_user.flatten() {
        Some(id) => touched_subject(connection, SubjectId::ServiceUser(ServiceUserId(id))),
        None => {
            let digests = api_tokens::table.select(api_tokens::digest).filter(api_tokens::id.eq(token.0));
            Ok(Touched::Facts(keys_touched(digests.load(connection)?)?))
        }
    }
}

/// Returns what a change of this subject and of its tokens affects.
pub fn touched_subject(connection: &mut AnyConnection, subject: SubjectId) -> Result<Touched> {
    let digests = api_tokens::table.select(api_tokens::digest);
    let digests = match subject {
        SubjectId::Membership(id) => digests.filter(api_tokens::membership_id.eq(id.0)).load(connection)?,
        SubjectId::ServiceUser(id) => digests.filter(api_tokens::service_user_id.eq(id.0)).load(connection)?,
    };
    let mut facts = keys_touched(digests)?;
    facts.push(Fact::Subject(subject));
    Ok(Touched::Facts(facts))
}

fn keys_touched(digests: Vec<Vec<u8>>) -> Result<Vec<Fact>> {
    digests.into_iter().map(|digest| expect_digest(digest).map(Fact::Key)).collect()
}

fn expect_digest(digest: Vec<u8>) -> Result<KeyDigest> {
    Ok(KeyDigest(expect_column(digest.try_into().ok(), "digest")?))
}
