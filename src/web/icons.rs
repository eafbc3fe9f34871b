//! Lucide icons, embedded by the build script: exactly those that templates name.
//!
//! In a template `{{ crate::icons::SHIELD_CHECK }}` draws lucide's `shield-check`. Icons are decoration, hidden from
//! screen readers: text stands beside them, or the surrounding button has an `aria-label`. If the npm package was
//! missing at build time, they are empty.

use std::fmt;

use askama::filters::HtmlSafe;

/// The markup of one icon, safe to print without escaping.
#[derive(Clone, Copy)]
pub struct Icon(&'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// Only the build script creates icons, from a package pinned by its hash.
impl HtmlSafe for Icon {}

include!(concat!(env!("OUT_DIR"), "/icons.rs"));
