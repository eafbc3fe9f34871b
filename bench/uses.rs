//! Last uses of many tokens, written as a node writes them when a minute is over.

use domain::{activity::Source, time::Timestamp, token::TokenId};
use std::time::{Duration, Instant};
use storage::{
    Db, StorageError,
    tokens::{self, Uses},
};

/// Tokens of one transaction.
const CHUNK: usize = 500;

/// Writes one use of each of the first tokens at `at`, and returns how long this took: to write the last uses, and
/// altogether, with the calls that are counted and the commits.
pub fn write(db: &Db, count: i64, at: Timestamp) -> Result<(Duration, Duration), StorageError> {
    let source =
        Source { address: "192.0.2.24".into(), program: "python-requests/2.32.4".into(), request_id: String::new() };
    let uses: Vec<Uses<'_>> =
        (1..=count).map(|token| Uses { token: TokenId(token), at, source: &source, count: 1 }).collect();
    let (mut noted, began) = (Duration::ZERO, Instant::now());
    for chunk in uses.chunks(CHUNK) {
        db.write::<_, StorageError>(|connection| {
            let began = Instant::now();
            tokens::note_uses(connection, chunk)?;
            noted += began.elapsed();
            tokens::count_calls(connection, chunk)
        })?;
    }
    Ok((noted, began.elapsed()))
}
