//! All tokens of an organization, personal ones and those of service users, as an administrator sees them.
//!
//! Of a service user's keys only the newest is listed: it is the token. Tokens of built-in integrations are not.
//!
//! A page is read by key through an index, whatever is asked for. Only words are looked for in the label of every token that
//! fits otherwise: where few have them, that is all of the organization's, or all of the owner's where one is named.

use super::KeyRow;
use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    known, patterns,
    schema::{api_tokens, service_users, users},
};
use diesel::{
    dsl::{max, sql},
    prelude::*,
    sql_types::{BigInt, Bool},
};
use domain::{
    organization::OrganizationId,
    text,
    time::{DAY, Timestamp},
    token::{self, KeyFacts, Scope, TokenId, TokenKind},
    user::UserId,
};

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
    /// Where it stands in lists.
    pub place: Place,
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
    /// Active, and without use since this moment; one that was never used counts from its creation. These come longest
    /// unused first, all others newest first.
    pub idle_since: Option<Timestamp>,
    /// Words that all stand somewhere in the label or name, or the public id.
    pub search: Option<String>,
}

/// A place in the order of a list: newest first that of the row, otherwise that of the last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the token was used last, or made if it never was.
    pub used: Timestamp,
    /// The row.
    pub id: TokenId,
}

/// From where a page goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// The first tokens.
    #[default]
    Start,
    /// Tokens that come after this place.
    After(Place),
    /// Tokens that come before this place, the nearest first.
    Before(Place),
}

type Row = (KeyRow, (String, String, String, String), Option<(i64, String, String)>, Option<(String, String)>);

/// One of the questions that together answer a [`Filter`], so that an index has the answer in order.
#[derive(Clone, Copy)]
struct Branch {
    kind: TokenKind,
    part: Part,
    owner: Option<UserId>,
}

impl Filter {
    fn branches(&self) -> Vec<Branch> {
        // What has expired is written down a little later: until then it is told by the clock, through another index.
        let parts: &[Part] = match self.state {
            _ if self.idle_since.is_some() => &[Part::Active],
            None => &[Part::All],
            Some(State::Active) => &[Part::Active],
            Some(State::Revoked) => &[Part::Revoked],
            Some(State::Expired) => &[Part::Expired, Part::Due],
        };
        let whose: Vec<(TokenKind, Option<UserId>)> = match &self.owners {
            Some(owners) => owners.iter().map(|owner| (TokenKind::Personal, Some(*owner))).collect(),
            None => vec![(TokenKind::Personal, None), (TokenKind::Service, None)],
        };
        let asked = whose.into_iter().filter(|(kind, _)| self.kind.is_none_or(|asked| asked == *kind));
        asked.flat_map(|(kind, owner)| parts.iter().map(move |part| Branch { kind, part: *part, owner })).collect()
    }
}

/// At most `limit` tokens that fit. Each branch of the filter reads `limit` rows at most, and what they give is put together
/// here.
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
    let only = match &filter.search {
        Some(search) => known_as(connection, organization, &text::searchable(search))?,
        None => None,
    };
    let mut found = Vec::new();
    for branch in filter.branches() {
        let asked = Asked { organization, filter, only, branch, from, now, limit };
        found.extend(asked.load(connection)?);
    }
    match filter.idle_since {
        Some(since) => {
            found.retain(|(key, ..): &Row| used(key) <= since.seconds());
            found.sort_unstable_by_key(|(key, ..): &Row| (used(key), key.id));
        }
        None => found.sort_unstable_by_key(|(key, ..): &Row| std::cmp::Reverse(key.id)),
    }
    if matches!(from, PageFrom::Before(_)) {
        found.reverse();
    }
    found.into_iter().take(usize::try_from(limit).unwrap_or_default()).map(listed).collect()
}

fn used(key: &KeyRow) -> i64 {
    key.life.last_used_at.unwrap_or(key.life.created_at)
}

/// The token with this public id, so that a link to one need not read the others.
fn known_as(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<Option<TokenId>> {
    if !token::is_public_id(id) {
        return Ok(None);
    }
    let personal: Option<i64> = api_tokens::table
        .filter(api_tokens::public_id.eq(id.to_owned()).and(api_tokens::organization_id.eq(organization.0)))
        .filter(api_tokens::kind.eq(TokenKind::Personal.key()))
        .select(api_tokens::id)
        .get_result(connection)
        .optional()?;
    if let Some(personal) = personal {
        return Ok(Some(TokenId(personal)));
    }
    let newest_key: Option<i64> = api_tokens::table
        .inner_join(service_users::table)
        .filter(service_users::public_id.eq(id.to_owned()).and(service_users::organization_id.eq(organization.0)))
        .select(max(api_tokens::id))
        .get_result(connection)?;
    Ok(newest_key.map(TokenId))
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

#[diesel::dsl::auto_type(type_case = "PascalCase")]
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

type Query<'q> = diesel::helper_types::IntoBoxed<'q, Joined, MultiBackend>;

/// What a branch is asked.
struct Asked<'a> {
    organization: OrganizationId,
    filter: &'a Filter,
    only: Option<TokenId>,
    branch: Branch,
    from: PageFrom,
    now: Timestamp,
    limit: i64,
}

impl Asked<'_> {
    fn load(&self, connection: &mut AnyConnection) -> Result<Vec<Row>> {
        let Branch { kind, part, owner } = self.branch;
        let (organization, now) = (self.organization.0, self.now.seconds());
        let mut query = joined().filter(api_tokens::kind.eq(kind.key())).limit(self.limit).into_boxed::<MultiBackend>();
        if kind == TokenKind::Service {
            query = query.filter(sql::<Bool>(
                "NOT EXISTS (SELECT 1 FROM api_tokens newer \
                 WHERE newer.service_user_id = api_tokens.service_user_id AND newer.id > api_tokens.id)",
            ));
        }
        query = match part {
            Part::Due => query.filter(sql::<BigInt>(&apart("api_tokens.organization_id")).eq(organization)),
            _ => query.filter(api_tokens::organization_id.eq(organization)),
        };
        query = match part {
            Part::All => query,
            Part::Active => query
                .filter(api_tokens::slot.is_not_null())
                .filter(sql::<Bool>(&format!("{USED} > ")).bind::<BigInt, _>(now).sql(" - inactivity_days * 86400")),
            Part::Revoked => query.filter(api_tokens::revoked_at.is_not_null()),
            Part::Expired => {
                query.filter(api_tokens::expired_at.is_not_null()).filter(api_tokens::revoked_at.is_null())
            }
            Part::Due => query
                .filter(api_tokens::slot.is_not_null())
                .filter(sql::<BigInt>(&format!("({USED} + inactivity_days * 86400)")).le(now)),
        };
        if let Some(owner) = owner {
            query = query.filter(api_tokens::user_id.eq(owner.0));
        }
        if let Some(only) = self.only {
            query = query.filter(api_tokens::id.eq(only.0));
        } else if let Some(search) = &self.filter.search {
            for pattern in patterns(search) {
                query = query.filter(api_tokens::search.like(pattern).escape('\\'));
            }
        }
        let query = match self.filter.idle_since {
            Some(since) => self.by_use(query, since.seconds()),
            None => self.by_age(query),
        };
        Ok(query.load(connection)?)
    }

    /// Newest first.
    fn by_age<'q>(&self, query: Query<'q>) -> Query<'q> {
        // What is due is few rows in an index of their own, from which no other may lead away.
        let id = || match self.branch.part {
            Part::Due => sql::<BigInt>("+api_tokens.id"),
            _ => sql::<BigInt>("api_tokens.id"),
        };
        match self.from {
            PageFrom::Start => query.order(id().desc()),
            PageFrom::After(place) => query.filter(id().lt(place.id.0)).order(id().desc()),
            PageFrom::Before(place) => query.filter(id().gt(place.id.0)).order(id().asc()),
        }
    }

    /// Longest unused first. The first condition is what the index begins at; the second tells uses in one second apart. None
    /// bounds the other end: of two bounds on such a number Postgres believes that they leave next to nothing.
    fn by_use<'q>(&self, query: Query<'q>, since: i64) -> Query<'q> {
        // The few active tokens of one owner are read and sorted instead.
        let used = match self.branch.owner {
            Some(_) => apart(USED),
            None => USED.to_owned(),
        };
        let used = || sql::<BigInt>(&used);
        match self.from {
            PageFrom::Start => query.filter(used().le(since)).order((used().asc(), api_tokens::id.asc())),
            PageFrom::After(Place { used: from, id }) => query
                .filter(used().ge(from.seconds()))
                .filter(used().gt(from.seconds()).or(api_tokens::id.gt(id.0)))
                .order((used().asc(), api_tokens::id.asc())),
            PageFrom::Before(Place { used: from, id }) => query
                .filter(used().le(since.min(from.seconds())))
                .filter(used().lt(from.seconds()).or(api_tokens::id.lt(id.0)))
                .order((used().desc(), api_tokens::id.desc())),
        }
    }
}

/// The last use of a token or its creation, as indexes have it.
const USED: &str = "coalesce(last_used_at, api_tokens.created_at)";

/// The same number, as no index has it: SQLite, which keeps no statistics, would else take an index over all tokens for the
/// order that it gives, where another one has the few rows that are asked for.
fn apart(number: &str) -> String {
    format!("({number} + 0)")
}

fn listed((key, (public_id, label, kind, scope), owner, service_user): Row) -> Result<Listed> {
    let owner = owner.map(|(id, name, email)| Owner { id: UserId(id), name, email });
    let (public_id, label) = service_user.unwrap_or((public_id, label));
    let place = Place { used: Timestamp::from_seconds(used(&key)), id: TokenId(key.id) };
    Ok(Listed {
        public_id,
        label,
        kind: known(TokenKind::from_key(&kind), &kind)?,
        scope: known(Scope::from_key(&scope), &scope)?,
        owner,
        place,
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
