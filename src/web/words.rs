//! Names and descriptions of domain values in the reader's language: names, states, problems of a form, times, and
//! programs.

mod access;
mod access_rules;
mod calendar;
mod fields;
mod items;
mod kinds;
mod problems;
mod programs;
mod sharing;

pub use access_rules::Piece;
pub use calendar::{Calendar, Moment};
pub use problems::Errors;
pub use sharing::{InShort, Told, recipient_icon};

use super::texts::Texts;
use domain::{
    permission::{BuiltInPermission, BuiltInSet, PermissionGroup},
    permission_set::SetName,
    time::{DAY, Timestamp},
    token::{Scope, TokenState},
};

const HOUR: i64 = 3600;

/// A token that expires within less time than this is highlighted.
pub const EXPIRES_SOON: i64 = 7 * DAY;

impl Texts {
    /// A permission's name within its group.
    pub fn permission(self, permission: BuiltInPermission) -> &'static str {
        use BuiltInPermission as P;
        match permission {
            P::PlatformUsers => self.permissions_users(),
            P::PlatformGroups => self.permissions_groups(),
            P::PlatformSites => self.permissions_sites(),
            P::PlatformPermissionSets => self.permissions_permission_sets(),
            P::PlatformKinds => self.permissions_kinds(),
            P::PlatformIntegrations => self.permissions_integrations(),
            P::PlatformActivity => self.permissions_activity(),
            P::PlatformBilling => self.permissions_billing(),
            P::PlatformVerifyTokens => self.permissions_verify_tokens(),
            P::TemplatesView | P::InspectionsView | P::AssetsView => self.permissions_view(),
            P::TemplatesEdit | P::AssetsEdit => self.permissions_edit(),
            P::InspectionsConduct => self.permissions_conduct(),
            P::TemplatesDelete | P::InspectionsDelete | P::AssetsDelete => self.permissions_delete(),
            P::TemplatesShare | P::InspectionsShare | P::AssetsShare => self.permissions_share(),
        }
    }

    /// The name of a group of permissions.
    pub fn permission_group(self, group: PermissionGroup) -> &'static str {
        match group {
            PermissionGroup::Platform => self.permissions_platform(),
            PermissionGroup::Templates => self.permissions_templates(),
            PermissionGroup::Inspections => self.permissions_inspections(),
            PermissionGroup::Assets => self.permissions_assets(),
        }
    }

    /// “Platform management: Integrations”
    pub fn permission_with_group(self, permission: BuiltInPermission) -> String {
        self.permissions_in_full(self.permission_group(permission.group()), self.permission(permission))
    }

    /// The name of a built-in permission set.
    pub fn built_in_set(self, set: BuiltInSet) -> &'static str {
        match set {
            BuiltInSet::Administrator => self.permissions_set_administrator(),
            BuiltInSet::Standard => self.permissions_set_standard(),
            BuiltInSet::Reader => self.permissions_set_reader(),
        }
    }

    /// The name of a permission set.
    pub fn set_name(self, name: &SetName) -> &str {
        match name {
            SetName::BuiltIn(set) => self.built_in_set(*set),
            SetName::Own(name) => name,
        }
    }

    /// A scope's name.
    pub fn scope(self, scope: Scope) -> &'static str {
        match scope {
            Scope::ReadOnly => self.tokens_read(),
            Scope::ReadWrite => self.tokens_write(),
        }
    }

    /// What a scope lets an application do.
    pub fn scope_explained(self, scope: Scope) -> &'static str {
        match scope {
            Scope::ReadOnly => self.tokens_read_text(),
            Scope::ReadWrite => self.tokens_write_text(),
        }
    }

    /// Returns the state of a token in a few words, and the key of its colour and shape.
    pub fn state(self, state: TokenState, now: Timestamp) -> (String, &'static str) {
        let words = match Left::of(state, now) {
            Some(Left::Days(days)) => self.tokens_expires_days(days),
            Some(Left::Hours(hours)) => self.tokens_expires_hours(hours),
            Some(Left::LastHour) => self.tokens_expires_soon().into(),
            None => return self.state_that_stays(state),
        };
        (words, "expiring")
    }

    /// Returns the same for a column beside the day on which it expires.
    pub fn state_in_column(self, state: TokenState, now: Timestamp) -> (String, &'static str) {
        let words = match Left::of(state, now) {
            Some(Left::Days(days)) => self.tables_days_left(days),
            Some(Left::Hours(hours)) => self.tables_hours_left(hours),
            Some(Left::LastHour) => self.tables_last_hour().into(),
            None => return self.state_that_stays(state),
        };
        (words, "expiring")
    }

    fn state_that_stays(self, state: TokenState) -> (String, &'static str) {
        match state {
            TokenState::Active { .. } => (self.tokens_state_active().into(), "active"),
            TokenState::Revoked { .. } => (self.tokens_state_revoked().into(), "revoked"),
            TokenState::Expired { .. } => (self.tokens_state_expired().into(), "expired"),
        }
    }
}

/// Returns the time left of a token that expires soon.
enum Left {
    /// Rounded to the nearest day, so that it agrees with the date beside it.
    Days(i64),
    Hours(i64),
    LastHour,
}

impl Left {
    fn of(state: TokenState, now: Timestamp) -> Option<Self> {
        let TokenState::Active { expires_at } = state else { return None };
        match expires_at.since(now) {
            EXPIRES_SOON.. => None,
            left @ DAY.. => Some(Self::Days((left + DAY / 2) / DAY)),
            left @ HOUR.. => Some(Self::Hours(left / HOUR)),
            _ => Some(Self::LastHour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    const ENGLISH: Texts = Texts(Language::En);
    const FRENCH: Texts = Texts(Language::Fr);
    /// 2026-11-21 12:00:00 UTC, a Saturday.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

    #[test]
    fn a_token_that_expires_soon_says_so() {
        let state = |left| ENGLISH.state(TokenState::Active { expires_at: NOW.plus(left) }, NOW);
        assert_eq!(state(EXPIRES_SOON), ("Active".into(), "active"));
        assert_eq!(state(EXPIRES_SOON - 1), ("Expires in 7 days".into(), "expiring"));
        assert_eq!(state(DAY), ("Expires in 1 day".into(), "expiring"));
        assert_eq!(state(DAY - 1), ("Expires in 23 hours".into(), "expiring"));
        assert_eq!(state(1), ("Expires within the hour".into(), "expiring"));
        let in_column = ENGLISH.state_in_column(TokenState::Active { expires_at: NOW.plus(DAY) }, NOW);
        assert_eq!(in_column, ("1 day left".into(), "expiring"));
    }

    #[test]
    fn no_set_can_have_the_name_of_a_built_in_one() {
        for t in [ENGLISH, FRENCH] {
            for set in BuiltInSet::ALL {
                assert!(BuiltInSet::has_name(&t.built_in_set(set).to_uppercase()), "{}", t.built_in_set(set));
            }
        }
        assert!(!BuiltInSet::has_name("Field staff"));
    }
}
