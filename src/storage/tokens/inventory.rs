//! All tokens of an organization, personal ones and those of service users, as administrators see them.
//!
//! Of a service user's keys, only the newest is listed, as the token. Tokens of built-in integrations are not listed.
//!
//! A page is read by key through an index, for every filter. Only words, and days without use if the list is sorted by
//! something else, are checked on every token that matches the rest of the filter: if few tokens match, those are all
//! tokens of the organization, or of the owner if the filter names one.

mod order;

pub use order::PageRequest;

use super::{EXPIRES_AT, KeyRow, expires_at};
use crate::{
    AnyConnection, Result,
    connection::MultiBackend,
    expect_column, patterns,
    schema::{api_tokens, service_users, token_uses, users},
};
use diesel::{
    dsl::{max, sql},
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use domain::{
    organization::OrganizationId,
    text,
    time::{DAY, Timestamp},
    token::{
        self, InactivityExpiry, Scope, TokenId, TokenKind,
        listing::{Listed, Order, Owner, Place},
    },
    user::UserId,
};

/// The state of a listed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is active.
    Active,
    /// It was revoked.
    Revoked,
    /// It was not used for its inactivity period.
    Expired,
}

/// The filter of tokens; an empty field matches everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only tokens of this kind.
    pub kind: Option<TokenKind>,
    /// Only tokens in this state.
    pub state: Option<State>,
    /// Only tokens of these users.
    pub owners: Option<Vec<UserId>>,
    /// Only active tokens without use since this time; one that was never used counts from its creation.
    pub idle_since: Option<Timestamp>,
    /// Words that must all appear in the label or name, or the public id.
    pub search: Option<String>,
}

/// The key; public id, label, kind and scope; the label as lists sort by it; the owner; the service user.
type Row =
    (KeyRow, (String, String, String, String), Option<String>, Option<(i64, String, String)>, Option<(String, String)>);

/// One of the queries that together answer a [`Filter`], each in the order of an index.
#[derive(Clone, Copy)]
struct Branch {
    kind: TokenKind,
    part: Part,
    owner: Option<UserId>,
    /// The inactivity expiry of its tokens: with one of them, they are in the same order by last use and by expiry.
    inactivity: Option<InactivityExpiry>,
}

impl Filter {
    fn branches(&self, request: &PageRequest) -> Vec<Branch> {
        let state = if self.idle_since.is_some() { Some(State::Active) } else { self.state };
        let parts = order::parts(state, request.sort.by).iter().filter(|part| request.may_reach(**part));
        let whose: Vec<(TokenKind, Option<UserId>)> = match &self.owners {
            Some(owners) => owners.iter().map(|owner| (TokenKind::Personal, Some(*owner))).collect(),
            None => vec![(TokenKind::Personal, None), (TokenKind::Service, None)],
        };
        let asked = whose.into_iter().filter(|(kind, _)| self.kind.is_none_or(|asked| asked == *kind));
        let of_parts = asked.flat_map(|(kind, owner)| parts.clone().map(move |part| (kind, *part, owner)));
        let periods = |(kind, part, owner): (TokenKind, Part, Option<UserId>)| {
            let branch = move |inactivity| Branch { kind, part, owner, inactivity };
            if owner.is_none() && order::needs_period(part, request.sort.by) {
                InactivityExpiry::ALL.map(|inactivity| branch(Some(inactivity))).to_vec()
            } else {
                vec![branch(None)]
            }
        };
        of_parts.flat_map(periods).collect()
    }
}

/// Returns the tokens of a page, each with its position, in the order in which they are read. Each branch of the filter
/// reads at most as many rows as the page has, and the results are merged here.
pub fn page(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    filter: &Filter,
    request: &PageRequest,
    now: Timestamp,
) -> Result<Vec<(Place, Listed)>> {
    let only = match &filter.search {
        Some(search) => known_as(connection, organization, &text::searchable(search))?,
        None => None,
    };
    let mut found = Vec::new();
    for branch in filter.branches(request) {
        let asked = Asked { organization, filter, only, branch, request, now };
        let rows = asked.load(connection)?;
        found.extend(rows.into_iter().map(|row| (order::place_of(&row, branch.part, request.sort.by), row)));
    }
    found.retain(|(_, (key, ..))| filter.idle_since.is_none_or(|since| used(key) <= since.seconds()));
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if !request.reads_upwards() {
        found.reverse();
    }
    let limit = usize::try_from(request.limit).unwrap_or_default();
    found.into_iter().take(limit).map(|(place, row)| Ok((place, listed(row)?))).collect()
}

fn used(key: &KeyRow) -> i64 {
    key.life.idle.idle_since
}

/// Finds the token with this public id, so that a search for one need not read the others.
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

/// Returns the personal token of the organization with this public id.
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

/// A part of the tokens that has its own index.
#[derive(Clone, Copy)]
enum Part {
    All,
    /// Tokens that have a slot: they are active, or due.
    Held,
    Active,
    Revoked,
    /// Tokens that are recorded as expired.
    Expired,
    /// Tokens that have expired, but are not yet recorded as expired.
    Due,
}

impl Part {
    /// Returns the rank of its state in the sort order.
    const fn rank(self) -> u8 {
        match self {
            Self::All | Self::Held | Self::Active => 0,
            Self::Expired | Self::Due => 1,
            Self::Revoked => 2,
        }
    }

    /// Returns when a token of this part expires or ended.
    fn end_of(self, key: &KeyRow) -> i64 {
        let expires_at = used(key) + i64::from(key.life.idle.inactivity_days) * DAY;
        match self {
            Self::Revoked => key.life.revoked_at.unwrap_or(expires_at),
            Self::Expired => key.life.expired_at.unwrap_or(expires_at),
            Self::All | Self::Held | Self::Active | Self::Due => expires_at,
        }
    }

    /// Returns the same in SQL, as in the indexes.
    const fn end(self) -> &'static str {
        match self {
            Self::Revoked => "api_tokens.revoked_at",
            Self::Expired => "api_tokens.expired_at",
            Self::All | Self::Held | Self::Active | Self::Due => EXPIRES_AT,
        }
    }
}

#[diesel::dsl::auto_type(type_case = "PascalCase")]
fn joined() -> _ {
    let key: diesel::dsl::AsSelect<KeyRow, MultiBackend> = KeyRow::as_select();
    api_tokens::table
        .inner_join(token_uses::table)
        .left_join(users::table.on(api_tokens::user_id.eq(users::id.nullable())))
        .left_join(service_users::table)
        .select((
            key,
            (api_tokens::public_id, api_tokens::label, api_tokens::kind, api_tokens::scope),
            api_tokens::search.nullable(),
            (users::id, users::name, users::email).nullable(),
            (service_users::public_id, service_users::name).nullable(),
        ))
}

type Query<'q> = diesel::helper_types::IntoBoxed<'q, Joined, MultiBackend>;

/// The query of a branch.
struct Asked<'a> {
    organization: OrganizationId,
    filter: &'a Filter,
    only: Option<TokenId>,
    branch: Branch,
    request: &'a PageRequest,
    now: Timestamp,
}

impl Asked<'_> {
    fn load(&self, connection: &mut AnyConnection) -> Result<Vec<Row>> {
        let Branch { kind, owner, .. } = self.branch;
        let query = joined().limit(self.request.limit).into_boxed::<MultiBackend>();
        let mut query = if self.reads_uses() { self.in_uses(query) } else { self.in_tokens(query) };
        if kind == TokenKind::Service {
            query = query.filter(sql::<Bool>(
                "NOT EXISTS (SELECT 1 FROM api_tokens newer \
                 WHERE newer.service_user_id = api_tokens.service_user_id AND newer.id > api_tokens.id)",
            ));
        }
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
        Ok(self.sorted(self.idle(query)).load(connection)?)
    }

    /// Returns whether the tokens are found through an index of their uses, instead of one of their own.
    fn reads_uses(&self) -> bool {
        let Branch { part, owner, inactivity, .. } = self.branch;
        let are_ended = matches!(part, Part::Revoked | Part::Expired);
        inactivity.is_some() || (are_ended && owner.is_none() && self.request.sort.by == Order::LastUse)
    }

    fn in_uses<'q>(&self, query: Query<'q>) -> Query<'q> {
        let Branch { kind, part, inactivity, .. } = self.branch;
        let query =
            query.filter(token_uses::organization_id.eq(self.organization.0)).filter(token_uses::kind.eq(kind.key()));
        let Some(inactivity) = inactivity else {
            let is_revoked = matches!(part, Part::Revoked);
            return query.filter(sql::<Bool>(if is_revoked { "state = 'revoked'" } else { "state = 'expired'" }));
        };
        let expired = self.now.plus(-inactivity.seconds()).seconds();
        let query =
            query.filter(sql::<Bool>("state = 'active'")).filter(token_uses::inactivity_days.eq(inactivity.days()));
        match part {
            Part::Active => query.filter(token_uses::idle_since.gt(expired)),
            Part::Due => query.filter(token_uses::idle_since.le(expired)),
            _ => query,
        }
    }

    fn in_tokens<'q>(&self, query: Query<'q>) -> Query<'q> {
        let now = self.now.seconds();
        let query = query
            .filter(api_tokens::organization_id.eq(self.organization.0))
            .filter(api_tokens::kind.eq(self.branch.kind.key()));
        match self.branch.part {
            Part::All => query,
            Part::Held => query.filter(api_tokens::slot.is_not_null()),
            Part::Active => query.filter(api_tokens::slot.is_not_null()).filter(expires_at().gt(now)),
            Part::Due => query.filter(api_tokens::slot.is_not_null()).filter(expires_at().le(now)),
            Part::Revoked => query.filter(sql::<Bool>(&self.is_there("api_tokens.revoked_at"))),
            Part::Expired => query
                .filter(sql::<Bool>(&self.is_there("api_tokens.expired_at")))
                .filter(api_tokens::revoked_at.is_null()),
        }
    }

    fn idle<'q>(&self, query: Query<'q>) -> Query<'q> {
        let Some(since) = self.filter.idle_since else { return query };
        match (self.request.sort.by, self.request.from.place()) {
            // In this order, from a position on, `page` itself sees where the tokens end: of two bounds on such a
            // number, Postgres assumes that they leave almost nothing.
            (Order::LastUse, Some(_)) => query,
            (Order::LastUse, None) => query.filter(sql::<BigInt>(&self.in_index(USED, " + 0")).le(since.seconds())),
            _ => query.filter(sql::<BigInt>(&apart(USED, " + 0")).le(since.seconds())),
        }
    }

    fn sorted<'q>(&self, query: Query<'q>) -> Query<'q> {
        let part = self.branch.part;
        let place = self.request.from.place().filter(|place| self.request.stands_in(place, part));
        match self.request.sort.by {
            Order::Created => self.by_id(query, place),
            Order::Name | Order::State => {
                let name = self.in_index("api_tokens.search", " || ''");
                match place {
                    Some(place) => self.ordered(self.beyond_name(query, &name, place), &name),
                    None => self.ordered(query, &name),
                }
            }
            Order::LastUse => self.by_moment(query, USED, place.cloned()),
            Order::End => match self.branch.inactivity {
                Some(inactivity) => {
                    let last_use = |end: &Place| Place {
                        seconds: end.seconds.saturating_sub(inactivity.seconds()),
                        ..end.clone()
                    };
                    self.by_moment(query, USED, place.map(last_use))
                }
                None => self.by_moment(query, part.end(), place.cloned()),
            },
        }
    }

    fn by_moment<'q>(&self, query: Query<'q>, moment: &str, place: Option<Place>) -> Query<'q> {
        let moment = self.in_index(moment, " + 0");
        match place {
            Some(place) => self.ordered(self.beyond_moment(query, &moment, &place), &moment),
            None => self.ordered(query, &moment),
        }
    }

    fn by_id<'q>(&self, query: Query<'q>, place: Option<&Place>) -> Query<'q> {
        // Due tokens are few rows of an index, which the planner must not leave for another one.
        let id = if matches!(self.branch.part, Part::Due) { "+api_tokens.id" } else { "api_tokens.id" };
        let [operator, direction] = self.direction();
        let query = match place {
            Some(place) => query.filter(sql::<Bool>(&format!("{id} {operator} ")).bind::<BigInt, _>(place.id).sql("")),
            None => query,
        };
        query.order(sql::<BigInt>(&format!("{id} {direction}")))
    }

    fn ordered<'q>(&self, query: Query<'q>, by: &str) -> Query<'q> {
        let [_, direction] = self.direction();
        query.order(sql::<BigInt>(&format!("{by} {direction}, {id} {direction}", id = self.id())))
    }

    /// Adds the condition for tokens after or before a position. The first condition is where the index scan begins;
    /// the second one separates equal values.
    fn beyond_moment<'q>(&self, query: Query<'q>, moment: &str, Place { seconds, id, .. }: &Place) -> Query<'q> {
        let [operator, _] = self.direction();
        query.filter(sql::<Bool>(&format!("{moment} {operator}= ")).bind::<BigInt, _>(*seconds).sql("")).filter(
            sql::<Bool>(&format!("({moment} {operator} "))
                .bind::<BigInt, _>(*seconds)
                .sql(&format!(" OR {id} {operator} ", id = self.id()))
                .bind::<BigInt, _>(*id)
                .sql(")"),
        )
    }

    /// Adds the same condition for a name.
    fn beyond_name<'q>(&self, query: Query<'q>, by: &str, Place { name, id, .. }: &Place) -> Query<'q> {
        let [operator, _] = self.direction();
        query.filter(sql::<Bool>(&format!("{by} {operator}= ")).bind::<Text, _>(name.clone()).sql("")).filter(
            sql::<Bool>(&format!("({by} {operator} "))
                .bind::<Text, _>(name.clone())
                .sql(&format!(" OR {id} {operator} ", id = self.id()))
                .bind::<BigInt, _>(*id)
                .sql(")"),
        )
    }

    /// Returns the condition that a time is set. It selects the index over ended tokens, unless another one is to be
    /// used.
    fn is_there(&self, moment: &str) -> String {
        format!("{} IS NOT NULL", self.in_index(moment, " + 0"))
    }

    /// Returns the id, as in the index that is read.
    fn id(&self) -> &'static str {
        if self.reads_uses() { "token_uses.token_id" } else { "api_tokens.id" }
    }

    const fn direction(&self) -> [&'static str; 2] {
        if self.request.reads_upwards() { [">", "ASC"] } else { ["<", "DESC"] }
    }

    /// Returns an expression as in its index, or hides it from every index if the few tokens of one owner are read and
    /// sorted instead.
    fn in_index(&self, expression: &str, nothing: &str) -> String {
        match self.branch.owner {
            Some(_) => apart(expression, nothing),
            None => expression.to_owned(),
        }
    }
}

/// The last use of a token or its creation, as in the indexes.
const USED: &str = "token_uses.idle_since";

/// Returns an expression with the same value that no index has. Otherwise SQLite, which has no statistics, would use an
/// index over all tokens because of its order, although another one has the few rows that are needed.
fn apart(expression: &str, nothing: &str) -> String {
    format!("({expression}{nothing})")
}

fn listed((key, (public_id, label, kind, scope), _, owner, service_user): Row) -> Result<Listed> {
    let owner = owner.map(|(id, name, email)| Owner { id: UserId(id), name, email });
    let (public_id, label) = service_user.unwrap_or((public_id, label));
    Ok(Listed {
        public_id,
        label,
        kind: expect_column(TokenKind::from_key(&kind), &kind)?,
        scope: expect_column(Scope::from_key(&scope), &scope)?,
        owner,
        key: key.facts()?,
    })
}

/// Returns the time before which the last use of a token must be for it to count as unused for so many days.
pub const fn idle_for(days: i64, now: Timestamp) -> Timestamp {
    now.plus(-days * DAY)
}

/// Returns those of these tokens that still exist, by public id, and whether each belongs to a service user.
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
