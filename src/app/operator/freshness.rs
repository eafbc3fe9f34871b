//! For how long nodes may answer from memory ([`crate::verify::freshness`]).

use super::{Operator, entry, insert_everywhere};
use crate::{Jeton, Result, verify::freshness::unseen};
use domain::activity::{Action, Detail};
use storage::{AnyConnection, activity, epoch};

/// Returns the freshness bound in milliseconds.
pub async fn freshness(jeton: &Jeton, _: Operator) -> Result<i64> {
    jeton.read(|connection| Ok(epoch::freshness(connection)?)).await
}

/// Sets the freshness bound, up to 1,000 milliseconds, for all nodes. When this returns, every node uses the new bound or
/// a shorter one that it read before. Until then, changes of authority wait for the longer of both.
pub async fn set_freshness(jeton: &Jeton, milliseconds: u16, _: Operator) -> Result<()> {
    let now = jeton.clock.now();
    let set = move |connection: &mut AnyConnection| {
        let detail = Some(Detail::Words(format!("{milliseconds} ms")));
        insert_everywhere(connection, activity::Entry { detail, ..entry(None, Action::FreshnessChanged, now) })?;
        Ok(epoch::set_freshness(connection, milliseconds.into())?)
    };
    let new = jeton.write(set).await?;
    // Nodes that last read the epoch before the commit use the older bound for at most this long.
    tokio::time::sleep(unseen(new.longest)).await;
    jeton.write(move |connection| Ok(epoch::finish_freshness(connection, new)?)).await
}
