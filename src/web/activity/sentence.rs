//! Entries of the log as sentences.

use crate::{texts::Texts, words::Calendar};
use domain::{
    activity::{Action, ActionGroup, Detail, Logged},
    kind::Kind,
    permission::{OwnPermissions, Permissions},
    permission_set::SetName,
    protected_api::Rule,
};

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words of the sentence itself.
    Words(String),
    /// Who or what it is about, with a link to its page.
    Name(Name),
    /// What somebody has written.
    Quote(String),
}

/// A name in a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub words: String,
    /// The page about it, if it still exists.
    pub href: Option<String>,
}

/// The names that a sentence may need.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Who did it.
    pub actor: Name,
    /// Whom or what it happened to.
    pub target: Name,
    /// The token.
    pub token: Name,
    /// Further details.
    pub detail: String,
}

// Placeholders for names, so that the text of each language decides where names stand, and no name is ever read as part
// of a text. Nobody else uses these characters: Unicode reserves them for private use.
const ACTOR: char = '\u{e000}';
const TARGET: char = '\u{e001}';
const TOKEN: char = '\u{e002}';
const DETAIL: char = '\u{e003}';

/// Returns whether nobody caused the entry. A leak report has an author even if it is not known who.
pub fn is_by_itself(entry: &Logged) -> bool {
    entry.actor_name.is_empty() && entry.action != Action::TokenLeaked
}

/// Returns the sentence about an entry.
pub fn pieces(t: Texts, entry: &Logged, names: &Names) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = String::new();
    for c in text(t, entry).chars() {
        let name = match c {
            ACTOR => Piece::Name(names.actor.clone()),
            TARGET => Piece::Name(names.target.clone()),
            TOKEN => Piece::Name(names.token.clone()),
            DETAIL => match &entry.detail {
                Some(Detail::Words(_)) if entry.action != Action::Exported => Piece::Quote(names.detail.clone()),
                Some(Detail::PermissionSet(_)) => Piece::Name(Name { words: names.detail.clone(), href: None }),
                _ => Piece::Words(names.detail.clone()),
            },
            c => {
                words.push(c);
                continue;
            }
        };
        pieces.extend(Some(std::mem::take(&mut words)).filter(|words| !words.is_empty()).map(Piece::Words));
        pieces.push(name);
    }
    words.push('.');
    pieces.push(Piece::Words(words));
    pieces
}

/// Returns the detail of a sentence, in the reader's language.
pub fn detail(t: Texts, calendar: Calendar, entry: &Logged) -> String {
    match &entry.detail {
        Some(Detail::PermissionSet(SetName::BuiltIn(set))) => t.built_in_set(*set).into(),
        Some(Detail::Moment(at)) => calendar.exact(*at),
        detail => detail.as_ref().map(Detail::to_text).unwrap_or_default(),
    }
}

/// Describes a rule of a protected API as its page does.
fn rule(t: Texts, kinds: &[Kind], rule: &Rule) -> String {
    let (methods, needs) = (t.methods(rule.methods), t.needs(rule.needs));
    let of = rule.item.as_ref().map(|kind| format!(" ({})", t.item_kind(kinds, kind))).unwrap_or_default();
    match &rule.permission {
        Some(permission) => format!("{methods} {}{of} → {needs}, {}", rule.path, t.any_permission(kinds, permission)),
        None => format!("{methods} {}{of} → {needs}", rule.path),
    }
}

/// Returns what was added and removed, one line each, in an organization with these kinds; the detail as it is stored
/// if it has another form.
pub fn changes(t: Texts, kinds: &[Kind], entry: &Logged) -> Vec<String> {
    let named =
        |permissions: &Permissions| Some(t.permission_names(kinds, permissions)).filter(|names| !names.is_empty());
    let own = |permissions: OwnPermissions| named(&permissions.into());
    let has_lines = matches!(
        entry.action,
        Action::PermissionSetChanged
            | Action::TokenPermissionsChanged
            | Action::ProtectedApiCreated
            | Action::ProtectedApiChanged
    );
    match &entry.detail {
        Some(Detail::Permissions { added, removed }) => {
            let added = named(added).map(|names| t.activity_added(names));
            added.into_iter().chain(named(removed).map(|names| t.activity_taken(names))).collect()
        }
        Some(Detail::Kind { added, removed, turned }) => {
            let (now_read, now_change) = (turned.filter(|one| one.reads()), turned.filter(|one| !one.reads()));
            let lines = [
                own(added.clone()).map(|names| t.activity_added(names)),
                own(removed.clone()).map(|names| t.activity_taken(names)),
                own(now_read).map(|names| t.activity_now_read(names)),
                own(now_change).map(|names| t.activity_now_change(names)),
            ];
            lines.into_iter().flatten().collect()
        }
        Some(Detail::ProtectedApi { base_url, rules, lets_preflights }) => {
            let mut lines = vec![base_url.as_str().to_owned()];
            lines.extend(rules.iter().map(|one| rule(t, kinds, one)));
            lines.extend(lets_preflights.then(|| t.protected_apis_preflights_pass().to_owned()));
            lines
        }
        Some(Detail::Share { level, recipient, name, .. }) => {
            vec![t.activity_share(t.level(*level), t.recipient_kind(*recipient), name)]
        }
        Some(Detail::AccessRule { kind, level, recipient, site, template }) => {
            let (kind, recipient) = (t.item_kind(kinds, kind), t.recipient_kind(*recipient));
            let mut lines = vec![t.activity_access_rule(t.level(*level), kind, recipient)];
            lines.extend(site.as_ref().map(|name| t.activity_at_site(name)));
            lines.extend(template.as_ref().map(|name| t.activity_of_template(name)));
            lines
        }
        Some(members @ Detail::Members(_)) => vec![t.activity_members(members.to_text())],
        Some(Detail::Words(words)) if has_lines => words.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn text(t: Texts, entry: &Logged) -> String {
    let (has_detail, by_itself) = (entry.detail.is_some(), is_by_itself(entry));
    let is_about_another = entry.target.is_some() && entry.target != entry.actor;
    let is_service_user =
        entry.actor.is_none() && entry.token.as_ref().is_some_and(|(_, name)| *name == entry.actor_name);
    match entry.action {
        Action::InstallationSetUp => t.activity_said_installation_set_up(ACTOR),
        Action::InstallationRestored => t.activity_said_installation_restored(ACTOR, DETAIL),
        Action::ClockConfirmed => t.activity_said_clock_confirmed(ACTOR),
        Action::FreshnessChanged => t.activity_said_freshness_changed(ACTOR, DETAIL),
        Action::OrganizationCreated => t.activity_said_organization_created(ACTOR),
        Action::OrganizationChanged if has_detail => t.activity_said_organization_renamed(ACTOR, DETAIL),
        Action::OrganizationChanged => t.activity_said_organization_changed(ACTOR),
        Action::SessionStarted => t.activity_said_session_started(ACTOR),
        Action::SessionEnded => t.activity_said_session_ended(ACTOR),
        Action::OtherSessionsEnded => t.activity_said_session_others_ended(ACTOR),
        Action::PasswordChanged => t.activity_said_password_changed(ACTOR),
        Action::PasswordReset if is_about_another => t.activity_said_password_given(ACTOR, TARGET),
        Action::PasswordReset => t.activity_said_password_reset(ACTOR),
        Action::PasswordLinkMade => t.activity_said_password_link_made(ACTOR, TARGET),
        Action::ProfileChanged => t.activity_said_profile_changed(ACTOR),
        Action::EmailChangeAsked => t.activity_said_profile_email_change_asked(ACTOR),
        Action::EmailChangeCancelled => t.activity_said_profile_email_change_cancelled(ACTOR),
        Action::EmailChanged if has_detail => t.activity_said_profile_email_changed_to(ACTOR, DETAIL),
        Action::EmailChanged => t.activity_said_profile_email_changed(ACTOR),
        Action::AccountPromoted => t.activity_said_account_promoted(ACTOR, TARGET),
        Action::AccountDemoted => t.activity_said_account_demoted(ACTOR, TARGET),
        Action::AccountBlocked => t.activity_said_account_blocked(ACTOR, TARGET),
        Action::AccountUnblocked => t.activity_said_account_unblocked(ACTOR, TARGET),
        Action::UserInvited => t.activity_said_user_invited(ACTOR, TARGET),
        Action::InvitationWithdrawn => t.activity_said_user_invitation_withdrawn(ACTOR, TARGET),
        Action::UserJoined if is_about_another => t.activity_said_user_added(ACTOR, TARGET),
        Action::UserJoined => t.activity_said_user_joined(ACTOR),
        Action::UserDeactivated => t.activity_said_user_deactivated(ACTOR, TARGET),
        Action::UserReactivated => t.activity_said_user_reactivated(ACTOR, TARGET),
        Action::UserRemoved => t.activity_said_user_removed(ACTOR, TARGET),
        Action::UserPermissionSetChanged => t.activity_said_user_permission_set_changed(ACTOR, TARGET, DETAIL),
        Action::PermissionSetCreated => t.activity_said_permission_set_created(ACTOR, TARGET),
        Action::PermissionSetChanged => t.activity_said_permission_set_changed(ACTOR, TARGET),
        Action::PermissionSetDeleted => t.activity_said_permission_set_deleted(ACTOR, TARGET),
        Action::KindCreated => t.activity_said_kind_created(ACTOR, TARGET),
        Action::KindChanged => t.activity_said_kind_changed(ACTOR, TARGET),
        Action::KindFieldsChanged => t.activity_said_kind_fields_changed(ACTOR, TARGET),
        Action::KindDeleted => t.activity_said_kind_deleted(ACTOR, TARGET),
        Action::GroupCreated => t.activity_said_group_created(ACTOR, TARGET),
        Action::GroupRenamed => t.activity_said_group_renamed(ACTOR, DETAIL, TARGET),
        Action::GroupDeleted => t.activity_said_group_deleted(entry.count, ACTOR, TARGET),
        Action::GroupMemberAdded => t.activity_said_group_member_added(ACTOR, TARGET, DETAIL),
        Action::GroupMembersAdded => t.activity_said_group_members_added(entry.count, ACTOR, TARGET),
        Action::GroupMemberRemoved => t.activity_said_group_member_removed(ACTOR, TARGET, DETAIL),
        Action::GroupMembersRemoved => t.activity_said_group_members_removed(entry.count, ACTOR, TARGET),
        Action::SiteCreated if has_detail => t.activity_said_site_created_in(ACTOR, TARGET, DETAIL),
        Action::SiteCreated => t.activity_said_site_created(ACTOR, TARGET),
        Action::SiteRenamed => t.activity_said_site_renamed(ACTOR, DETAIL, TARGET),
        Action::SiteMoved if has_detail => t.activity_said_site_moved_to(ACTOR, TARGET, DETAIL),
        Action::SiteMoved => t.activity_said_site_moved(ACTOR, TARGET),
        Action::SiteDeleted => t.activity_said_site_deleted(entry.count, ACTOR, TARGET),
        Action::SiteMemberAdded => t.activity_said_site_member_added(ACTOR, TARGET, DETAIL),
        Action::SiteMembersAdded => t.activity_said_site_members_added(entry.count, ACTOR, TARGET),
        Action::SiteMemberRemoved => t.activity_said_site_member_removed(ACTOR, TARGET, DETAIL),
        Action::SiteMembersRemoved => t.activity_said_site_members_removed(entry.count, ACTOR, TARGET),
        Action::UserExternalIdChanged if has_detail => t.activity_said_user_external_id_changed(ACTOR, TARGET, DETAIL),
        Action::UserExternalIdChanged => t.activity_said_user_external_id_removed(ACTOR, TARGET),
        Action::TokenExternalIdChanged if has_detail => t.activity_said_token_external_id_changed(ACTOR, TOKEN, DETAIL),
        Action::TokenExternalIdChanged => t.activity_said_token_external_id_removed(ACTOR, TOKEN),
        Action::ItemCreated => t.activity_said_item_created(ACTOR, TARGET),
        Action::ItemChanged => t.activity_said_item_changed(ACTOR, TARGET),
        Action::ItemGiven => t.activity_said_item_given(ACTOR, TARGET),
        Action::ItemArchived => t.activity_said_item_archived(ACTOR, TARGET),
        Action::ItemUnarchived => t.activity_said_item_unarchived(ACTOR, TARGET),
        Action::ItemDeleted => t.activity_said_item_deleted(ACTOR, TARGET),
        Action::ItemShared => t.activity_said_item_shared(ACTOR, TARGET),
        Action::ShareChanged => t.activity_said_item_share_changed(ACTOR, TARGET),
        Action::ShareEnded => t.activity_said_item_share_ended(ACTOR, TARGET),
        Action::AccessRuleCreated => t.activity_said_access_rule_created(ACTOR, TARGET),
        Action::AccessRuleChanged => t.activity_said_access_rule_changed(ACTOR, TARGET),
        Action::AccessRuleDeleted => t.activity_said_access_rule_deleted(ACTOR, TARGET),
        Action::OrganizationRefused => t.activity_said_sharing_refused(ACTOR, TARGET),
        Action::OrganizationAccepted => t.activity_said_sharing_accepted(ACTOR, TARGET),
        Action::TokenCreated => t.activity_said_token_created(ACTOR, TOKEN),
        Action::TokenFirstUsed if is_service_user => t.activity_said_token_first_used_itself(TOKEN),
        Action::TokenFirstUsed => t.activity_said_token_first_used(ACTOR, TOKEN),
        Action::TokenRenamed => t.activity_said_token_renamed(ACTOR, DETAIL, TOKEN),
        Action::TokenExpiryChanged => t.activity_said_token_expiry_changed(ACTOR, TOKEN, DETAIL),
        Action::TokenPermissionsChanged => t.activity_said_token_permissions_changed(ACTOR, TOKEN),
        Action::TokenRevoked if has_detail => t.activity_said_token_revoked_because(ACTOR, TOKEN, DETAIL),
        Action::TokenRevoked => t.activity_said_token_revoked(ACTOR, TOKEN),
        Action::TokenLeaked if has_detail => t.activity_said_token_leaked_at(TOKEN, DETAIL),
        Action::TokenLeaked => t.activity_said_token_leaked(TOKEN),
        Action::TokenRegenerated => t.activity_said_token_regenerated(ACTOR, TOKEN),
        Action::TokenRotated if has_detail => t.activity_said_token_rotated_until(ACTOR, TOKEN, DETAIL),
        Action::TokenRotated => t.activity_said_token_rotated(ACTOR, TOKEN),
        Action::OldKeyEnded if by_itself => t.activity_said_token_old_key_over(TOKEN),
        Action::OldKeyEnded => t.activity_said_token_old_key_ended(ACTOR, TOKEN),
        Action::TokenDeleted => t.activity_said_token_deleted(ACTOR, TOKEN),
        Action::TokenExpired => t.activity_said_token_expired(TOKEN),
        Action::RevokedTokenRefused => t.activity_said_token_refused(entry.count, TOKEN),
        Action::ProtectedApiCreated => t.activity_said_protected_api_created(ACTOR, TARGET),
        Action::ProtectedApiChanged => t.activity_said_protected_api_changed(ACTOR, TARGET),
        Action::ProtectedApiDeleted => t.activity_said_protected_api_deleted(ACTOR, TARGET),
        Action::Exported => t.activity_said_data_exported(ACTOR, DETAIL),
    }
}

impl Texts {
    /// A group of actions, as filters name it.
    pub fn action_group(self, group: ActionGroup) -> &'static str {
        match group {
            ActionGroup::Tokens => self.activity_group_tokens(),
            ActionGroup::Users => self.activity_group_users(),
            ActionGroup::PermissionSets => self.activity_group_permission_sets(),
            ActionGroup::Groups => self.activity_group_groups(),
            ActionGroup::Items => self.activity_group_items(),
            ActionGroup::Accounts => self.activity_group_accounts(),
            ActionGroup::Organization => self.activity_group_organization(),
        }
    }

    /// An action, as filters name it.
    pub fn action(self, action: Action) -> &'static str {
        match action {
            Action::InstallationSetUp => self.activity_names_installation_set_up(),
            Action::InstallationRestored => self.activity_names_installation_restored(),
            Action::ClockConfirmed => self.activity_names_clock_confirmed(),
            Action::FreshnessChanged => self.activity_names_freshness_changed(),
            Action::OrganizationCreated => self.activity_names_organization_created(),
            Action::OrganizationChanged => self.activity_names_organization_changed(),
            Action::SessionStarted => self.activity_names_session_started(),
            Action::SessionEnded => self.activity_names_session_ended(),
            Action::OtherSessionsEnded => self.activity_names_session_others_ended(),
            Action::PasswordChanged => self.activity_names_password_changed(),
            Action::PasswordReset => self.activity_names_password_reset(),
            Action::PasswordLinkMade => self.activity_names_password_link_made(),
            Action::ProfileChanged => self.activity_names_profile_changed(),
            Action::EmailChangeAsked => self.activity_names_profile_email_change_asked(),
            Action::EmailChangeCancelled => self.activity_names_profile_email_change_cancelled(),
            Action::EmailChanged => self.activity_names_profile_email_changed(),
            Action::AccountPromoted => self.activity_names_account_promoted(),
            Action::AccountDemoted => self.activity_names_account_demoted(),
            Action::AccountBlocked => self.activity_names_account_blocked(),
            Action::AccountUnblocked => self.activity_names_account_unblocked(),
            Action::UserInvited => self.activity_names_user_invited(),
            Action::InvitationWithdrawn => self.activity_names_user_invitation_withdrawn(),
            Action::UserJoined => self.activity_names_user_joined(),
            Action::UserDeactivated => self.activity_names_user_deactivated(),
            Action::UserReactivated => self.activity_names_user_reactivated(),
            Action::UserRemoved => self.activity_names_user_removed(),
            Action::UserPermissionSetChanged => self.activity_names_user_permission_set_changed(),
            Action::PermissionSetCreated => self.activity_names_permission_set_created(),
            Action::PermissionSetChanged => self.activity_names_permission_set_changed(),
            Action::PermissionSetDeleted => self.activity_names_permission_set_deleted(),
            Action::KindCreated => self.activity_names_kind_created(),
            Action::KindChanged => self.activity_names_kind_changed(),
            Action::KindFieldsChanged => self.activity_names_kind_fields_changed(),
            Action::KindDeleted => self.activity_names_kind_deleted(),
            Action::GroupCreated => self.activity_names_group_created(),
            Action::GroupRenamed => self.activity_names_group_renamed(),
            Action::GroupDeleted => self.activity_names_group_deleted(),
            Action::GroupMemberAdded => self.activity_names_group_member_added(),
            Action::GroupMembersAdded => self.activity_names_group_members_added(),
            Action::GroupMemberRemoved => self.activity_names_group_member_removed(),
            Action::GroupMembersRemoved => self.activity_names_group_members_removed(),
            Action::SiteCreated => self.activity_names_site_created(),
            Action::SiteRenamed => self.activity_names_site_renamed(),
            Action::SiteMoved => self.activity_names_site_moved(),
            Action::SiteDeleted => self.activity_names_site_deleted(),
            Action::SiteMemberAdded => self.activity_names_site_member_added(),
            Action::SiteMembersAdded => self.activity_names_site_members_added(),
            Action::SiteMemberRemoved => self.activity_names_site_member_removed(),
            Action::SiteMembersRemoved => self.activity_names_site_members_removed(),
            Action::UserExternalIdChanged => self.activity_names_user_external_id_changed(),
            Action::TokenExternalIdChanged => self.activity_names_token_external_id_changed(),
            Action::ItemCreated => self.activity_names_item_created(),
            Action::ItemChanged => self.activity_names_item_changed(),
            Action::ItemGiven => self.activity_names_item_given(),
            Action::ItemArchived => self.activity_names_item_archived(),
            Action::ItemUnarchived => self.activity_names_item_unarchived(),
            Action::ItemDeleted => self.activity_names_item_deleted(),
            Action::ItemShared => self.activity_names_item_shared(),
            Action::ShareChanged => self.activity_names_item_share_changed(),
            Action::ShareEnded => self.activity_names_item_share_ended(),
            Action::AccessRuleCreated => self.activity_names_access_rule_created(),
            Action::AccessRuleChanged => self.activity_names_access_rule_changed(),
            Action::AccessRuleDeleted => self.activity_names_access_rule_deleted(),
            Action::OrganizationRefused => self.activity_names_sharing_refused(),
            Action::OrganizationAccepted => self.activity_names_sharing_accepted(),
            Action::TokenCreated => self.activity_names_token_created(),
            Action::TokenFirstUsed => self.activity_names_token_first_used(),
            Action::TokenRenamed => self.activity_names_token_renamed(),
            Action::TokenExpiryChanged => self.activity_names_token_expiry_changed(),
            Action::TokenPermissionsChanged => self.activity_names_token_permissions_changed(),
            Action::TokenRevoked => self.activity_names_token_revoked(),
            Action::TokenLeaked => self.activity_names_token_leaked(),
            Action::TokenRegenerated => self.activity_names_token_regenerated(),
            Action::TokenRotated => self.activity_names_token_rotated(),
            Action::OldKeyEnded => self.activity_names_token_old_key_ended(),
            Action::TokenDeleted => self.activity_names_token_deleted(),
            Action::TokenExpired => self.activity_names_token_expired(),
            Action::RevokedTokenRefused => self.activity_names_token_refused(),
            Action::ProtectedApiCreated => self.activity_names_protected_api_created(),
            Action::ProtectedApiChanged => self.activity_names_protected_api_changed(),
            Action::ProtectedApiDeleted => self.activity_names_protected_api_deleted(),
            Action::Exported => self.activity_names_data_exported(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        activity::{CHAIN_START, Source},
        time::Timestamp,
        user::{Language, UserId},
    };

    fn entry(action: Action) -> Logged {
        Logged {
            id: 1,
            position: 1,
            organization: None,
            at: Timestamp::from_seconds(0),
            action,
            actor: Some(UserId(1)),
            actor_name: "Awa".into(),
            target: Some(UserId(2)),
            target_name: Some("Léa".into()),
            token: Some(("abc".into(), "Power BI".into())),
            detail: Some(Detail::words("laptop stolen")),
            count: 3,
            source: Source::default(),
            hash: CHAIN_START,
        }
    }

    fn read(t: Texts, entry: &Logged) -> String {
        let name = |words: &str| Name { words: words.into(), href: None };
        let names =
            Names { actor: name("Awa"), target: name("Léa"), token: name("Power BI"), detail: "laptop stolen".into() };
        let words = |piece| match piece {
            Piece::Words(words) | Piece::Quote(words) => words,
            Piece::Name(name) => name.words,
        };
        pieces(t, entry, &names).into_iter().map(words).collect()
    }

    #[test]
    fn every_entry_is_a_sentence_in_both_languages() {
        for language in [Language::En, Language::Fr] {
            for action in Action::ALL {
                for has_detail in [true, false] {
                    let mut entry = entry(action);
                    entry.detail = entry.detail.filter(|_| has_detail);
                    let sentence = read(Texts(language), &entry);
                    assert!(sentence.ends_with('.') && !sentence.contains(['\u{e000}', '\u{e003}']), "{sentence}");
                    assert!(sentence.contains("Awa") || sentence.contains("Power BI"), "{sentence}");
                    assert!(!Texts(language).action(action).is_empty());
                }
            }
        }
        let (english, french) = (Texts(Language::En), Texts(Language::Fr));
        let revoked = entry(Action::TokenRevoked);
        assert_eq!(read(english, &revoked), "Awa revoked the token Power BI: laptop stolen.");
        assert_eq!(read(french, &revoked), "Awa a révoqué le jeton Power BI\u{202f}: laptop stolen.");
        let refused = entry(Action::RevokedTokenRefused);
        assert_eq!(read(english, &refused), "The revoked token Power BI was called again 3 times and refused.");
    }

    #[test]
    fn a_name_with_markup_is_shown_as_text() {
        let names = Names { actor: Name { words: "\u{e002}{token}".into(), href: None }, ..Names::default() };
        let pieces = pieces(Texts(Language::En), &entry(Action::SessionStarted), &names);
        assert_eq!(pieces, [Piece::Name(names.actor), Piece::Words(" signed in.".into())]);
    }

    #[test]
    fn changed_permissions_are_listed_by_name() {
        let mut entry = entry(Action::TokenPermissionsChanged);
        entry.detail = Some(Detail::parse(entry.action, "+assets.view -Users.edit"));
        assert_eq!(changes(Texts(Language::En), &[], &entry), ["+assets.view -Users.edit"], "not all are permissions");
        entry.detail = Some(Detail::parse(entry.action, "+assets.view -assets.edit"));
        let told = changes(Texts(Language::En), &[], &entry);
        assert_eq!(told, ["Added: Assets: View.", "Removed: Assets: Create and edit."]);
    }

    #[test]
    fn rules_of_protected_apis_are_described_in_words() {
        let mut entry = entry(Action::ProtectedApiChanged);
        let text =
            "https://api.example.org/v1/\nreads /a b/* → read templates.view\nPOST /x → y → by_method\npreflights";
        entry.detail = Some(Detail::parse(entry.action, text));
        let told = changes(Texts(Language::Fr), &[], &entry);
        let read = "Lecture (GET, HEAD, OPTIONS) /a b/* → Lecture seule, Modèles : Voir";
        let preflights = "Les requêtes CORS preflight sont autorisées sans clé.";
        assert_eq!(told, ["https://api.example.org/v1/", read, "POST /x → y → Selon la méthode", preflights]);
    }
}
