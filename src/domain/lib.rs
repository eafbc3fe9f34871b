//! What users, organizations, tokens, permissions and access *are*: pure types and rules.
//!
//! Nothing here has a clock, randomness or input and output of its own: the time and random bytes come in as arguments,
//! so each rule can be tested at its boundary.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr))]

#[macro_use]
mod keyed;

pub mod access;
pub mod activity;
pub mod billing;
pub mod calls;
pub mod email_change;
pub mod field;
pub mod group;
pub mod invitation;
pub mod item;
pub mod kind;
pub mod leak;
pub mod membership;
pub mod organization;
pub mod paging;
pub mod password_link;
pub mod percent;
pub mod permission;
pub mod permission_set;
pub mod protected_api;
pub mod service_user;
pub mod session;
pub mod site;
pub mod text;
pub mod time;
pub mod token;
pub mod user;
