//! Verifying a chain from its first entry to its last, to detect tampering (G3).

use super::super::{
    AnyConnection, Result,
    schema::{activity, activity_heads},
};
use super::Chained;
use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use domain::{
    activity::{Break, CHAIN_START, Hash},
    organization::OrganizationId,
};
use std::collections::BTreeSet;

/// The progress of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    organization: i64,
    /// The position reached.
    pub position: i64,
    /// The stored hash of the entry there.
    pub hash: Hash,
    /// How many entries were verified.
    pub entries: i64,
    /// The breaks found so far.
    pub breaks: Vec<Break>,
    /// A position and hash recorded elsewhere, until the verification reaches it.
    noted: Option<(i64, Hash)>,
}

/// The maximum number of breaks that are reported: after so many, the case is clear.
const TOLD: usize = 20;

impl Walk {
    /// Begins to verify the chain of an organization, or of the entries without an organization. `noted` is the
    /// position and hash of an entry, as recorded elsewhere.
    pub fn new(organization: Option<OrganizationId>, noted: Option<(i64, Hash)>) -> Self {
        let organization = organization.map_or(0, |id| id.0);
        Self { organization, position: 0, hash: CHAIN_START, entries: 0, breaks: Vec::new(), noted }
    }

    fn found(&mut self, wrong: Break) {
        if self.breaks.len() < TOLD {
            self.breaks.push(wrong);
        }
    }

    /// Verifies the next `limit` entries. Returns whether there were any.
    pub fn step(&mut self, connection: &mut AnyConnection, limit: i64) -> Result<bool> {
        let rows: Vec<(Chained, i64, Vec<u8>)> = activity::table
            // Must be exactly the expression of the index `activity_position`.
            .filter(sql::<BigInt>("coalesce(organization_id, 0)").eq(self.organization))
            .filter(activity::position.gt(self.position))
            .order(activity::position)
            .limit(limit)
            .select((Chained::as_select(), activity::position, activity::hash))
            .load(connection)?;
        for (row, position, hash) in &rows {
            self.look_at(row, *position, hash);
        }
        Ok(!rows.is_empty())
    }

    fn look_at(&mut self, row: &Chained, position: i64, hash: &[u8]) {
        let hash = Hash::try_from(hash).ok();
        if position > self.position + 1 {
            self.found(Break::Missing(self.position + 1, position - 1));
        } else if hash != Some(row.hash(&self.hash, position)) {
            // After a gap, the previous entry is unknown, so there is nothing to compare with.
            self.found(Break::Changed(position));
        }
        if self.noted.is_some_and(|(noted, _)| noted == position) && self.noted.map(|(_, hash)| hash) != hash {
            self.found(Break::Changed(position));
        }
        self.noted = self.noted.filter(|(noted, _)| *noted != position);
        (self.position, self.hash) = (position, hash.unwrap_or(CHAIN_START));
        self.entries += 1;
    }

    /// Compares the last entry with the stored end of the chain. Returns false if there are newer entries to verify, as
    /// others may be writing meanwhile.
    pub fn end(&mut self, connection: &mut AnyConnection) -> Result<bool> {
        let head: Option<(i64, Vec<u8>)> = activity_heads::table
            .find(self.organization)
            .select((activity_heads::position, activity_heads::hash))
            .get_result(connection)
            .optional()?;
        if head.as_ref().is_some_and(|(position, _)| *position > self.position) && self.step(connection, 1)? {
            return Ok(false);
        }
        match head {
            None if self.position > 0 => self.found(Break::NoEnd),
            None => {}
            Some((head, _)) if head > self.position => self.found(Break::Missing(self.position + 1, head)),
            Some((head, _)) if head < self.position => self.found(Break::Inserted(head + 1)),
            Some((_, hash)) if hash != self.hash => self.found(Break::EndChanged(self.position)),
            Some(_) => {}
        }
        if let Some((noted, _)) = self.noted.take().filter(|(noted, _)| *noted > self.position) {
            self.found(Break::Missing(self.position + 1, noted));
        }
        let outside: i64 = activity::table
            .filter(sql::<BigInt>("coalesce(organization_id, 0)").eq(self.organization))
            .filter(activity::position.le(0))
            .count()
            .get_result(connection)?;
        if outside > 0 {
            self.found(Break::Unchained(outside));
        }
        Ok(true)
    }
}

/// Lists the chains: organizations with entries or with a stored end. `None` stands for entries without an
/// organization.
pub fn chains(connection: &mut AnyConnection) -> Result<Vec<Option<OrganizationId>>> {
    let heads: Vec<i64> = activity_heads::table.select(activity_heads::organization_id).load(connection)?;
    let with_entries: Vec<Option<i64>> =
        activity::table.select(activity::organization_id).distinct().load(connection)?;
    let all: BTreeSet<i64> = heads.into_iter().chain(with_entries.into_iter().map(Option::unwrap_or_default)).collect();
    Ok(all.into_iter().map(|id| (id > 0).then_some(OrganizationId(id))).collect())
}
