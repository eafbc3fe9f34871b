//! Nodes that share a Postgres, with failures between and behind them: links are cut, delayed or drop everything, the
//! database stops and crashes, nodes are killed.
//!
//! They are short here; with `JETON_FAULT_ROUNDS=10000` they run as long as the published figures need, and
//! `bench/faults` prints those.

mod gone;
mod nodes;
mod pooler;
mod revocations;
mod uses;

use std::time::Duration;

/// Returns how many tokens are revoked, over all kinds of faults.
fn rounds() -> usize {
    std::env::var("JETON_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60)
}

/// Returns whether the long versions were requested.
fn is_long() -> bool {
    std::env::var_os("JETON_FAULT_ROUNDS").is_some()
}

/// Prints the measurements, as a row of the table in `bench/results.md`.
fn figure(what: &str, measured: &str) {
    println!("figure: | {what} | {measured} |");
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// Returns the value below which this fraction of the sorted ones lies.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted[place.clamp(1, sorted.len()) - 1]
}
