//! Enums whose values have a key: in the database, in addresses, in forms and for programs.

/// Declares an enum together with the key of each value, so that neither can be forgotten: `ALL`, in the order in which
/// they are declared, `key` and `from_key`.
///
/// A macro by example, as a derive would need an attribute more for each value, and a crate for each room that asks.
#[macro_export]
macro_rules! keyed {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$of_value:meta])* $value:ident = $key:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$of_value])* $value,)*
        }

        impl $name {
            /// All of them, in the order of lists and forms.
            pub const ALL: [Self; [$($key),*].len()] = [$(Self::$value),*];

            /// Returns the stable key.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$value => $key,)*
                }
            }

            /// Returns the value with this key.
            pub fn from_key(key: &str) -> Option<Self> {
                match key {
                    $($key => Some(Self::$value),)*
                    _ => None,
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{
        access::Level,
        activity::Action,
        kind::CommonAction,
        permission::{BuiltInPermission, BuiltInSet},
        protected_api::Needs,
        token::{RevokedBy, Scope, TokenKind},
        user::{Language, Theme},
    };

    #[test]
    fn keys_that_stand_in_databases_stay_and_are_read_back() {
        macro_rules! keys {
            ($($name:ident: $keys:literal,)*) => {
                $(
                    assert_eq!($name::ALL.map($name::key).join(" "), $keys);
                    assert!($name::ALL.into_iter().all(|value| $name::from_key(value.key()) == Some(value)));
                    assert_eq!($name::from_key("eaten"), None);
                )*
            };
        }
        keys! {
            TokenKind: "personal service",
            Scope: "read read_write",
            RevokedBy: "owner key leak operator administrator membership replaced",
            Needs: "by_method read read_write",
            BuiltInSet: "administrator standard reader",
            Language: "en fr",
            Theme: "system light dark",
            CommonAction: "view edit delete share",
            Level: "view edit manage",
            BuiltInPermission: "platform.users platform.groups platform.sites platform.permission_sets platform.kinds \
                platform.integrations platform.activity platform.billing platform.verify_tokens templates.view templates.edit \
                templates.delete templates.share inspections.view inspections.conduct inspections.delete \
                inspections.share assets.view assets.edit assets.delete assets.share",
            Action: "installation.set_up installation.restored installation.clock_confirmed \
                installation.freshness_changed organization.created \
                organization.changed session.started session.ended session.others_ended password.changed \
                password.reset password.link_made profile.changed profile.email_change_asked \
                profile.email_change_cancelled profile.email_changed account.promoted account.demoted \
                account.blocked account.unblocked user.invited user.invitation_withdrawn user.joined \
                user.deactivated user.reactivated user.removed user.permission_set_changed permission_set.created \
                permission_set.changed permission_set.deleted kind.created kind.changed kind.fields_changed kind.deleted group.created \
                group.renamed group.deleted group.member_added group.members_added group.member_removed \
                group.members_removed site.created site.renamed site.moved site.deleted site.member_added \
                site.members_added site.member_removed site.members_removed user.external_id_changed \
                token.external_id_changed item.created item.changed item.given item.archived item.unarchived item.deleted item.shared \
                item.share_changed item.share_ended access_rule.created access_rule.changed access_rule.deleted \
                sharing.refused sharing.accepted token.created token.first_used token.renamed \
                token.expiry_changed token.permissions_changed token.revoked token.leaked token.regenerated \
                token.rotated token.old_key_ended token.deleted token.expired token.refused protected_api.created \
                protected_api.changed protected_api.deleted data.exported",
        }
    }
}
