//! Whoever runs the server says that its clock is right.

use super::{Operator, entry, insert_everywhere};
use crate::{Jeton, Result};
use domain::{activity::Action, time::Timestamp};

/// Writes down that the clock is right: the log then has an entry by it that is newer than any that a wrong clock
/// has written, and nodes that do not believe theirs find it. Returns what time it is.
pub async fn confirm_clock(jeton: &Jeton, _: Operator) -> Result<Timestamp> {
    let (db, now) = (jeton.db.clone(), jeton.clock.now());
    let write = move || db.write(|connection| insert_everywhere(connection, entry(None, Action::ClockConfirmed, now)));
    Jeton::blocking(write).await?;
    Ok(now)
}
