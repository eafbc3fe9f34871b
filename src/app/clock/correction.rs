//! The correction of a clock that has jumped and turns out to be right.

use super::{
    Clock,
    doubt::{Doubt, is_behind},
};
use crate::{Jeton, Result};
use domain::time::Timestamp;
use std::sync::atomic::Ordering::Relaxed;
use storage::{
    activity,
    epoch::{self, Touched},
    tokens,
};

/// How long a new time must be steady at least before it is trusted without confirmation, in milliseconds.
const SHORTEST_TRIAL: i64 = 5 * 60 * 1000;

/// A new time after a jump.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correction {
    lead: i64,
    /// By how many seconds the new time is later than the old one.
    pub(super) by: i64,
    /// From when until when the old time was trusted, by the old time.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// The current time by the new time.
    pub(super) now: Timestamp,
    /// Whether the new time has been steady for longer than the old one was.
    pub(super) has_lasted: bool,
}

impl Clock {
    /// Returns what changes if the clock has jumped and the new time is right.
    pub(super) fn correction(&self) -> Option<Correction> {
        self.now();
        let (trust, known, steady) = (self.trust(), self.0.lead.load(Relaxed), self.steady());
        let Some(Doubt::Jumped { until, lead, since }) = trust.doubt else { return None };
        let at = |milliseconds: i64| Timestamp::from_seconds(milliseconds.div_euclid(1000));
        Some(Correction {
            lead,
            by: (lead - known) / 1000,
            from: at(trust.since + known),
            until: at(until + known),
            now: at(steady + lead),
            has_lasted: steady - since >= SHORTEST_TRIAL.max(until - trust.since),
        })
    }

    /// Trusts the new time from now on, unless the clock has jumped again.
    pub(super) fn accept(&self, correction: &Correction) {
        let mut trust = self.trust();
        if matches!(trust.doubt, Some(Doubt::Jumped { lead, .. }) if lead == correction.lead) {
            self.believe(&mut trust, correction.lead, self.steady());
            tracing::warn!(seconds = correction.by, "the clock has jumped, and its new time is now trusted");
        }
    }
}

/// Checks a clock that is in doubt against the activity log: whether there is an entry later than the time that it
/// shows, and whether the operator has confirmed it. The heartbeat and maintenance call this repeatedly.
pub async fn reconsider(jeton: &Jeton) -> Result<()> {
    let (clock, seen) = (jeton.clock.clone(), jeton.last_entry.load(Relaxed));
    let (newest, is_confirmed) = jeton
        .read(move |connection| {
            if let Some(time) = epoch::reading(connection)?.time {
                clock.follow(time);
            }
            Ok((activity::newest(connection)?, activity::is_clock_confirmed(connection, seen)?))
        })
        .await?;
    jeton.clock.compare(newest.map(|(_, at)| at));
    if let Some(correction) = jeton.clock.correction() {
        let is_possible = newest.is_none_or(|(_, at)| !is_behind(correction.now.seconds() * 1000, at));
        if is_confirmed || correction.has_lasted && is_possible {
            correct_moments(jeton, correction).await?;
            jeton.clock.accept(&correction);
        }
    }
    if jeton.clock.trusted().is_ok() {
        jeton.last_entry.store(newest.map_or(0, |(id, _)| id), Relaxed);
    }
    Ok(())
}

/// Moves the times of creation and use that a clock wrote while it was behind to the real times: otherwise tokens would
/// count as unused for as long as it was behind. If the old time was trusted for longer than it was behind, this does
/// not matter, and could not be distinguished from times that were moved before.
async fn correct_moments(jeton: &Jeton, Correction { by, from, until, .. }: Correction) -> Result<()> {
    crate::maintenance::flush_usage(jeton).await?;
    if by <= until.since(from) {
        return Ok(());
    }
    let db = jeton.db.clone();
    jeton
        .change_with(db, move |connection| {
            Ok((tokens::move_moments(connection, from, until, by)?, Touched::Everything))
        })
        .await
}
