//! What is wrong with a form, and what to do about it.

use crate::texts::Texts;
use app::problem::{ActionProblem, Field, Problem, Problems};
use domain::{
    access::{MOST_RULES as MOST_ACCESS_RULES, MOST_SHARES, Unsuitable},
    group::MOST_GROUPS,
    item::{LONGEST_DESCRIPTION, LONGEST_NAME},
    kind::{KeyError, Kind, LONGEST_KEY, MOST_ACTIONS, MOST_KINDS},
    membership::listed::MOST_LISTED,
    protected_api::{ITEM, LONGEST_PATH, MOST_APIS, MOST_RULES, PathError},
    site::{MOST_LEVELS, MOST_SITES},
    text::{LONGEST, LONGEST_EXTERNAL_ID, LONGEST_REASON, TextError},
    token::{PERSONAL_LIMIT, SERVICE_LIMIT},
    user::{EmailError, PasswordError, SHORTEST_PASSWORD},
};

/// All fields, in the order of the forms, with the names of their inputs.
const FIELDS: &[(Field, &str)] = &[
    (Field::Form, "form"),
    (Field::Name, "name"),
    (Field::Email, "email"),
    (Field::Organization, "organization"),
    (Field::Slug, "slug"),
    (Field::Label, "label"),
    (Field::Scope, "scope"),
    (Field::Inactivity, "inactivity"),
    (Field::SetName, "name"),
    (Field::Permissions, "permissions"),
    (Field::PermissionSet, "permission_set"),
    (Field::Hours, "hours"),
    (Field::Quiet, "quiet"),
    (Field::Password, "password"),
    (Field::NewPassword, "new_password"),
    (Field::Language, "language"),
    (Field::TimeZone, "time_zone"),
    (Field::Theme, "theme"),
    (Field::Person, "person"),
    (Field::Token, "token"),
    (Field::Kind, "kind"),
    (Field::FirstDay, "from"),
    (Field::LastDay, "to"),
    (Field::Reason, "reason"),
    (Field::Singular, "singular"),
    (Field::Plural, "plural"),
    (Field::Key, "key"),
    (Field::Actions, "actions"),
    (Field::GroupName, "name"),
    (Field::SiteName, "name"),
    (Field::Parent, "parent"),
    (Field::People, "people"),
    (Field::ExternalId, "external_id"),
    (Field::ItemName, "name"),
    (Field::Description, "description"),
    (Field::Template, "template"),
    (Field::Site, "site"),
    (Field::Recipient, "recipient"),
    (Field::Level, "level"),
    (Field::Questions, "questions"),
    (Field::Answers, "answers"),
    (Field::ApiName, "name"),
    (Field::Address, "address"),
    (Field::Rules, "rules"),
];

/// The problems of a form, in words, field by field in the order of the page.
#[derive(Clone, Debug, Default)]
pub struct Errors(Vec<(&'static str, String)>);

impl Errors {
    /// Creates the texts for `problems` of a form that is not about permissions.
    pub fn new(t: Texts, problems: &Problems) -> Self {
        Self::named(t, &[], problems)
    }

    /// Creates the texts for `problems`, in an organization with these kinds, whose names are those of permissions.
    pub fn named(t: Texts, kinds: &[Kind], problems: &Problems) -> Self {
        // The page already says above the form that it came back.
        let said = |problem: &Problem| *problem != Problem::KeptForm;
        let found = FIELDS
            .iter()
            .filter_map(|(field, name)| problems.at(*field).filter(said).map(|problem| (*field, *name, problem)));
        Self(found.map(|(field, name, problem)| (name, t.problem(kinds, field, problem))).collect())
    }

    /// Returns the problem of the field with this name.
    pub fn at(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| *at == name).map(|(_, words)| words.as_str())
    }

    /// Iterates over all fields with a problem, and what is wrong with each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, words)| (*name, words.as_str()))
    }

    /// Returns whether this field gets the focus: it is the first with a problem.
    pub fn starts_at(&self, name: &str) -> bool {
        self.0.iter().find(|(at, _)| *at != "form").is_some_and(|(at, _)| *at == name)
    }

    /// Returns the same with another text for the problem of this field, where a page can be more specific.
    pub fn reworded(mut self, name: &str, words: &str) -> Self {
        for (_, said) in self.0.iter_mut().filter(|(at, _)| *at == name) {
            words.clone_into(said);
        }
        self
    }

    /// Returns whether there are no problems.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Texts {
    /// Returns what is wrong with `field` and what to do about it, in an organization with these kinds.
    pub fn problem(self, kinds: &[Kind], field: Field, problem: Problem) -> String {
        match problem {
            Problem::Text(error) => self.text_problem(field, error),
            Problem::Email(EmailError::Empty) => self.problem_email_empty().into(),
            Problem::Email(EmailError::Malformed) => self.problem_email_malformed().into(),
            Problem::Email(EmailError::Text(error)) => self.text_problem(field, error),
            Problem::Password(error) => self.password_problem(field, error),
            Problem::EmailTaken => self.problem_email_taken().into(),
            Problem::WrongCredentials => self.problem_wrong_credentials().into(),
            Problem::WrongPassword => self.problem_wrong_password().into(),
            Problem::ReauthenticationNeeded => self.problem_proof_needed().into(),
            Problem::OtherOrganization => self.problem_other_organization().into(),
            Problem::KeptForm => self.layout_kept_form().into(),
            Problem::NotAChoice => self.choice_problem(field).into(),
            Problem::LimitReached => self.problem_limit_reached(PERSONAL_LIMIT),
            Problem::ServiceLimitReached => self.problem_service_limit_reached(SERVICE_LIMIT),
            Problem::NothingChosen => self.problem_nothing_chosen().into(),
            Problem::NotHeld(lacking) => self.problem_not_held(self.permission_names(kinds, &lacking)),
            Problem::SlugMalformed => self.problem_slug_malformed().into(),
            Problem::SlugTaken => self.problem_slug_taken().into(),
            Problem::NameTaken => self.problem_name_taken().into(),
            Problem::InUse => self.problem_in_use().into(),
            Problem::MayDoMore(lacking) => self.problem_may_do_more(self.permission_names(kinds, &lacking)),
            Problem::ActiveNowhere if field == Field::Form => self.problem_inactive_account().into(),
            Problem::ActiveNowhere => self.problem_active_nowhere().into(),
            Problem::Blocked if field == Field::Form => self.problem_blocked_account().into(),
            Problem::Blocked => self.problem_blocked().into(),
            Problem::LastInstallationAdmin => self.problem_last_installation_admin().into(),
            Problem::IsMember => self.problem_is_member().into(),
            Problem::IsDeactivated => self.problem_is_deactivated().into(),
            Problem::BelongsElsewhere => self.problem_belongs_elsewhere().into(),
            Problem::LastAdministrator => self.problem_last_administrator().into(),
            Problem::AffectedMeanwhile => self.problem_affected_meanwhile().into(),
            Problem::ChangedMeanwhile => self.problem_changed_meanwhile().into(),
            Problem::WouldExpire => self.problem_would_expire().into(),
            Problem::StillActive => self.problem_still_active().into(),
            Problem::HasEnded => self.problem_has_ended().into(),
            Problem::OverlapRunning => self.problem_overlap_running().into(),
            Problem::Path(error) => self.path_problem(error),
            Problem::Rule(number, error) => self.problem_rule(number, self.path_problem(error)),
            Problem::TooManyRules => self.problem_too_many_rules(MOST_RULES),
            Problem::TooManyApis => self.problem_too_many_apis(MOST_APIS),
            Problem::Key(error) => self.key_problem(error),
            Problem::KeyTaken => self.problem_key_taken().into(),
            Problem::KeyStays => self.problem_key_stays().into(),
            Problem::Action(number, problem) => self.problem_action(number, self.action_problem(problem)),
            Problem::TooManyActions => self.problem_too_many_actions(MOST_ACTIONS),
            Problem::TooManyKinds => self.problem_too_many_kinds(MOST_KINDS),
            Problem::NobodyWouldHold => self.problem_nobody_would_hold().into(),
            Problem::TooManyGroups => self.problem_too_many_groups(MOST_GROUPS),
            Problem::TooManySites => self.problem_too_many_sites(MOST_SITES),
            Problem::TooDeep => self.problem_too_deep(MOST_LEVELS),
            Problem::BelowItself => self.problem_below_itself().into(),
            Problem::HasSites => self.problem_has_sites().into(),
            Problem::NobodyListed => self.problem_nobody_listed().into(),
            Problem::TooManyListed => self.problem_too_many_listed(MOST_LISTED),
            Problem::ExternalIdTaken => self.problem_external_id_taken().into(),
            Problem::ItemIdTaken => self.problem_external_id_in_use().into(),
            Problem::Questions(wrong) => self.problem_questions(wrong.len()),
            Problem::Answers(wrong) => self.problem_answers(wrong.len()),
            Problem::NoQuestionsHere => self.problem_no_questions_here().into(),
            Problem::NoSuchRecipient | Problem::Unsuitable(Unsuitable::Foreign) => {
                self.problem_no_such_recipient().into()
            }
            Problem::Unsuitable(Unsuitable::OwnKind) => self.problem_own_kind_outside().into(),
            Problem::TooManyShares => self.problem_too_many_shares(MOST_SHARES),
            Problem::TooManyAccessRules => self.problem_too_many_access_rules(MOST_ACCESS_RULES),
            Problem::SameAccessRule => self.problem_same_access_rule().into(),
            Problem::HasItems => self.problem_has_items().into(),
            Problem::NoTemplate => self.problem_no_template().into(),
            Problem::SentBefore => self.problem_sent_before().into(),
            Problem::MadeBefore => self.problem_made_before().into(),
            Problem::TryLater(seconds) => self.problem_try_later(seconds),
        }
    }

    fn path_problem(self, error: PathError) -> String {
        match error {
            PathError::NoAddress => self.problem_address().into(),
            PathError::NoSlash => self.problem_path_slash().into(),
            PathError::TooLong => self.problem_text_too_long(LONGEST_PATH),
            PathError::Star => self.problem_path_star().into(),
            PathError::Character => self.problem_path_character().into(),
            PathError::Loose => self.problem_path_loose().into(),
            PathError::Braces => self.problem_path_braces(ITEM),
            PathError::NoKind => self.problem_path_no_kind(ITEM),
            PathError::NoItem => self.problem_path_no_item(ITEM),
        }
    }

    fn key_problem(self, error: KeyError) -> String {
        match error {
            KeyError::Empty => self.problem_key_empty().into(),
            KeyError::Malformed => self.problem_key_malformed(LONGEST_KEY),
            KeyError::Reserved => self.problem_key_reserved().into(),
        }
    }

    fn action_problem(self, problem: ActionProblem) -> String {
        match problem {
            ActionProblem::Name(TextError::Empty) => self.problem_action_name_empty().into(),
            ActionProblem::Name(error) => self.text_problem(Field::Actions, error),
            ActionProblem::NameTaken => self.problem_action_name_taken().into(),
            ActionProblem::Key(error) => self.key_problem(error),
            ActionProblem::KeyTaken => self.problem_action_key_taken().into(),
            ActionProblem::Nature => self.problem_action_nature().into(),
        }
    }

    fn text_problem(self, field: Field, error: TextError) -> String {
        match (error, field) {
            (TextError::Empty, Field::Organization) => self.problem_organization_empty().into(),
            (TextError::Empty, Field::Label) => self.problem_label_empty().into(),
            (TextError::Empty, Field::Reason) => self.problem_reason_empty().into(),
            (TextError::TooLong, Field::Reason) => self.problem_text_too_long(LONGEST_REASON),
            (TextError::Empty, Field::ApiName) => self.problem_api_name_empty().into(),
            (TextError::Empty, Field::Singular) => self.problem_singular_empty().into(),
            (TextError::Empty, Field::Plural) => self.problem_plural_empty().into(),
            (TextError::Empty, Field::GroupName) => self.problem_group_name_empty().into(),
            (TextError::Empty, Field::SiteName) => self.problem_site_name_empty().into(),
            (TextError::TooLong, Field::ExternalId) => self.problem_text_too_long(LONGEST_EXTERNAL_ID),
            (TextError::Empty, Field::ExternalId) => self.problem_text_control().into(),
            (TextError::Empty, Field::ItemName) => self.problem_item_name_empty().into(),
            (TextError::TooLong, Field::ItemName) => self.problem_text_too_long(LONGEST_NAME),
            (TextError::TooLong, Field::Description) => self.problem_text_too_long(LONGEST_DESCRIPTION),
            (TextError::Empty, Field::SetName) => self.problem_set_name_empty().into(),
            (TextError::Empty, _) => self.problem_name_empty().into(),
            (TextError::TooLong, _) => self.problem_text_too_long(LONGEST),
            (TextError::Control, _) => self.problem_text_control().into(),
            (TextError::Hidden(c), _) => self.problem_text_hidden(format!("U+{:04X}", u32::from(c))),
            (TextError::Key, _) => self.problem_text_key().into(),
        }
    }

    fn password_problem(self, field: Field, error: PasswordError) -> String {
        match (error, field) {
            (PasswordError::Empty, Field::NewPassword) => self.problem_new_password_empty().into(),
            (PasswordError::Empty, _) => self.problem_password_empty().into(),
            (PasswordError::TooShort, _) => self.problem_password_too_short(SHORTEST_PASSWORD),
            (PasswordError::TooLong, _) => self.problem_password_too_long().into(),
            (PasswordError::Guessable, _) => self.problem_password_guessable().into(),
        }
    }

    fn choice_problem(self, field: Field) -> &'static str {
        match field {
            Field::Email => self.problem_no_such_user(),
            Field::Language => self.problem_language(),
            Field::TimeZone => self.problem_time_zone(),
            Field::Theme => self.problem_theme(),
            Field::Person => self.problem_person(),
            Field::Token => self.problem_token(),
            Field::Kind => self.problem_kind(),
            Field::FirstDay | Field::LastDay => self.problem_day(),
            Field::Scope => self.problem_scope(),
            Field::Inactivity => self.problem_inactivity(),
            Field::Permissions => self.problem_permission_gone(),
            Field::Rules => self.problem_rule_permission_gone(),
            Field::PermissionSet => self.problem_permission_set(),
            Field::Site => self.problem_site_gone(),
            Field::Template => self.problem_template_gone(),
            Field::Level => self.problem_level_wrong(),
            Field::Hours | Field::Quiet => self.service_users_rotation_hours_wrong(),
            _ => self.problem_form_broken(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    const FRENCH: Texts = Texts(Language::Fr);

    #[test]
    fn the_first_wrong_field_gets_the_focus() {
        let mut problems = Problems::one(Field::NewPassword, Problem::Password(PasswordError::TooShort));
        problems.check(Field::Name, Err::<(), _>(TextError::Empty));
        let errors = Errors::new(FRENCH, &problems);
        assert!(errors.starts_at("name") && !errors.starts_at("new_password"));
        assert_eq!(errors.at("name"), Some("Saisissez votre nom."));
        assert_eq!(errors.at("email"), None);
    }
}
