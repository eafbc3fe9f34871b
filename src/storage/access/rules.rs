//! The access rules that concern a subject.

use super::{cell::Cell, crosses};
use crate::{AnyConnection, Result, connection::MultiBackend, expect_column, schema::access_rules};
use diesel::{prelude::*, sql_types::Bool};
use domain::{
    access::{Level, Recipient, RecipientKind, SiteId, SubjectFacts},
    item::{ItemId, ItemKind},
    organization::OrganizationId,
};

/// Organization, site, template, kind of the recipient and level.
type Row = (i64, Option<i64>, Option<i64>, String, String);
/// A condition on rules.
type Condition = Box<dyn BoxableExpression<access_rules::table, MultiBackend, SqlType = Bool>>;

/// Reads the access rules for items of a kind that concern a subject.
pub fn concerning(connection: &mut AnyConnection, facts: &SubjectFacts, kind: &ItemKind) -> Result<Vec<Cell>> {
    let recipients: Vec<Recipient> = facts.recipients().collect();
    let mut named = access_rules::table
        .filter(access_rules::kind.eq(kind.key().to_owned()))
        .select((
            access_rules::organization_id,
            access_rules::site_id,
            access_rules::template_id,
            access_rules::recipient_kind,
            access_rules::level,
        ))
        .into_boxed::<MultiBackend>();
    let mut is_for: Option<Condition> = None;
    for kind in RecipientKind::ALL {
        let ids: Vec<i64> = recipients.iter().filter(|one| one.kind() == kind).map(|one| one.id()).collect();
        if ids.is_empty() {
            continue;
        }
        let of_kind = access_rules::recipient_kind.eq(kind.key()).and(access_rules::recipient_id.eq_any(ids));
        is_for = Some(match is_for {
            None => Box::new(of_kind),
            Some(others) => Box::new(others.or(of_kind)),
        });
    }
    if let Some(is_for) = is_for {
        named = named.filter(is_for);
    }
    let rows: Vec<Row> = named.load(connection)?;
    let mut cells = Vec::new();
    for (organization, site, template, recipient, level) in rows {
        let organization = OrganizationId(organization);
        let recipient = expect_column(RecipientKind::from_key(&recipient), &recipient)?;
        let is_home = organization == facts.organization;
        if is_home || (crosses(kind, recipient) && !facts.refused.contains(&organization)) {
            cells.push(Cell {
                organization,
                site: site.map(SiteId),
                template: template.map(ItemId),
                level: expect_column(Level::from_key(&level), &level)?,
            });
        }
    }
    Ok(cells)
}
