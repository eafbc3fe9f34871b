//! What all keys have in common: their life, their last use, and who ended them.

use crate::{Result, expect_column, schema::api_tokens};
use diesel::prelude::*;
use domain::{
    time::Timestamp,
    token::{InactivityExpiry, KeyFacts, LastUse, Life, RefusedUses, RevokedBy, TokenId},
};

/// Who revokes a token, and why.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    /// Who or what revokes it.
    pub by: RevokedBy,
    /// The name of that person, if it is not the owner.
    pub name: Option<&'a str>,
    /// The reason given, or where the key was found.
    pub reason: Option<&'a str>,
}

impl From<RevokedBy> for Revocation<'_> {
    fn from(by: RevokedBy) -> Self {
        Self { by, name: None, reason: None }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub(super) struct LifeRow {
    pub(super) created_at: i64,
    pub(super) last_used_at: Option<i64>,
    pub(super) revoked_at: Option<i64>,
    pub(super) expired_at: Option<i64>,
    pub(super) inactivity_days: i16,
    ends_at: Option<i64>,
}

impl LifeRow {
    pub(super) fn life(self) -> Result<Life> {
        Ok(Life {
            created_at: Timestamp::from_seconds(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp::from_seconds),
            revoked_at: self.revoked_at.map(Timestamp::from_seconds),
            expired_at: self.expired_at.map(Timestamp::from_seconds),
            inactivity: expect_column(InactivityExpiry::from_days(self.inactivity_days), "inactivity_days")?,
            ends_at: self.ends_at.map(Timestamp::from_seconds),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub(super) struct KeyRow {
    pub(super) id: i64,
    #[diesel(embed)]
    pub(super) life: LifeRow,
    last_used_address: Option<String>,
    last_used_program: Option<String>,
    revoked_by: Option<String>,
    revoked_by_name: Option<String>,
    revocation_reason: Option<String>,
    #[diesel(embed)]
    refused: RefusedRow,
    quiet_seconds: Option<i64>,
}

impl KeyRow {
    pub(super) fn facts(self) -> Result<KeyFacts> {
        let life = self.life.life()?;
        let last_use = life.last_used_at.map(|at| LastUse {
            at,
            address: self.last_used_address.unwrap_or_default(),
            program: self.last_used_program.unwrap_or_default(),
        });
        let revoked_by = |word: String| expect_column(RevokedBy::from_key(&word), &word);
        Ok(KeyFacts {
            token: TokenId(self.id),
            life,
            last_use,
            revoked_by: self.revoked_by.map(revoked_by).transpose()?,
            revoked_by_name: self.revoked_by_name,
            revocation_reason: self.revocation_reason,
            refused: self.refused.uses(),
            quiet_seconds: self.quiet_seconds,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub(super) struct RefusedRow {
    refused_count: i64,
    refused_at: Option<i64>,
    refused_address: Option<String>,
    refused_program: Option<String>,
}

impl RefusedRow {
    fn uses(self) -> Option<RefusedUses> {
        let last = LastUse {
            at: Timestamp::from_seconds(self.refused_at?),
            address: self.refused_address.unwrap_or_default(),
            program: self.refused_program.unwrap_or_default(),
        };
        Some(RefusedUses { count: self.refused_count, last })
    }
}
