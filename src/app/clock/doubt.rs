//! Whether the leading clock is trusted: what a jump is, and what ends a doubt.

use super::{Clock, NONE};
use domain::time::{SET_RIGHT, Timestamp};
use std::sync::atomic::Ordering::Relaxed;

/// The longest jump of the leading clock that is accepted, in milliseconds. A longer one means that somebody has set
/// the clock: going on could expire tokens, or make expired ones active again.
const FURTHEST_JUMP: u64 = SET_RIGHT.unsigned_abs() * 1000;
/// The difference between two readings that needs no further check, in milliseconds.
const UNREMARKABLE: u64 = 1000;

/// Why the leading clock is trusted or not. Times are those of the monotonic clock, in milliseconds.
#[derive(Debug)]
pub(super) struct Trust {
    /// Since when the leading clock has been steady.
    pub(super) since: i64,
    /// Its lead at that time.
    pub(super) lead: i64,
    pub(super) doubt: Option<Doubt>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Doubt {
    /// It shows a time before that of the newest entry of the activity log.
    Behind(Timestamp),
    /// It was steady until `until`, then jumped to `lead`, where it has been steady since `since`.
    Jumped { until: i64, lead: i64, since: i64 },
}

/// Why the clock cannot be trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Untrusted(String);

impl Clock {
    /// Compares the leading clock's current lead with the one known.
    pub(super) fn look(&self, lead: i64, steady: i64) {
        let known = self.0.lead.load(Relaxed);
        if known.abs_diff(lead) > UNREMARKABLE || self.0.is_doubted.load(Relaxed) {
            self.look_closely(lead, steady);
        } else if self.0.follows.load(Relaxed) {
            self.0.lead.store(lead, Relaxed);
        }
    }

    fn look_closely(&self, lead: i64, steady: i64) {
        let mut trust = self.trust();
        let known = self.0.lead.load(Relaxed);
        let is_near = |other: i64| other.abs_diff(lead) <= FURTHEST_JUMP;
        match trust.doubt {
            None if known == NONE => self.believe(&mut trust, lead, steady),
            None if is_near(known) => {
                self.0.lead.store(lead, Relaxed);
                if !is_near(trust.lead) {
                    (trust.since, trust.lead) = (steady, lead);
                }
            }
            Some(Doubt::Behind(newest)) => {
                self.0.lead.store(lead, Relaxed);
                if !is_behind(steady + lead, newest) {
                    self.believe(&mut trust, lead, steady);
                    tracing::info!("the clock is right again");
                }
            }
            Some(Doubt::Jumped { .. }) if is_near(known) => {
                self.believe(&mut trust, lead, steady);
                tracing::info!("the clock is right again");
            }
            Some(Doubt::Jumped { lead: new, .. }) if is_near(new) => {}
            jumped => {
                let until = if let Some(Doubt::Jumped { until, .. }) = jumped { until } else { steady };
                let doubt = Doubt::Jumped { until, lead, since: steady };
                self.doubt(&mut trust, doubt);
                tracing::error!("{}", self.words(doubt));
            }
        }
    }

    pub(super) fn believe(&self, trust: &mut Trust, lead: i64, steady: i64) {
        self.0.lead.store(lead, Relaxed);
        *trust = Trust { since: steady, lead, doubt: None };
        self.0.is_doubted.store(false, Relaxed);
    }

    fn doubt(&self, trust: &mut Trust, doubt: Doubt) {
        trust.doubt = Some(doubt);
        self.0.is_doubted.store(true, Relaxed);
    }

    pub(super) fn untrusted(&self) -> Untrusted {
        let doubt = self.trust().doubt;
        Untrusted(doubt.map_or_else(|| "the clock was not trusted until just now".into(), |doubt| self.words(doubt)))
    }

    fn words(&self, doubt: Doubt) -> String {
        let whose = if self.0.follows.load(Relaxed) { "the clock of the database" } else { "the machine's clock" };
        let (known, steady) = (self.0.lead.load(Relaxed), self.steady());
        let at = |lead: i64| Timestamp::from_seconds((steady + lead).div_euclid(1000)).rfc3339();
        let what = match doubt {
            Doubt::Behind(newest) => {
                format!("shows {}, but the newest entry of the activity log is from {}", at(known), newest.rfc3339())
            }
            Doubt::Jumped { lead, .. } => format!("jumped from {} to {}", at(known), at(lead)),
        };
        format!(
            "{whose} {what}: nothing is decided or written until it is right; if it is right, run jeton clock confirm"
        )
    }

    /// Compares the clock with the newest entry of the activity log, which cannot be in the future.
    pub fn compare(&self, newest: Option<Timestamp>) {
        self.now();
        let mut trust = self.trust();
        let (known, steady) = (self.0.lead.load(Relaxed), self.steady());
        let behind = newest.filter(|newest| is_behind(steady + known, *newest));
        match (trust.doubt, behind) {
            (None, Some(newest)) => {
                self.doubt(&mut trust, Doubt::Behind(newest));
                tracing::error!("{}", self.words(Doubt::Behind(newest)));
            }
            (Some(Doubt::Behind(_)), Some(newest)) => self.doubt(&mut trust, Doubt::Behind(newest)),
            (Some(Doubt::Behind(_)), None) => {
                self.believe(&mut trust, known, steady);
                tracing::info!("the clock is trusted again");
            }
            _ => {}
        }
    }
}

pub(super) fn is_behind(shown: i64, newest: Timestamp) -> bool {
    shown.saturating_add_unsigned(FURTHEST_JUMP) < newest.seconds().saturating_mul(1000)
}
