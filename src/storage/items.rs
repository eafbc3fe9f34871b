//! Items: found, listed and counted within what a subject reaches ([`Reachable`]), created, changed and deleted.

mod counts;
mod names;
mod writing;

pub use names::{Named, Names, names};
pub use writing::{NewItem, delete, disown, insert, leave_site, update};

use super::{
    AnyConnection, Result, StorageError,
    access::{Asked, Counting, Direction, Filter, Known, Reachable, level_of},
    connection::MultiBackend,
    expect_column,
    schema::{item_contents, items},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer, Text},
};
use domain::{
    access::{Level, SiteId, SubjectId},
    field::{Answers, Form},
    item::{Contents, ExternalId, Item, ItemId, ItemKind, Place},
    organization::{MembershipId, OrganizationId, ServiceUserId},
    paging::PageFrom,
    time::Timestamp,
};
use std::collections::HashMap;

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = items)]
struct Row {
    id: i64,
    public_id: String,
    organization_id: i64,
    kind: String,
    external_id: Option<String>,
    name: String,
    owner_membership_id: Option<i64>,
    owner_service_user_id: Option<i64>,
    site_id: Option<i64>,
    template_id: Option<i64>,
    archived_at: Option<i64>,
    finished_at: Option<i64>,
    version: i64,
    created_at: i64,
    modified_at: i64,
}

#[derive(QueryableByName)]
struct Reached {
    #[diesel(embed)]
    item: Row,
    #[diesel(sql_type = Integer)]
    level: i32,
}

#[derive(QueryableByName)]
struct LevelRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    level: i32,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct SidesRow {
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    after: i64,
    #[diesel(sql_type = BigInt)]
    before: i64,
}

impl Row {
    fn item(self) -> Result<Item> {
        let member = self.owner_membership_id.map(|id| SubjectId::Membership(MembershipId(id)));
        let service_user = self.owner_service_user_id.map(|id| SubjectId::ServiceUser(ServiceUserId(id)));
        Ok(Item {
            id: ItemId(self.id),
            public_id: self.public_id,
            organization: OrganizationId(self.organization_id),
            kind: expect_column(ItemKind::parse(&self.kind), &self.kind)?,
            external_id: match self.external_id {
                Some(id) => Some(expect_column(ExternalId::parse(&id).ok(), &id)?),
                None => None,
            },
            name: self.name,
            owner: member.or(service_user),
            site: self.site_id.map(SiteId),
            template: self.template_id.map(ItemId),
            archived_at: self.archived_at.map(Timestamp::from_seconds),
            finished_at: self.finished_at.map(Timestamp::from_seconds),
            version: self.version,
            created_at: Timestamp::from_seconds(self.created_at),
            modified_at: Timestamp::from_seconds(self.modified_at),
        })
    }
}

impl Reached {
    fn item(self) -> Result<(Item, Level)> {
        Ok((self.item.item()?, level_of(self.level)?))
    }
}

/// Returns an item of the kind by its public id, and the level that the subject has on it; `None` if it reaches none.
pub fn find(connection: &mut AnyConnection, reachable: &Reachable, public_id: &str) -> Result<Option<(Item, Level)>> {
    let row: Option<Row> = items::table
        .filter(items::public_id.eq(public_id).and(items::kind.eq(reachable.kind().key())))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    with_level(connection, reachable, row.map(Row::item).transpose()?)
}

/// Returns the same by the external id that an item has in an organization.
pub fn find_external(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    organization: OrganizationId,
    id: &ExternalId,
) -> Result<Option<(Item, Level)>> {
    let found = own_external(connection, organization, reachable.kind(), id)?;
    with_level(connection, reachable, found)
}

/// Returns an item of an organization by its public id, whoever reaches it.
pub fn own(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    public_id: &str,
) -> Result<Option<Item>> {
    let row: Option<Row> = items::table
        .filter(items::public_id.eq(public_id).and(items::kind.eq(kind.key())))
        .filter(items::organization_id.eq(organization.0))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    row.map(Row::item).transpose()
}

/// Returns the same by its external id.
pub fn own_external(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    id: &ExternalId,
) -> Result<Option<Item>> {
    let row: Option<Row> = items::table
        .filter(items::organization_id.eq(organization.0).and(items::kind.eq(kind.key())))
        .filter(items::external_id.eq(id.as_str()))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    row.map(Row::item).transpose()
}

fn with_level(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    found: Option<Item>,
) -> Result<Option<(Item, Level)>> {
    let Some(item) = found else { return Ok(None) };
    let level = levels(connection, reachable, &[item.id])?.remove(&item.id);
    Ok(level.map(|level| (item, level)))
}

/// Returns the levels that a subject has on those of these items that it reaches.
pub fn levels(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Level>> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<LevelRow> = load(connection, reachable.among(items))?;
    rows.into_iter().map(|row| Ok((ItemId(row.id), level_of(row.level)?))).collect()
}

/// Lists the items that a subject reaches, each with its level, at most `limit`, in the order in which they are read:
/// before a place, the nearest comes first.
pub fn page(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    filter: &Filter,
    direction: Direction,
    from: &PageFrom<Place>,
    limit: i64,
) -> Result<Vec<(Item, Level)>> {
    let direction = match (from, direction) {
        (PageFrom::Start | PageFrom::After(_), direction) => direction,
        (PageFrom::Before(_), Direction::Ascending) => Direction::Descending,
        (PageFrom::Before(_), Direction::Descending) => Direction::Ascending,
    };
    let Asked { sql, bound } = reachable.page(connection, filter, direction, from.place().copied(), limit)?;
    let order = match direction {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    };
    let sql = format!(
        "SELECT items.*, reached.level FROM ({sql}) AS reached CROSS JOIN items WHERE items.id = reached.id \
         ORDER BY items.modified_at{order}, items.id{order}"
    );
    let rows: Vec<Reached> = load(connection, Asked { sql, bound })?;
    rows.into_iter().map(Reached::item).collect()
}

/// How many items are read at first to count them.
const FEW: i64 = 1_000;

/// Counts the items that a subject reaches in a list, after `from` in its direction.
pub fn count(
    connection: &mut AnyConnection,
    reachable: &Reachable,
    filter: &Filter,
    direction: Direction,
    from: Option<Place>,
) -> Result<i64> {
    let known = match reachable.counting(connection, filter, direction, from)? {
        Counting::Read(asked) => return number(connection, asked),
        Counting::Known(known) => known,
    };
    let mut most = FEW;
    let left = loop {
        let sides: Vec<SidesRow> = load(connection, known.asked(most))?;
        let Some(SidesRow { total, after, before }) = sides.first() else { break 0 };
        match Known::left(*total, *after, *before, most) {
            Some(left) => break left,
            // The place is far from both ends.
            None => most *= 16,
        }
    };
    Ok(left + known.others.map_or(Ok(0), |others| number(connection, others))?)
}

fn number(connection: &mut AnyConnection, asked: Asked) -> Result<i64> {
    let rows: Vec<CountRow> = load(connection, asked)?;
    Ok(rows.first().map_or(0, |row| row.count))
}

fn load<T>(connection: &mut AnyConnection, Asked { sql, bound }: Asked) -> Result<Vec<T>>
where
    T: QueryableByName<MultiBackend> + 'static,
{
    let mut query = sql_query(sql).into_boxed::<MultiBackend>();
    for text in bound {
        query = query.bind::<Text, _>(text);
    }
    Ok(query.load(connection)?)
}

/// Returns items of any kind and organization by row, whoever reaches them, for those who have found out that somebody
/// does.
pub fn these(connection: &mut AnyConnection, ids: &[ItemId]) -> Result<Vec<Item>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = items::table.filter(items::id.eq_any(ids)).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(Row::item).collect()
}

/// Returns what an item holds. `of_kind` is the form of its kind, if that is its form.
pub fn contents(connection: &mut AnyConnection, id: ItemId, of_kind: &Form) -> Result<Contents> {
    let stored: Stored = item_contents::table
        .find(id.0)
        .select((item_contents::description, item_contents::form, item_contents::answers))
        .get_result(connection)?;
    read_contents(id, stored, of_kind)
}

/// What an item holds, as it is stored: description, form and answers.
type Stored = (String, String, String);

/// Returns what these items hold, read at once, in the same order; `None` for one that was deleted meanwhile. `of_kind`
/// returns the form of the kind of each.
pub fn contents_of<'a, 'f>(
    connection: &mut AnyConnection,
    items: impl Iterator<Item = &'a Item> + Clone,
    of_kind: impl Fn(&Item) -> &'f Form,
) -> Result<Vec<Option<Contents>>> {
    let ids: Vec<i64> = items.clone().map(|item| item.id.0).collect();
    let rows: Vec<(i64, String, String, String)> = item_contents::table
        .filter(item_contents::item_id.eq_any(ids))
        .select((item_contents::item_id, item_contents::description, item_contents::form, item_contents::answers))
        .load(connection)?;
    let mut stored: HashMap<i64, Stored> =
        rows.into_iter().map(|(id, description, form, answers)| (id, (description, form, answers))).collect();
    items
        .map(|item| {
            let held = stored.remove(&item.id.0);
            held.map(|held| read_contents(item.id, held, of_kind(item))).transpose()
        })
        .collect()
}

fn read_contents(id: ItemId, (description, form, answers): Stored, of_kind: &Form) -> Result<Contents> {
    let unread = |error: &dyn std::fmt::Display| StorageError::Row(format!("item {}: {error}", id.0));
    let own = match form.as_str() {
        "" => None,
        form => Some(Form::from_json(form).map_err(|error| unread(&error))?),
    };
    let answers = Answers::from_json(own.as_ref().unwrap_or(of_kind), &answers).map_err(|error| unread(&error))?;
    Ok(Contents { description, form: own.unwrap_or_default(), answers })
}

/// Counts the items of a kind of an organization, at a site and below it or of a template if they are given, until there
/// are `most`.
pub fn count_some(
    connection: &mut AnyConnection,
    (organization, kind): (OrganizationId, &ItemKind),
    site: Option<SiteId>,
    template: Option<ItemId>,
    most: i64,
) -> Result<i64> {
    let mut conditions = vec![format!("i.organization_id = {} AND i.kind = '{}'", organization.0, kind.key())];
    conditions.extend(
        site.map(|site| format!("i.site_id IN (SELECT site_id FROM site_ancestors WHERE ancestor_id = {})", site.0)),
    );
    conditions.extend(template.map(|template| format!("i.template_id = {}", template.0)));
    let some = format!("SELECT 1 FROM items i WHERE {} LIMIT {most}", conditions.join(" AND "));
    let sql = format!("SELECT count(*) AS count FROM ({some}) AS some_items");
    let rows: Vec<CountRow> = load(connection, Asked { sql, bound: Vec::new() })?;
    Ok(rows.first().map_or(0, |row| row.count))
}

/// Lists the items of a kind of an organization that are not archived, whoever reaches them, the one that was changed
/// last first, at most `limit`.
pub fn newest(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    limit: i64,
) -> Result<Vec<Item>> {
    let rows: Vec<Row> = items::table
        .filter(items::organization_id.eq(organization.0).and(items::kind.eq(kind.key())))
        .filter(items::archived_at.is_null())
        .order((items::modified_at.desc(), items::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(Row::item).collect()
}

/// Returns whether an organization has any item of a kind.
pub fn has_any(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind) -> Result<bool> {
    let all = items::table.filter(items::organization_id.eq(organization.0).and(items::kind.eq(kind.key())));
    Ok(diesel::select(diesel::dsl::exists(all)).get_result(connection)?)
}

/// Returns whether there is any inspection of a template, in any organization.
pub fn is_used(connection: &mut AnyConnection, template: ItemId) -> Result<bool> {
    let all = items::table.filter(items::template_id.eq(template.0));
    Ok(diesel::select(diesel::dsl::exists(all)).get_result(connection)?)
}
