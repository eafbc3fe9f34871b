//! Jeton: API tokens for people and organizations, and exact answers about them.
//!
//! Five rooms, each a crate that may name only those behind it:
//!
//! ```text
//! main, cli ──► web ──► app ──► storage ──► domain
//! ```
//!
//! - [`domain`]: what tokens, permissions and access are; pure rules.
//! - [`storage`]: rows in, domain types out; one file a noun.
//! - [`app`]: what happens when somebody does something; the hot path; background work.
//! - [`web`]: what a person or a program sees.
//! - [`cli`] and [`config`]: commands, and the only reader of the environment.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
pub mod config;
