//! Nodes that share a Postgres, and what is between and behind them fails: links are cut, delayed and swallow everything,
//! the database stops and dies, nodes are killed.
//!
//! Short here; `JETON_FAULT_ROUNDS=10000` runs them as long as the figures ask, and `bench/faults` prints those.

mod gone;
mod nodes;
mod pooler;
mod revocations;
mod uses;

use std::time::Duration;

/// How many tokens are revoked, over all kinds of faults.
fn rounds() -> usize {
    std::env::var("JETON_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60)
}

/// Whether somebody has asked for the long forms.
fn is_long() -> bool {
    std::env::var_os("JETON_FAULT_ROUNDS").is_some()
}

/// Prints what was measured: a row of the table in `bench/results.md`.
fn figure(what: &str, measured: &str) {
    println!("figure: | {what} | {measured} |");
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// The value below which this part of the sorted ones lies.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted[place.clamp(1, sorted.len()) - 1]
}
