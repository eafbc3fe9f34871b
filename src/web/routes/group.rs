//! The groups of addresses, which are counted and answered alike.

use super::path;

/// A group of requests, determined by the beginning of their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Forward-auth.
    Verify,
    /// Introspection and revocation.
    OAuth,
    /// Jeton's own API.
    Api,
    /// Styles, scripts and pictures.
    Files,
    /// Health, metrics and metadata.
    Machine,
    /// Everything else.
    Pages,
}

/// An address of each beginning, and its group. What counts is the first part.
const BEGINNINGS: [(&str, Group); 8] = [
    (path::VERIFY, Group::Verify),
    (path::OAUTH, Group::OAuth),
    (path::API, Group::Api),
    (path::FILES, Group::Files),
    (path::HEALTH, Group::Machine),
    (path::READINESS, Group::Machine),
    (path::METRICS, Group::Machine),
    (path::WELL_KNOWN, Group::Machine),
];

impl Group {
    /// All groups, in the order in which they are counted, with their names in metrics.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Verify, "verify"),
        (Self::OAuth, "oauth"),
        (Self::Api, "api"),
        (Self::Files, "files"),
        (Self::Machine, "machine"),
        (Self::Pages, "pages"),
    ];

    /// Returns the group of a request to this path.
    pub fn of(path: &str) -> Self {
        let asked = first_part(path);
        let found = BEGINNINGS.iter().find(|(beginning, _)| first_part(beginning) == asked);
        found.map_or(Self::Pages, |(_, group)| *group)
    }

    /// Returns whether an error is explained to a program, whatever it accepts. A proxy needs only the status of
    /// forward-auth, and it is a browser that asks for files.
    pub const fn is_for_programs(self) -> bool {
        matches!(self, Self::OAuth | Self::Api | Self::Machine)
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
        assert!(Group::ALL.iter().enumerate().all(|(index, (group, _))| *group as usize == index));
    }
}
