//! How far subjects reach items that they name by external id: one query for many questions.
//!
//! [`super::Reachable`] first reads what a subject is, then finds items; that is right for lists, and four round trips too
//! many for whoever asks about each request to an API. So this says the same once more, for the subject's own
//! organization, in one statement; `tests/it/access.rs` compares both with brute force in the same worlds.

use super::{RANK, level_of, owns};
use crate::{AnyConnection, Result, connection::MultiBackend};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer, Text},
};
use domain::{
    access::{Level, RecipientKind, SubjectId},
    item::{ExternalId, ItemKind},
    organization::OrganizationId,
};

/// A question: which level a subject has on an item of its organization.
#[derive(Clone, Debug)]
pub struct LevelAsked {
    /// The subject.
    pub subject: SubjectId,
    /// Its organization.
    pub organization: OrganizationId,
    /// The kind of the item.
    pub kind: ItemKind,
    /// The external id of the item.
    pub external_id: ExternalId,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = BigInt)]
    question: i64,
    #[diesel(sql_type = Integer)]
    level: i32,
}

/// Answers each question, in order; `None` where there is no such item for the subject.
pub fn levels(connection: &mut AnyConnection, asked: &[LevelAsked]) -> Result<Vec<Option<Level>>> {
    let each: Vec<String> = (1..).zip(asked).map(|(number, one)| one.sql(number)).collect();
    let mut levels = vec![None; asked.len()];
    if each.is_empty() {
        return Ok(levels);
    }
    let mut query = sql_query(each.join(" UNION ALL ")).into_boxed::<MultiBackend>();
    for one in asked {
        query = query.bind::<Text, _>(one.external_id.as_str());
    }
    for Answer { question, level } in query.load::<Answer>(connection)? {
        let at = usize::try_from(question - 1).ok().and_then(|at| levels.get_mut(at));
        if let Some(at) = at {
            *at = Some(level_of(level)?);
        }
    }
    Ok(levels)
}

impl LevelAsked {
    /// Returns the query for the question with this number, whose external id is bound under it: one row, or none.
    fn sql(&self, number: i64) -> String {
        let Self { subject, organization, kind, .. } = self;
        let item = format!(
            "i.organization_id = {} AND i.kind = '{}' AND i.external_id = ${number}",
            organization.0,
            kind.key()
        );
        let (owns, shared, covered) = (owns(*subject), self.is_for("s"), self.is_for("r"));
        let of_rule = RANK.replace("s.", "r.");
        format!(
            "SELECT CAST({number} AS BIGINT) AS question, max(level) AS level FROM (\
             SELECT 3 AS level FROM items i WHERE {item} AND {owns} \
             UNION ALL \
             SELECT {RANK} FROM items i CROSS JOIN shares s WHERE {item} AND s.item_id = i.id AND {shared} \
             UNION ALL \
             SELECT {of_rule} FROM items i CROSS JOIN access_rules r \
             WHERE {item} AND r.organization_id = i.organization_id AND r.kind = i.kind \
             AND (r.site_id IS NULL OR r.site_id IN (SELECT a.ancestor_id FROM site_ancestors a WHERE a.site_id = i.site_id)) \
             AND (r.template_id IS NULL OR r.template_id = i.template_id) AND {covered}\
             ) AS ways HAVING max(level) IS NOT NULL"
        )
    }

    /// Returns the condition that a share or rule is for the subject.
    fn is_for(&self, table: &str) -> String {
        let is = |kind: RecipientKind, id: &str| {
            format!("({table}.recipient_kind = '{}' AND {table}.recipient_id {id})", kind.key())
        };
        let mut recipients = vec![is(RecipientKind::Organization, &format!("= {}", self.organization.0))];
        match self.subject {
            SubjectId::ServiceUser(id) => recipients.push(is(RecipientKind::ServiceUser, &format!("= {}", id.0))),
            SubjectId::Membership(id) => {
                let groups = format!("IN (SELECT g.group_id FROM group_members g WHERE g.membership_id = {})", id.0);
                let sites = format!(
                    "IN (SELECT below.site_id FROM site_members m CROSS JOIN site_ancestors below \
                     WHERE m.membership_id = {} AND below.ancestor_id = m.site_id)",
                    id.0
                );
                recipients.push(is(RecipientKind::User, &format!("= {}", id.0)));
                recipients.push(is(RecipientKind::Group, &groups));
                recipients.push(is(RecipientKind::Site, &sites));
            }
        }
        format!("({})", recipients.join(" OR "))
    }
}
