//! The tests that need a running server, a database or a browser, in one program: it links once and shares one Postgres
//! and one chromedriver (`harness`).

mod account;
mod activity;
mod api;
mod billing;
mod browser;
mod calls;
mod cli;
mod fuzz;
mod harness;
mod harness_works;
mod health;
mod input;
mod inventory;
mod invitations;
mod leaks;
mod metrics;
mod oauth;
mod oauth_clients;
mod organizations;
mod outage;
mod password_links;
mod permission_sets;
mod processes;
mod protected_apis;
mod proxies;
mod routes;
mod service_states;
mod service_users;
mod sessions;
mod setup;
mod sign_in;
mod stop;
mod structure;
mod tokens;
mod users;
