//! The operator confirms that the clock is right.

use super::{Operator, entry, insert_everywhere};
use crate::{Jeton, Result};
use domain::{activity::Action, time::Timestamp};

/// Records that the clock is right. The activity log then has an entry that is newer than any that a wrong clock has
/// written, and nodes that do not trust their clock find it. Returns the current time.
pub async fn confirm_clock(jeton: &Jeton, _: Operator) -> Result<Timestamp> {
    let (db, now) = (jeton.db.clone(), jeton.clock.now());
    let write = move || db.write(|connection| insert_everywhere(connection, entry(None, Action::ClockConfirmed, now)));
    Jeton::blocking(write).await?;
    Ok(now)
}
