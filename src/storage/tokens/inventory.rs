//! All tokens of an organization, personal ones and those of service users, as an administrator sees them.
//!
//! Of a service user's keys only the newest is listed: it is the token. Tokens of built-in integrations are not.

use super::{KeyFacts, KeyRow};
use crate::{
    domain::{
        organization::OrganizationId,
        time::{DAY, Timestamp},
        token::{Scope, TokenId, TokenKind},
        user::UserId,
    },
    storage::{
        AnyConnection, Result,
        connection::MultiBackend,
        known,
        schema::{api_tokens, service_users, users},
    },
};
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};

/// A token of the organization.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The id that may be shown; a service user's is its own.
    pub public_id: String,
    /// The label, or the name of the service user.
    pub label: String,
    /// Whose credential it is.
    pub kind: TokenKind,
    /// How far it reaches.
    pub scope: Scope,
    /// The user whose it is; none for a service user's.
    pub owner: Option<Owner>,
    /// The (current) key and what has become of it.
    pub key: KeyFacts,
}

/// The user whose token it is.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The user.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// What a token is to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Active,
    /// It was revoked.
    Revoked,
    /// It was not used for its inactivity period.
    Expired,
}

/// Which tokens are asked for; what is empty takes all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one kind.
    pub kind: Option<TokenKind>,
    /// In one state.
    pub state: Option<State>,
    /// Of these users.
    pub owners: Option<Vec<UserId>>,
    /// Active, and without use since this moment; one that was never used counts from its creation.
    pub idle_since: Option<Timestamp>,
    /// A part of the label or name, or the public id.
    pub search: Option<String>,
}

/// From where a page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// The newest tokens.
    #[default]
    Newest,
    /// Tokens older than this one, the newest of them first.
    Before(TokenId),
    /// Tokens newer than this one, the oldest of them first.
    After(TokenId),
}

type Row = (KeyRow, (String, String, String, String), Option<(i64, String, String)>, Option<(String, String)>);

/// At most `limit` tokens that fit.
///
/// # Errors
/// When the database fails.
pub fn page(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    from: PageFrom,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Listed>> {
    // What has expired is written down a little later: until then it is told by the clock, through another index.
    let parts: &[Part] = match filter.state {
        _ if filter.idle_since.is_some() => &[Part::Active],
        None => &[Part::All],
        Some(State::Active) => &[Part::Active],
        Some(State::Revoked) => &[Part::Revoked],
        Some(State::Expired) => &[Part::Expired, Part::Due],
    };
    let mut found = Vec::new();
    for part in parts {
        found.extend(load(connection, organization, filter, *part, from, now, limit)?);
    }
    found.sort_unstable_by_key(|row: &Row| row.0.id);
    if !matches!(from, PageFrom::After(_)) {
        found.reverse();
    }
    found.into_iter().take(usize::try_from(limit).unwrap_or_default()).map(listed).collect()
}

/// The personal token of the organization with this public id.
///
/// # Errors
/// When the database fails.
pub fn find_personal(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
) -> Result<Option<Listed>> {
    let row: Option<Row> = joined()
        .filter(api_tokens::organization_id.eq(organization.0).and(api_tokens::public_id.eq(public_id.to_owned())))
        .filter(api_tokens::kind.eq(TokenKind::Personal.key()))
        .get_result(connection)
        .optional()?;
    row.map(listed).transpose()
}

#[derive(Clone, Copy)]
enum Part {
    All,
    Active,
    Revoked,
    Expired,
    Due,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn joined() -> _ {
    let key: diesel::dsl::AsSelect<KeyRow, MultiBackend> = KeyRow::as_select();
    api_tokens::table
        .left_join(users::table.on(api_tokens::user_id.eq(users::id.nullable())))
        .left_join(service_users::table)
        .select((
            key,
            (api_tokens::public_id, api_tokens::label, api_tokens::kind, api_tokens::scope),
            (users::id, users::name, users::email).nullable(),
            (service_users::public_id, service_users::name).nullable(),
        ))
}

fn load(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    part: Part,
    from: PageFrom,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Row>> {
    let ends = || sql::<BigInt>("(coalesce(last_used_at, api_tokens.created_at) + inactivity_days * 86400)");
    let is_newest_key = sql::<diesel::sql_types::Bool>(
        "(api_tokens.service_user_id IS NULL OR NOT EXISTS (SELECT 1 FROM api_tokens newer \
         WHERE newer.service_user_id = api_tokens.service_user_id AND newer.id > api_tokens.id))",
    );
    let mut query = joined()
        .filter(api_tokens::organization_id.eq(organization.0))
        .filter(is_newest_key)
        .limit(limit)
        .into_boxed::<MultiBackend>();
    query = match part {
        Part::All => query,
        Part::Active => query.filter(api_tokens::slot.is_not_null()).filter(ends().gt(now.seconds())),
        Part::Revoked => query.filter(api_tokens::revoked_at.is_not_null()),
        Part::Expired => query.filter(api_tokens::expired_at.is_not_null()).filter(api_tokens::revoked_at.is_null()),
        Part::Due => query.filter(api_tokens::slot.is_not_null()).filter(ends().le(now.seconds())),
    };
    query = match filter.kind {
        Some(kind) => query.filter(api_tokens::kind.eq(kind.key())),
        None => query.filter(api_tokens::kind.ne(TokenKind::System.key())),
    };
    if let Some(owners) = &filter.owners {
        query = query.filter(api_tokens::user_id.eq_any(owners.iter().map(|owner| owner.0).collect::<Vec<_>>()));
    }
    if let Some(since) = filter.idle_since {
        let used = sql::<BigInt>("coalesce(last_used_at, api_tokens.created_at)");
        query = query.filter(used.le(since.seconds()));
    }
    if let Some(search) = &filter.search {
        let part = format!("%{}%", search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_").to_lowercase());
        let lower = |column: &str| sql::<diesel::sql_types::Text>(&format!("lower({column})"));
        let named = lower("coalesce(service_users.name, label)").like(part).escape('\\');
        let known = sql::<diesel::sql_types::Text>("coalesce(service_users.public_id, api_tokens.public_id)");
        query = query.filter(named.or(known.eq(search.to_lowercase())));
    }
    query = match from {
        PageFrom::Newest => query.order(api_tokens::id.desc()),
        PageFrom::Before(id) => query.filter(api_tokens::id.lt(id.0)).order(api_tokens::id.desc()),
        PageFrom::After(id) => query.filter(api_tokens::id.gt(id.0)).order(api_tokens::id.asc()),
    };
    Ok(query.load(connection)?)
}

fn listed((key, (public_id, label, kind, scope), owner, service_user): Row) -> Result<Listed> {
    let owner = owner.map(|(id, name, email)| Owner { id: UserId(id), name, email });
    let (public_id, label) = service_user.unwrap_or((public_id, label));
    Ok(Listed {
        public_id,
        label,
        kind: known(TokenKind::from_key(&kind), &kind)?,
        scope: known(Scope::from_key(&scope), &scope)?,
        owner,
        key: key.facts()?,
    })
}

/// The moment before which a token must have been used last to be idle for so many days.
pub const fn idle_for(days: i64, now: Timestamp) -> Timestamp {
    now.plus(-days * DAY)
}

/// Those of these tokens that are still there, by public id, and whether each is a service user's.
///
/// # Errors
/// When the database fails.
pub fn still_there(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_ids: Vec<String>,
) -> Result<Vec<(String, bool)>> {
    if public_ids.is_empty() {
        return Ok(Vec::new());
    }
    let personal: Vec<String> = api_tokens::table
        .filter(api_tokens::public_id.eq_any(public_ids.clone()).and(api_tokens::organization_id.eq(organization.0)))
        .filter(api_tokens::kind.eq(TokenKind::Personal.key()))
        .select(api_tokens::public_id)
        .load(connection)?;
    let of_service_users: Vec<String> = service_users::table
        .filter(service_users::public_id.eq_any(public_ids).and(service_users::organization_id.eq(organization.0)))
        .select(service_users::public_id)
        .load(connection)?;
    let personal = personal.into_iter().map(|id| (id, false));
    Ok(personal.chain(of_service_users.into_iter().map(|id| (id, true))).collect())
}
