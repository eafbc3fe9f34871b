//! What a change of access does, in a confirmation before it.

use super::words::Told;
use askama::Template;

/// What it does to whom.
#[derive(Template)]
#[template(path = "parts/_told.html")]
pub struct Effects {
    /// What it does.
    pub told: Told,
    /// What follows from it.
    pub after: &'static str,
}
