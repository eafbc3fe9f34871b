//! Access rules: levels on all items of a kind, or on some of them.

use super::{AnyConnection, Result, connection::MultiBackend, expect_column, schema::access_rules};
use diesel::prelude::*;
use domain::{
    access::{AccessRule, AccessRuleId, ItemFacts, Level, Recipient, RecipientKind, SiteId, StoredRule},
    item::{ItemId, ItemKind},
    organization::OrganizationId,
    time::Timestamp,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_rules)]
struct Row {
    id: i64,
    public_id: String,
    organization_id: i64,
    kind: String,
    site_id: Option<i64>,
    template_id: Option<i64>,
    recipient_kind: String,
    recipient_id: i64,
    outside_organization_id: Option<i64>,
    level: String,
    created_at: i64,
    created_by_name: String,
    version: i64,
}

impl Row {
    fn rule(self) -> Result<StoredRule> {
        let recipient = expect_column(RecipientKind::from_key(&self.recipient_kind), &self.recipient_kind)?;
        Ok(StoredRule {
            public_id: self.public_id,
            rule: AccessRule {
                id: AccessRuleId(self.id),
                organization: OrganizationId(self.organization_id),
                kind: expect_column(ItemKind::parse(&self.kind), &self.kind)?,
                site: self.site_id.map(SiteId),
                template: self.template_id.map(ItemId),
                recipient: Recipient::new(recipient, self.recipient_id),
                level: expect_column(Level::from_key(&self.level), &self.level)?,
            },
            outside: self.outside_organization_id.map(OrganizationId),
            created_at: Timestamp::from_seconds(self.created_at),
            made_by: self.created_by_name,
            version: self.version,
        })
    }
}

/// What an access rule says.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The kind.
    pub kind: ItemKind,
    /// Only items at this site and below it.
    pub site: Option<SiteId>,
    /// Only inspections of this template.
    pub template: Option<ItemId>,
    /// Who gets the level.
    pub recipient: Recipient,
    /// Their organization, if it is another one.
    pub outside: Option<OrganizationId>,
    /// The level.
    pub level: Level,
}

/// Lists the access rules of an organization, of one kind or of all, by kind, the oldest first.
pub fn list(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    kind: Option<&ItemKind>,
) -> Result<Vec<StoredRule>> {
    let mut rules = access_rules::table
        .filter(access_rules::organization_id.eq(organization.0))
        .order((access_rules::kind, access_rules::id))
        .select(Row::as_select())
        .into_boxed::<MultiBackend>();
    if let Some(kind) = kind {
        rules = rules.filter(access_rules::kind.eq(kind.key().to_owned()));
    }
    rules.load(connection)?.into_iter().map(Row::rule).collect()
}

/// Lists the access rules that cover an item, the oldest first.
pub fn covering(connection: &mut AnyConnection, item: &ItemFacts) -> Result<Vec<StoredRule>> {
    let sites: Vec<i64> = item.sites.iter().map(|site| site.0).collect();
    let template = item.template.map(|template| template.0);
    let rows: Vec<Row> = access_rules::table
        .filter(access_rules::organization_id.eq(item.organization.0).and(access_rules::kind.eq(item.kind.key())))
        .filter(access_rules::site_id.is_null().or(access_rules::site_id.eq_any(sites)))
        .filter(access_rules::template_id.is_null().or(access_rules::template_id.eq(template)))
        .order(access_rules::id)
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(Row::rule).collect()
}

/// Returns the access rule of an organization with this public id; `None` for one of another organization.
pub fn find(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
) -> Result<Option<StoredRule>> {
    let row: Option<Row> = access_rules::table
        .filter(access_rules::organization_id.eq(organization.0).and(access_rules::public_id.eq(public_id)))
        .select(Row::as_select())
        .get_result(connection)
        .optional()?;
    row.map(Row::rule).transpose()
}

/// Returns how many access rules an organization has.
pub fn count(connection: &mut AnyConnection, organization: OrganizationId) -> Result<i64> {
    let all = access_rules::table.filter(access_rules::organization_id.eq(organization.0));
    Ok(all.count().get_result(connection)?)
}

/// Returns the rule of an organization for the same items and the same recipient, whatever its level.
pub fn same(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    wanted: &Wanted,
) -> Result<Option<StoredRule>> {
    let mut rules = access_rules::table
        .filter(access_rules::organization_id.eq(organization.0))
        .filter(access_rules::kind.eq(wanted.kind.key().to_owned()))
        .filter(access_rules::recipient_kind.eq(wanted.recipient.kind().key()))
        .filter(access_rules::recipient_id.eq(wanted.recipient.id()))
        .select(Row::as_select())
        .into_boxed::<MultiBackend>();
    rules = match wanted.site {
        Some(site) => rules.filter(access_rules::site_id.eq(site.0)),
        None => rules.filter(access_rules::site_id.is_null()),
    };
    rules = match wanted.template {
        Some(template) => rules.filter(access_rules::template_id.eq(template.0)),
        None => rules.filter(access_rules::template_id.is_null()),
    };
    rules.get_result(connection).optional()?.map(Row::rule).transpose()
}

/// Creates an access rule.
///
/// # Errors
/// When the database fails; [`super::StorageError::is_duplicate`] if there is one for the same items and recipient.
pub fn insert(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    public_id: &str,
    wanted: &Wanted,
    made_by: &str,
    now: Timestamp,
) -> Result<()> {
    diesel::insert_into(access_rules::table)
        .values((
            access_rules::public_id.eq(public_id),
            access_rules::organization_id.eq(organization.0),
            access_rules::kind.eq(wanted.kind.key()),
            access_rules::site_id.eq(wanted.site.map(|site| site.0)),
            access_rules::template_id.eq(wanted.template.map(|template| template.0)),
            access_rules::recipient_kind.eq(wanted.recipient.kind().key()),
            access_rules::recipient_id.eq(wanted.recipient.id()),
            access_rules::outside_organization_id.eq(wanted.outside.map(|outside| outside.0)),
            access_rules::level.eq(wanted.level.key()),
            access_rules::created_at.eq(now.seconds()),
            access_rules::created_by_name.eq(made_by),
            access_rules::version.eq(1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Makes an access rule say something else.
///
/// # Errors
/// As [`insert`].
pub fn update(connection: &mut AnyConnection, id: AccessRuleId, wanted: &Wanted) -> Result<()> {
    diesel::update(access_rules::table.find(id.0))
        .set((
            access_rules::kind.eq(wanted.kind.key()),
            access_rules::site_id.eq(wanted.site.map(|site| site.0)),
            access_rules::template_id.eq(wanted.template.map(|template| template.0)),
            access_rules::recipient_kind.eq(wanted.recipient.kind().key()),
            access_rules::recipient_id.eq(wanted.recipient.id()),
            access_rules::outside_organization_id.eq(wanted.outside.map(|outside| outside.0)),
            access_rules::level.eq(wanted.level.key()),
            access_rules::version.eq(access_rules::version + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Deletes an access rule.
pub fn delete(connection: &mut AnyConnection, id: AccessRuleId) -> Result<()> {
    diesel::delete(access_rules::table.find(id.0)).execute(connection)?;
    Ok(())
}

/// Deletes all rules for a recipient, who is going.
pub fn forget(connection: &mut AnyConnection, recipient: Recipient) -> Result<()> {
    let with =
        access_rules::recipient_kind.eq(recipient.kind().key()).and(access_rules::recipient_id.eq(recipient.id()));
    diesel::delete(access_rules::table.filter(with)).execute(connection)?;
    Ok(())
}

/// Deletes all rules of an organization for items of a kind that is going.
pub fn forget_kind(connection: &mut AnyConnection, organization: OrganizationId, kind: &ItemKind) -> Result<()> {
    let of_kind = access_rules::organization_id.eq(organization.0).and(access_rules::kind.eq(kind.key()));
    diesel::delete(access_rules::table.filter(of_kind)).execute(connection)?;
    Ok(())
}
