//! Requests that a program sends again because it has not seen the answer, and that must not be done twice (R11).
//!
//! The program gives such a request a key of its own. The answer is written in the transaction of the change, so there is
//! never one without the other, however a process ends; for 24 hours, whoever sends the same with the same key gets it
//! again. All changes by one organization's tokens wait for each other, so of two requests with one key the second finds
//! the answer of the first.
//!
//! What fails changes nothing, and is not kept: sent again, it is decided again.

use super::{
    AppError, Jeton, Result,
    requester::{Changing, Requester},
};
use domain::{
    activity::Source,
    time::{DAY, Timestamp},
    token::TokenId,
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};
pub use storage::kept_answers::{KeptAnswer, Once};
use storage::{AnyConnection, kept_answers};

/// For how long an answer is kept, in seconds.
pub const KEPT_FOR: i64 = DAY;

/// What became of a request that is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done now.
    Done(KeptAnswer),
    /// It was done before, with this answer.
    Again(KeptAnswer),
    /// The key belongs to another request of the token.
    OtherRequest,
    /// This node is doing it right now.
    Running,
}

/// The requests that this node is doing, by token and key.
#[derive(Default)]
pub struct Running(Mutex<HashSet<(TokenId, [u8; 32])>>);

/// A request that is being done.
struct Run<'a> {
    all: &'a Running,
    which: (TokenId, [u8; 32]),
}

impl Running {
    /// Returns none if the request is already being done.
    fn begin(&self, token: TokenId, once: &Once) -> Option<Run<'_>> {
        let which = (token, once.key);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is not needed would end the other when it is dropped.
        if all.insert(which) { Some(Run { all: self, which }) } else { None }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.which);
    }
}

impl Jeton {
    /// [`Jeton::write_for`] for a request that is done once. Each time, `may` decides first whether the requester gets
    /// an answer at all.
    pub(super) async fn once_for(
        &self,
        by: &Requester,
        source: Source,
        once: Once,
        mut may: impl FnMut(&mut AnyConnection, &Changing<'_>) -> Result<()> + Send + 'static,
        mut work: impl FnMut(&mut AnyConnection, &Changing<'_>) -> Result<KeptAnswer> + Send + 'static,
    ) -> Result<Outcome> {
        let token = by.token().ok_or_else(|| AppError::Broken("only tokens send requests again".into()))?;
        let Some(_run) = self.running.begin(token, &once) else { return Ok(Outcome::Running) };
        self.write_for(by, source, move |connection, changing| {
            may(connection, changing)?;
            let since = kept_since(changing.now);
            if let Some((request, answer)) = kept_answers::find(connection, token, &once.key, since)? {
                let is_same = request == once.request;
                return Ok(if is_same { Outcome::Again(answer) } else { Outcome::OtherRequest });
            }
            let answer = work(connection, changing)?;
            kept_answers::insert(connection, token, &once, &answer, changing.now)?;
            Ok(Outcome::Done(answer))
        })
        .await
    }
}

fn kept_since(now: Timestamp) -> Timestamp {
    now.plus(-KEPT_FOR)
}

/// Deletes the answers that are not kept any more.
pub(super) async fn sweep(jeton: &Jeton) -> Result<()> {
    let until = kept_since(jeton.clock.now());
    jeton.write(move |connection| Ok(kept_answers::forget(connection, until)?)).await
}
