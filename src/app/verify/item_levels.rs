//! How far subjects reach items, for the rules of protected APIs that name one: read from the database for each request.
//!
//! On both databases through a [`Batcher`] of its own, so that no worker thread waits for a query that is larger than a
//! lookup of a key, and no such lookup waits behind it.

use super::{batcher::Batcher, denied::Unavailable};
use domain::{access::Level, token::Pepper};
use std::sync::OnceLock;
use storage::{
    AnyConnection, DatabaseUrl,
    access::{self, LevelAsked},
};

/// The maximum number of questions in a query.
const BATCH: usize = 32;

/// Reads levels. Most installations have no rule about items, so its thread and its connection begin with the first
/// question.
pub struct ItemLevels {
    address: DatabaseUrl,
    pepper: Pepper,
    batcher: OnceLock<Batcher<LevelAsked, Option<Level>>>,
}

impl ItemLevels {
    /// Prepares to read from this database.
    pub const fn new(address: DatabaseUrl, pepper: Pepper) -> Self {
        Self { address, pepper, batcher: OnceLock::new() }
    }

    /// Returns how far a subject reaches an item, from a read that began after this call; `None` if there is no such item
    /// for it.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn level(&self, asked: LevelAsked) -> Result<Option<Level>, Unavailable> {
        let start = || Batcher::start(self.address.clone(), self.pepper.clone(), BATCH, read);
        self.batcher.get_or_init(start).ask(asked).await
    }
}

fn read(connection: &mut AnyConnection, together: &[LevelAsked]) -> Result<Vec<Option<Level>>, Unavailable> {
    Ok(access::levels(connection, together)?)
}
