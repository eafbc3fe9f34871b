//! Organizations: the tenants, which own everything except users.

use super::text;

/// The row id of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(pub i64);

/// The row id of a membership: a user in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MembershipId(pub i64);

/// The row id of a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionSetId(pub i64);

/// The row id of a service user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceUserId(pub i64);

/// Returns whether `typed` is a valid slug: one that [`slug`] does not change.
pub fn is_slug(typed: &str) -> bool {
    slug(typed) == typed
}

/// Makes a slug from an organization's name: lower-case ASCII letters, digits and single hyphens, at most 40
/// characters. Accents are removed; a name without any Latin letter or digit becomes `organization`.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in text::searchable(name).chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() >= 40 {
            break;
        }
    }
    match slug.trim_matches('-') {
        "" => "organization".into(),
        trimmed => trimmed.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_slug, slug};

    #[test]
    fn slugs_are_ascii_and_never_empty() {
        assert_eq!(slug("Croix-Bleue Sahel"), "croix-bleue-sahel");
        assert_eq!(slug("  Hôpital n° 3 – Ségou  "), "hopital-n-3-segou");
        assert_eq!(slug("Ho\u{302}pital Straße Łódź"), "hopital-strasse-lodz");
        assert_eq!(slug("Ελλάδα"), "organization");
        assert!(is_slug("croix-bleue-2") && !is_slug("Croix-Bleue") && !is_slug("a--b") && !is_slug(""));
        assert!(slug(&"long name ".repeat(20)).len() <= 40);
    }
}
