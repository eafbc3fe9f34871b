//! What all keys have in common: their life, their last use, and who ended them.

use crate::{
    Result, expect_column,
    schema::{api_tokens, token_uses},
};
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
    created_at: i64,
    pub(super) revoked_at: Option<i64>,
    pub(super) expired_at: Option<i64>,
    ends_at: Option<i64>,
    #[diesel(embed)]
    pub(super) idle: IdleRow,
}

/// Since when a token has not been used, and when it therefore expires.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_uses)]
pub(super) struct IdleRow {
    /// Its last use, or its creation.
    pub(super) idle_since: i64,
    pub(super) inactivity_days: i16,
    #[diesel(select_expression = token_uses::address.is_not_null())]
    is_used: bool,
}

impl IdleRow {
    pub(super) fn last_used_at(&self) -> Option<Timestamp> {
        self.is_used.then(|| Timestamp::from_seconds(self.idle_since))
    }
}

impl LifeRow {
    pub(super) fn life(self) -> Result<Life> {
        Ok(Life {
            created_at: Timestamp::from_seconds(self.created_at),
            last_used_at: self.idle.last_used_at(),
            revoked_at: self.revoked_at.map(Timestamp::from_seconds),
            expired_at: self.expired_at.map(Timestamp::from_seconds),
            inactivity: expect_column(InactivityExpiry::from_days(self.idle.inactivity_days), "inactivity_days")?,
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
    revoked_by: Option<String>,
    revoked_by_name: Option<String>,
    revocation_reason: Option<String>,
    quiet_seconds: Option<i64>,
    #[diesel(embed)]
    uses: UsesRow,
}

impl KeyRow {
    pub(super) fn facts(self) -> Result<KeyFacts> {
        let life = self.life.life()?;
        let (last_use, refused) = self.uses.uses(life.last_used_at);
        let revoked_by = |word: String| expect_column(RevokedBy::from_key(&word), &word);
        Ok(KeyFacts {
            token: TokenId(self.id),
            life,
            last_use,
            revoked_by: self.revoked_by.map(revoked_by).transpose()?,
            revoked_by_name: self.revoked_by_name,
            revocation_reason: self.revocation_reason,
            refused,
            quiet_seconds: self.quiet_seconds,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = token_uses)]
pub(super) struct UsesRow {
    address: Option<String>,
    program: Option<String>,
    refused_count: i64,
    refused_at: Option<i64>,
    refused_address: Option<String>,
    refused_program: Option<String>,
}

impl UsesRow {
    /// Returns the last accepted use, which was at `at`, and the refused ones.
    fn uses(self, at: Option<Timestamp>) -> (Option<LastUse>, Option<RefusedUses>) {
        let last = at.map(|at| last_use(self.address, self.program, at));
        let refused = self.refused_at.map(|at| RefusedUses {
            count: self.refused_count,
            last: last_use(self.refused_address, self.refused_program, Timestamp::from_seconds(at)),
        });
        (last, refused)
    }
}

fn last_use(address: Option<String>, program: Option<String>, at: Timestamp) -> LastUse {
    LastUse { at, address: address.unwrap_or_default(), program: program.unwrap_or_default() }
}
