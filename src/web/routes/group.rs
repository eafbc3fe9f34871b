//! The groups of addresses, which are counted and answered alike.

use super::path;
use domain::keyed;

keyed! {
    /// A group of requests, determined by the beginning of their path. The key is its name in metrics.
    pub enum Group {
        /// Forward-auth.
        Verify = "verify",
        /// Introspection and revocation.
        OAuth = "oauth",
        /// Decisions (AuthZEN).
        Decisions = "decisions",
        /// Jeton's own API, and the feeds.
        Api = "api",
        /// Styles, scripts and pictures.
        Files = "files",
        /// Health, metrics and metadata.
        Machine = "machine",
        /// Everything else.
        Pages = "pages",
    }
}

/// An address of each beginning, and its group. What counts is the first part.
const BEGINNINGS: [(&str, Group); 12] = [
    (path::VERIFY, Group::Verify),
    (path::OAUTH, Group::OAuth),
    (path::API, Group::Api),
    (path::DECISIONS, Group::Decisions),
    (path::FEED, Group::Api),
    (path::WHO_AM_I, Group::Api),
    (path::FILES, Group::Files),
    (path::HEALTH, Group::Machine),
    (path::READINESS, Group::Machine),
    (path::METRICS, Group::Machine),
    (path::WELL_KNOWN, Group::Machine),
    (path::OPENAPI, Group::Machine),
];

impl Group {
    /// Returns the group of a request to this path.
    pub fn of(path: &str) -> Self {
        let asked = first_part(path);
        let found = BEGINNINGS.iter().find(|(beginning, _)| first_part(beginning) == asked);
        found.map_or(Self::Pages, |(_, group)| *group)
    }

    /// Returns whether an error is explained to a program, whatever it accepts. A proxy needs only the status of
    /// forward-auth, and it is a browser that asks for files.
    pub const fn is_for_programs(self) -> bool {
        matches!(self, Self::OAuth | Self::Decisions | Self::Api | Self::Machine)
    }
}

fn first_part(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_depend_on_the_first_part_of_the_path() {
        for (path, group) in [
            ("/verify", Group::Verify),
            ("/verify/behind", Group::Verify),
            ("/verifying", Group::Pages),
            ("/", Group::Pages),
            ("", Group::Pages),
            ("/api/v1/me", Group::Api),
            ("/.well-known/x", Group::Machine),
        ] {
            assert_eq!(Group::of(path), group, "{path}");
        }
    }
}
