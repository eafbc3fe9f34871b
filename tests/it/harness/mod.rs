//! What the tests stand on: databases, browsers, validators. Everything in here cleans up after itself, whatever happens.

mod activity;
mod app;
pub mod browser;
mod db;
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
pub use app::{Answer, GITHUB_KEYS, PASSWORD, Person, TestApp, mail_through};
pub use browser::{Browser, Setup};
pub use db::{TestDb, folder};
pub use keys::another_key;
pub use nginx::Nginx;
pub use own_cluster::OwnCluster;
pub use people::USERS;
pub use pgbouncer::PgBouncer;
pub use smtp::{Received, Smtp, Trouble};
pub use stored::{change, contains, count, everything_stored};
pub use test_macros::db_test;
