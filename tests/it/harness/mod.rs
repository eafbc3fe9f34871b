//! The test harness: databases, browsers, validators. Everything in it cleans up after itself, whatever happens.

mod activity;
mod answer;
mod app;
pub mod browser;
mod db;
pub mod described;
mod guardian;
pub mod html;
mod keys;
pub mod link;
#[path = "../../../bench/lists.rs"]
pub mod lists;
mod nginx;
mod own_cluster;
mod people;
mod pgbouncer;
mod postgres;
pub mod process;
pub mod proxy;
pub mod random;
pub mod service;
mod smtp;
mod stored;

pub use activity::activity;
pub use answer::{Answer, css, text_of};
pub use app::{GITHUB_KEYS, PASSWORD, Person, TestApp, mail_through, wait_for_freshness};
pub use browser::{Browser, Setup};
pub use db::{TestDb, folder};
pub use keys::{another_key, with_another_letter};
pub use nginx::Nginx;
pub use own_cluster::OwnCluster;
pub use people::USERS;
pub use pgbouncer::PgBouncer;
pub use smtp::{Received, Smtp, Trouble};
pub use stored::{change, contains, count, count_in, everything_stored};
pub use test_macros::db_test;

/// Returns the address of a page of Ann's organization, given the part after the organization.
macro_rules! org {
    ($page:literal) => {
        concat!("/orgs/croix-bleue-sahel", $page)
    };
}
pub(crate) use org;

/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// The slug of the organization that Ann sets up.
pub const SLUG: &str = "croix-bleue-sahel";

/// The prefix of its pages.
pub const ORG: &str = org!("");
