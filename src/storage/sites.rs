//! Sites: what each is in, and what is below it.

use super::{
    AnyConnection, Result,
    connection::MultiBackend,
    patterns,
    schema::{site_ancestors, site_members, sites},
};
use diesel::{
    dsl::{count, count_star, max},
    prelude::*,
    sql_query,
    sql_types::{BigInt, SmallInt},
};
use domain::{
    organization::{MembershipId, OrganizationId},
    paging::{ByName, PageFrom},
    site::{CountedSite, People, Site, SiteId},
    text,
    time::Timestamp,
};
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sites)]
struct Row {
    id: i64,
    public_id: String,
    name: String,
    parent_id: Option<i64>,
    level: i16,
    created_at: i64,
    version: i64,
}

impl From<Row> for Site {
    fn from(Row { id, public_id, name, parent_id, level, created_at, version }: Row) -> Self {
        let created_at = Timestamp::from_seconds(created_at);
        Self { id: SiteId(id), public_id, name, parent: parent_id.map(SiteId), level, created_at, version }
    }
}

/// Lists all sites of an organization by name, whatever they are in.
pub fn all(connection: &mut AnyConnection, organization: OrganizationId) -> Result<Vec<CountedSite>> {
    let rows: Vec<Row> = sites::table
        .filter(sites::organization_id.eq(organization.0))
        .order((sites::search, sites::id))
        .select(Row::as_select())
        .load(connection)?;
    counted(connection, rows)
}

/// Lists the sites of an organization with all of these words in their name, by name, at most `limit`. A page is read
/// by key through an index.
pub fn list(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    words: &str,
    from: &PageFrom<ByName>,
    limit: i64,
) -> Result<Vec<CountedSite>> {
    let mut query = sites::table
        .filter(sites::organization_id.eq(organization.0))
        .order((sites::search, sites::id))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed::<MultiBackend>();
    for pattern in patterns(words) {
        query = query.filter(sites::search.like(pattern).escape('\\'));
    }
    if let Some(ByName { search, id }) = from.place().cloned() {
        query = query.filter(sites::search.ge(search.clone()).and(sites::search.gt(search).or(sites::id.gt(id))));
    }
    let rows = query.load(connection)?;
    counted(connection, rows)
}

/// Counts the people of all these sites in two queries.
fn counted(connection: &mut AnyConnection, rows: Vec<Row>) -> Result<Vec<CountedSite>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let here: HashMap<i64, i64> = site_members::table
        .filter(site_members::site_id.eq_any(&ids))
        .group_by(site_members::site_id)
        .select((site_members::site_id, count_star()))
        .load(connection)?
        .into_iter()
        .collect();
    let in_all: HashMap<i64, i64> = site_ancestors::table
        .inner_join(site_members::table.on(site_members::site_id.eq(site_ancestors::site_id)))
        .filter(site_ancestors::ancestor_id.eq_any(&ids))
        .group_by(site_ancestors::ancestor_id)
        .select((site_ancestors::ancestor_id, count(site_members::membership_id).aggregate_distinct()))
        .load(connection)?
        .into_iter()
        .collect();
    let count = |counts: &HashMap<i64, i64>, id| counts.get(&id).copied().unwrap_or(0);
    let counted = |row: Row| CountedSite {
        people: People { here: count(&here, row.id), in_all: count(&in_all, row.id) },
        site: row.into(),
    };
    Ok(rows.into_iter().map(counted).collect())
}

/// Returns the site of an organization with this public id; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
) -> Result<Option<CountedSite>> {
    let found: Option<Row> = sites::table
        .filter(sites::organization_id.eq(organization.0).and(sites::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    Ok(counted(connection, found.into_iter().collect())?.pop())
}

/// Lists the sites that a site is in, the outermost first, without itself.
pub fn above(connection: &mut AnyConnection, id: SiteId) -> Result<Vec<Site>> {
    let rows: Vec<Row> = site_ancestors::table
        .inner_join(sites::table.on(sites::id.eq(site_ancestors::ancestor_id)))
        .filter(site_ancestors::site_id.eq(id.0).and(site_ancestors::ancestor_id.ne(id.0)))
        .order(sites::level)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Site::from).collect())
}

/// Returns the public ids of these sites.
pub fn public_ids(connection: &mut AnyConnection, ids: &[SiteId]) -> Result<Vec<(SiteId, String)>> {
    let rows: Vec<(i64, String)> = sites::table
        .filter(sites::id.eq_any(ids.iter().map(|id| id.0).collect::<Vec<_>>()))
        .select((sites::id, sites::public_id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, public_id)| (SiteId(id), public_id)).collect())
}

/// Lists the sites directly in a site, by name.
pub fn inside(connection: &mut AnyConnection, id: SiteId) -> Result<Vec<CountedSite>> {
    let rows: Vec<Row> = sites::table
        .filter(sites::parent_id.eq(id.0))
        .order((sites::search, sites::id))
        .select(Row::as_select())
        .load(connection)?;
    counted(connection, rows)
}

/// Returns how many levels of sites are below a site.
pub fn levels_below(connection: &mut AnyConnection, site: &Site) -> Result<i16> {
    let deepest: Option<i16> = site_ancestors::table
        .inner_join(sites::table.on(sites::id.eq(site_ancestors::site_id)))
        .filter(site_ancestors::ancestor_id.eq(site.id.0))
        .select(max(sites::level))
        .get_result(connection)?;
    Ok(deepest.map_or(0, |deepest| deepest - site.level))
}

/// Returns whether a site is another one, or below it.
pub fn is_in(connection: &mut AnyConnection, id: SiteId, other: SiteId) -> Result<bool> {
    let way = site_ancestors::table.find((id.0, other.0));
    Ok(diesel::select(diesel::dsl::exists(way)).get_result(connection)?)
}

/// Lists the sites to which a member is assigned, by name.
pub fn of_member(connection: &mut AnyConnection, member: MembershipId) -> Result<Vec<Site>> {
    let rows: Vec<Row> = site_members::table
        .inner_join(sites::table.on(sites::id.eq(site_members::site_id)))
        .filter(site_members::membership_id.eq(member.0))
        .order((sites::search, sites::id))
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Site::from).collect())
}

/// Returns how many sites an organization has.
pub fn count_all(connection: &mut AnyConnection, organization: OrganizationId) -> Result<i64> {
    Ok(sites::table.filter(sites::organization_id.eq(organization.0)).count().get_result(connection)?)
}

/// Returns whether another site than `own` in the same place has this name, ignoring case.
pub fn is_taken(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    parent: Option<SiteId>,
    name: &str,
    own: Option<SiteId>,
) -> Result<bool> {
    let others = sites::table
        .filter(sites::organization_id.eq(organization.0).and(sites::name_folded.eq(text::fold(name))))
        .filter(sites::id.ne(own.map_or(0, |own| own.0)))
        .into_boxed::<MultiBackend>();
    let others = match parent {
        Some(parent) => others.filter(sites::parent_id.eq(parent.0)),
        None => others.filter(sites::parent_id.is_null()),
    };
    Ok(others.count().get_result::<i64>(connection)? > 0)
}

/// A site to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewSite<'a> {
    /// Its public id.
    pub public_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The site that it is in.
    pub parent: Option<SiteId>,
    /// Its level.
    pub level: i16,
}

/// Creates a site.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if the name is taken there.
pub fn insert(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    new: NewSite<'_>,
    now: Timestamp,
) -> Result<()> {
    let id: i64 = diesel::insert_into(sites::table)
        .values((
            sites::public_id.eq(new.public_id),
            sites::organization_id.eq(organization.0),
            sites::parent_id.eq(new.parent.map(|parent| parent.0)),
            sites::level.eq(new.level),
            sites::name.eq(new.name),
            sites::name_folded.eq(text::fold(new.name)),
            sites::search.eq(text::searchable(new.name)),
            sites::created_at.eq(now.seconds()),
            sites::version.eq(1),
        ))
        .returning(sites::id)
        .get_result(connection)?;
    diesel::insert_into(site_ancestors::table)
        .values((site_ancestors::site_id.eq(id), site_ancestors::ancestor_id.eq(id)))
        .execute(connection)?;
    match new.parent {
        Some(parent) => hang(connection, SiteId(id), parent),
        None => Ok(()),
    }
}

/// Puts a site with all below it, which is in nothing, into another one.
fn hang(connection: &mut AnyConnection, id: SiteId, parent: SiteId) -> Result<()> {
    sql_query(
        "INSERT INTO site_ancestors (site_id, ancestor_id) SELECT below.site_id, above.ancestor_id \
         FROM site_ancestors below CROSS JOIN site_ancestors above WHERE below.ancestor_id = $1 AND above.site_id = $2",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<BigInt, _>(parent.0)
    .execute(connection)?;
    Ok(())
}

/// Changes the name of a site.
pub fn rename(connection: &mut AnyConnection, id: SiteId, name: &str) -> Result<()> {
    diesel::update(sites::table.find(id.0))
        .set((
            sites::name.eq(name),
            sites::name_folded.eq(text::fold(name)),
            sites::search.eq(text::searchable(name)),
            sites::version.eq(sites::version + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Moves a site with all below it to another place, where it has this level. The place must not be the site itself, nor
/// below it.
pub fn relocate(connection: &mut AnyConnection, site: &Site, parent: Option<SiteId>, level: i16) -> Result<()> {
    let below = "SELECT site_id FROM site_ancestors WHERE ancestor_id = $1";
    sql_query(format!("DELETE FROM site_ancestors WHERE site_id IN ({below}) AND ancestor_id NOT IN ({below})"))
        .bind::<BigInt, _>(site.id.0)
        .execute(connection)?;
    if let Some(parent) = parent {
        hang(connection, site.id, parent)?;
    }
    // SQLite numbers values in the order in which a statement names them.
    let below = below.replace("$1", "$2");
    sql_query(format!("UPDATE sites SET level = level + $1 WHERE id IN ({below})"))
        .bind::<SmallInt, _>(level - site.level)
        .bind::<BigInt, _>(site.id.0)
        .execute(connection)?;
    diesel::update(sites::table.find(site.id.0))
        .set((sites::parent_id.eq(parent.map(|parent| parent.0)), sites::version.eq(sites::version + 1)))
        .execute(connection)?;
    Ok(())
}

/// Deletes a site that has no other one in it; nobody is assigned to it any more.
///
/// # Errors
/// When the database fails, including because there are sites in it.
pub fn delete(connection: &mut AnyConnection, id: SiteId) -> Result<()> {
    diesel::delete(sites::table.find(id.0)).execute(connection)?;
    Ok(())
}
