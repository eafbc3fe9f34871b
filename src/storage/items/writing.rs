//! Creating, changing and deleting items.
//!
//! Each writes when it happened: never before what was written earlier for the same organization and kind, so that
//! whoever asks for what was changed since then misses nothing. The organization must be locked.

use super::counts::{self, Spot};
use crate::{
    AnyConnection, Result,
    schema::{item_contents, items},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{
    access::{SiteId, SubjectId},
    item::{Contents, ExternalId, Item, ItemId, ItemKind},
    organization::OrganizationId,
    text,
    time::Timestamp,
};

/// An item to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewItem<'a> {
    /// Its public id.
    pub public_id: &'a str,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its kind.
    pub kind: &'a ItemKind,
    /// Its external id.
    pub external_id: Option<&'a ExternalId>,
    /// Its name.
    pub name: &'a str,
    /// Its owner.
    pub owner: Option<SubjectId>,
    /// The site that it is at.
    pub site: Option<SiteId>,
    /// The template of an inspection.
    pub template: Option<ItemId>,
    /// When an inspection was finished.
    pub finished_at: Option<Timestamp>,
    /// What it holds.
    pub contents: &'a Contents,
}

const fn owners(owner: Option<SubjectId>) -> (Option<i64>, Option<i64>) {
    match owner {
        None => (None, None),
        Some(SubjectId::Membership(id)) => (Some(id.0), None),
        Some(SubjectId::ServiceUser(id)) => (None, Some(id.0)),
    }
}

/// Creates an item.
///
/// # Errors
/// When the database fails; [`crate::StorageError::is_duplicate`] if another item of the organization and kind has the
/// external id.
pub fn insert(connection: &mut AnyConnection, new: &NewItem<'_>, now: Timestamp) -> Result<ItemId> {
    let now = moment(connection, new.organization, new.kind, now)?;
    let spot = Spot { is_archived: false, site: new.site.map(|site| site.0) };
    counts::add(connection, new.organization, new.kind, spot, 1)?;
    let (member, service_user) = owners(new.owner);
    let id: i64 = diesel::insert_into(items::table)
        .values((
            items::public_id.eq(new.public_id),
            items::organization_id.eq(new.organization.0),
            items::kind.eq(new.kind.key()),
            items::external_id.eq(new.external_id.map(ExternalId::as_str)),
            items::name.eq(new.name),
            items::search.eq(text::searchable(new.name)),
            items::owner_membership_id.eq(member),
            items::owner_service_user_id.eq(service_user),
            items::site_id.eq(new.site.map(|site| site.0)),
            items::template_id.eq(new.template.map(|template| template.0)),
            items::finished_at.eq(new.finished_at.map(Timestamp::seconds)),
            items::version.eq(1),
            items::created_at.eq(now.seconds()),
            items::modified_at.eq(now.seconds()),
        ))
        .returning(items::id)
        .get_result(connection)?;
    diesel::insert_into(item_contents::table)
        .values((
            item_contents::item_id.eq(id),
            item_contents::description.eq(&new.contents.description),
            item_contents::form.eq(form_text(new.kind, new.contents)),
            item_contents::answers.eq(new.contents.answers.to_json()),
        ))
        .execute(connection)?;
    Ok(ItemId(id))
}

/// Returns the form that an item has itself, as it is stored.
fn form_text(kind: &ItemKind, contents: &Contents) -> String {
    if kind.is_templates() || kind.is_inspections() { contents.form.to_json() } else { String::new() }
}

/// Makes a stored item what `item` says, whose version is that of the row; and its contents, if they change. Kind,
/// organization and template stay. Returns false if the item was changed or deleted meanwhile.
///
/// # Errors
/// As [`insert`].
pub fn update(
    connection: &mut AnyConnection,
    item: &Item,
    contents: Option<&Contents>,
    now: Timestamp,
) -> Result<bool> {
    let now = moment(connection, item.organization, &item.kind, now)?;
    let (member, service_user) = owners(item.owner);
    let this = items::table.find(item.id.0).filter(items::version.eq(item.version));
    let before: Option<(Option<i64>, Option<i64>)> =
        this.select((items::archived_at, items::site_id)).get_result(connection).optional()?;
    let updated = diesel::update(items::table.find(item.id.0).filter(items::version.eq(item.version)))
        .set((
            items::external_id.eq(item.external_id.as_ref().map(ExternalId::as_str)),
            items::name.eq(&item.name),
            items::search.eq(text::searchable(&item.name)),
            items::owner_membership_id.eq(member),
            items::owner_service_user_id.eq(service_user),
            items::site_id.eq(item.site.map(|site| site.0)),
            items::archived_at.eq(item.archived_at.map(Timestamp::seconds)),
            items::finished_at.eq(item.finished_at.map(Timestamp::seconds)),
            items::version.eq(items::version + 1),
            items::modified_at.eq(now.seconds()),
        ))
        .execute(connection)?;
    if let (Some((archived_at, site)), 1) = (before, updated) {
        let before = Spot { is_archived: archived_at.is_some(), site };
        let after = Spot { is_archived: item.archived_at.is_some(), site: item.site.map(|site| site.0) };
        counts::relocate(connection, item.organization, &item.kind, before, after)?;
    }
    if let Some(contents) = contents.filter(|_| updated == 1) {
        diesel::update(item_contents::table.find(item.id.0))
            .set((
                item_contents::description.eq(&contents.description),
                item_contents::form.eq(form_text(&item.kind, contents)),
                item_contents::answers.eq(contents.answers.to_json()),
            ))
            .execute(connection)?;
    }
    Ok(updated == 1)
}

/// Deletes an item with its shares, and the access rules of a template. Inspections of a template stay, of none.
pub fn delete(connection: &mut AnyConnection, item: &Item, now: Timestamp) -> Result<()> {
    if item.kind.is_templates() {
        forget(connection, "template_id", item.id.0, now)?;
    }
    let before: Option<(Option<i64>, Option<i64>)> = diesel::delete(items::table.find(item.id.0))
        .returning((items::archived_at, items::site_id))
        .get_result(connection)
        .optional()?;
    match before {
        Some((archived_at, site)) => {
            let spot = Spot { is_archived: archived_at.is_some(), site };
            counts::add(connection, item.organization, &item.kind, spot, -1)
        }
        None => Ok(()),
    }
}

/// Takes everything that somebody owns from them: it stays, owned by nobody.
pub fn disown(connection: &mut AnyConnection, owner: SubjectId, now: Timestamp) -> Result<()> {
    match owner {
        SubjectId::Membership(id) => forget(connection, "owner_membership_id", id.0, now),
        SubjectId::ServiceUser(id) => forget(connection, "owner_service_user_id", id.0, now),
    }
}

/// Takes the items at a site away from it, which is deleted.
pub fn leave_site(connection: &mut AnyConnection, site: SiteId, now: Timestamp) -> Result<()> {
    forget(connection, "site_id", site.0, now)?;
    counts::leave_site(connection, site)
}

#[derive(QueryableByName)]
struct Sort {
    #[diesel(sql_type = BigInt)]
    organization_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// Removes a row that is going from this column of all items.
fn forget(connection: &mut AnyConnection, column: &str, id: i64, now: Timestamp) -> Result<()> {
    let sorts: Vec<Sort> = sql_query(format!("SELECT DISTINCT organization_id, kind FROM items WHERE {column} = $1"))
        .bind::<BigInt, _>(id)
        .load(connection)?;
    for Sort { organization_id, kind } in sorts {
        let Some(of) = ItemKind::parse(&kind) else { continue };
        let now = moment(connection, OrganizationId(organization_id), &of, now)?;
        sql_query(format!(
            "UPDATE items SET {column} = NULL, version = version + 1, modified_at = $1 \
             WHERE {column} = $2 AND organization_id = $3 AND kind = $4"
        ))
        .bind::<BigInt, _>(now.seconds())
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(organization_id)
        .bind::<Text, _>(kind)
        .execute(connection)?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Nullable<BigInt>)]
    at: Option<i64>,
}

/// Returns when a change happens, of which the clock says `now`.
fn moment(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: &ItemKind,
    now: Timestamp,
) -> Result<Timestamp> {
    let newest = |state: u8| {
        format!(
            "SELECT max(modified_at) AS at FROM items WHERE organization_id = $1 AND kind = $2 \
             AND (CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END) = {state}"
        )
    };
    let all = format!("SELECT max(at) AS at FROM ({} UNION ALL {}) AS newest", newest(0), newest(1));
    let newest: Newest =
        sql_query(all).bind::<BigInt, _>(organization.0).bind::<Text, _>(kind.key()).get_result(connection)?;
    Ok(newest.at.map_or(now, |at| now.max(Timestamp::from_seconds(at))))
}
