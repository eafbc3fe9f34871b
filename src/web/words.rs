//! What the domain says, in the reader's words: what is wrong with a form, moments, and the names of programs.

use super::texts::Texts;
use crate::{
    app::problem::{Field, Problem, Problems},
    domain::{
        billing::Month,
        permission::{BuiltInSet, Permission, PermissionGroup, Permissions},
        permission_set::SetName,
        text::{LONGEST, LONGEST_REASON, TextError},
        time::{DAY, Timestamp},
        token::{PERSONAL_LIMIT, SERVICE_LIMIT, Scope, TokenState},
        user::{EmailError, Language, PasswordError, SHORTEST_PASSWORD},
    },
};
use chrono::{DateTime, Datelike, Locale, NaiveDate, TimeZone};
use chrono_tz::Tz;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Less time than this before a token expires is said loudly.
pub const EXPIRES_SOON: i64 = 7 * DAY;

/// Every field, in the order of forms, with the name that its input has.
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
];

/// What is wrong with a form, in words, field by field in the order of the page.
#[derive(Clone, Debug, Default)]
pub struct Errors(Vec<(&'static str, String)>);

impl Errors {
    /// The words for `problems`.
    pub fn new(t: Texts, problems: &Problems) -> Self {
        let found =
            FIELDS.iter().filter_map(|(field, name)| problems.at(*field).map(|problem| (*field, *name, problem)));
        Self(found.map(|(field, name, problem)| (name, t.problem(field, problem))).collect())
    }

    /// What is wrong with the field of this name.
    pub fn at(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| *at == name).map(|(_, words)| words.as_str())
    }

    /// Whether the cursor belongs into this field: the first that something is wrong with.
    pub fn starts_at(&self, name: &str) -> bool {
        self.0.iter().find(|(at, _)| *at != "form").is_some_and(|(at, _)| *at == name)
    }

    /// The same with other words for what is wrong with the field of this name, where a page can be more exact.
    pub fn reworded(mut self, name: &str, words: &str) -> Self {
        for (_, said) in self.0.iter_mut().filter(|(at, _)| *at == name) {
            words.clone_into(said);
        }
        self
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Texts {
    /// What is wrong with `field` and what to do about it.
    pub fn problem(self, field: Field, problem: Problem) -> String {
        match problem {
            Problem::Text(error) => self.text_problem(field, error),
            Problem::Email(EmailError::Empty) => self.problem_email_empty().into(),
            Problem::Email(EmailError::Malformed) => self.problem_email_malformed().into(),
            Problem::Password(error) => self.password_problem(field, error),
            Problem::EmailTaken => self.problem_email_taken().into(),
            Problem::WrongCredentials => self.problem_wrong_credentials().into(),
            Problem::WrongPassword => self.problem_wrong_password().into(),
            Problem::ProofNeeded => self.problem_proof_needed().into(),
            Problem::NotAChoice => self.choice_problem(field).into(),
            Problem::LimitReached => self.problem_limit_reached(PERSONAL_LIMIT),
            Problem::ServiceLimitReached => self.problem_service_limit_reached(SERVICE_LIMIT),
            Problem::NothingChosen => self.problem_nothing_chosen().into(),
            Problem::NotHeld(lacking) => self.problem_not_held(self.permission_names(lacking)),
            Problem::SlugMalformed => self.problem_slug_malformed().into(),
            Problem::SlugTaken => self.problem_slug_taken().into(),
            Problem::NameTaken => self.problem_name_taken().into(),
            Problem::InUse => self.problem_in_use().into(),
            Problem::MayDoMore(lacking) => self.problem_may_do_more(self.permission_names(lacking)),
            Problem::IsMember => self.problem_is_member().into(),
            Problem::IsDeactivated => self.problem_is_deactivated().into(),
            Problem::BelongsElsewhere => self.problem_belongs_elsewhere().into(),
            Problem::LastAdministrator => self.problem_last_administrator().into(),
            Problem::ChangedMeanwhile => self.problem_changed_meanwhile().into(),
            Problem::WouldExpire => self.problem_would_expire().into(),
            Problem::StillActive => self.problem_still_active().into(),
            Problem::HasEnded => self.problem_has_ended().into(),
            Problem::OverlapRunning => self.problem_overlap_running().into(),
            Problem::SentBefore => self.problem_sent_before().into(),
            Problem::TryLater(seconds) => self.problem_try_later(seconds),
        }
    }

    fn text_problem(self, field: Field, error: TextError) -> String {
        match (error, field) {
            (TextError::Empty, Field::Organization) => self.problem_organization_empty().into(),
            (TextError::Empty, Field::Label) => self.problem_label_empty().into(),
            (TextError::Empty, Field::Reason) => self.problem_reason_empty().into(),
            (TextError::TooLong, Field::Reason) => self.problem_text_too_long(LONGEST_REASON),
            (TextError::Empty, Field::SetName) => self.problem_set_name_empty().into(),
            (TextError::Empty, _) => self.problem_name_empty().into(),
            (TextError::TooLong, _) => self.problem_text_too_long(LONGEST),
            (TextError::Control, _) => self.problem_text_control().into(),
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
            Field::Language => self.problem_language(),
            Field::TimeZone => self.problem_time_zone(),
            Field::Theme => self.problem_theme(),
            Field::Person => self.problem_person(),
            Field::Token => self.problem_token(),
            Field::Kind => self.problem_kind(),
            Field::FirstDay | Field::LastDay => self.problem_day(),
            Field::Scope => self.problem_scope(),
            Field::Inactivity => self.problem_inactivity(),
            Field::PermissionSet => self.problem_permission_set(),
            Field::Hours | Field::Quiet => self.rotation_hours_wrong(),
            _ => self.problem_form_broken(),
        }
    }

    /// A permission's name within its group.
    pub fn permission(self, permission: Permission) -> &'static str {
        use Permission as P;
        match permission {
            P::PlatformUsers => self.permission_users(),
            P::PlatformGroups => self.permission_groups(),
            P::PlatformSites => self.permission_sites(),
            P::PlatformPermissionSets => self.permission_permission_sets(),
            P::PlatformIntegrations => self.permission_integrations(),
            P::PlatformActivity => self.permission_activity(),
            P::PlatformBilling => self.permission_billing(),
            P::PlatformVerifyTokens => self.permission_verify_tokens(),
            P::TemplatesView | P::InspectionsView | P::AssetsView => self.permission_view(),
            P::TemplatesEdit | P::AssetsEdit => self.permission_edit(),
            P::InspectionsConduct => self.permission_conduct(),
            P::TemplatesDelete | P::InspectionsDelete | P::AssetsDelete => self.permission_delete(),
            P::TemplatesShare | P::InspectionsShare | P::AssetsShare => self.permission_share(),
        }
    }

    /// The name of a group of permissions.
    pub fn permission_group(self, group: PermissionGroup) -> &'static str {
        match group {
            PermissionGroup::Platform => self.permission_platform(),
            PermissionGroup::Templates => self.permission_templates(),
            PermissionGroup::Inspections => self.permission_inspections(),
            PermissionGroup::Assets => self.permission_assets(),
        }
    }

    /// “Platform management: Integrations”
    pub fn permission_with_group(self, permission: Permission) -> String {
        self.permission_in_full(self.permission_group(permission.group()), self.permission(permission))
    }

    /// “Templates: View, Templates: Share”
    pub fn permission_names(self, permissions: Permissions) -> String {
        permissions.iter().map(|permission| self.permission_with_group(permission)).collect::<Vec<_>>().join(", ")
    }

    /// The name of a built-in permission set.
    pub fn built_in_set(self, set: BuiltInSet) -> &'static str {
        match set {
            BuiltInSet::Administrator => self.permission_set_administrator(),
            BuiltInSet::Standard => self.permission_set_standard(),
            BuiltInSet::Reader => self.permission_set_reader(),
        }
    }

    /// The name of a permission set.
    pub fn set_name(self, name: &SetName) -> &str {
        match name {
            SetName::BuiltIn(set) => self.built_in_set(*set),
            SetName::Own(name) => name,
        }
    }

    /// A calendar month: “November 2026”.
    pub fn month(self, month: Month) -> String {
        let locale = match self.0 {
            Language::En => Locale::en_GB,
            Language::Fr => Locale::fr_FR,
        };
        month.first_day().format_localized("%B %Y", locale).to_string()
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

    /// The state of a token in a few words, and the key under which it has its colour and shape.
    pub fn state(self, state: TokenState, now: Timestamp) -> (String, &'static str) {
        match state {
            TokenState::Revoked { .. } => (self.tokens_state_revoked().into(), "revoked"),
            TokenState::Expired { .. } => (self.tokens_state_expired().into(), "expired"),
            TokenState::Active { expires_at } => match expires_at.since(now) {
                EXPIRES_SOON.. => (self.tokens_state_active().into(), "active"),
                // To the nearest day, so that it agrees with the date beside it.
                left @ DAY.. => (self.tokens_expires_days((left + DAY / 2) / DAY), "expiring"),
                left @ HOUR.. => (self.tokens_expires_hours(left / HOUR), "expiring"),
                _ => (self.tokens_expires_soon().into(), "expiring"),
            },
        }
    }

    /// The name of a browser and its system, as its `User-Agent` tells it: “Firefox on Windows”.
    pub fn device(self, agent: &str) -> String {
        match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
            (Some(browser), Some(system)) => self.device_on(browser, system),
            _ => self.program(agent),
        }
    }

    /// The name of a program that uses tokens, as its `User-Agent` tells it: “curl 8.5.0”.
    pub fn program(self, agent: &str) -> String {
        if agent.contains("Microsoft.Data.Mashup") {
            return self.device_power_query().into();
        }
        if let (Some(browser), Some(system)) = (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
            return self.device_on(browser, system);
        }
        match agent.split_whitespace().next() {
            Some(product) => product.replacen('/', " ", 1).chars().take(60).collect(),
            None => self.device_unknown().into(),
        }
    }
}

/// Marks of browsers; those that also carry another's mark stand before it.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of systems, in the same way.
const SYSTEMS: [(&str, &str); 8] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

fn find(names: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

/// A moment as a page shows it: words for people, the exact time, and the form for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// A phrase such as “Last used 3 minutes ago”.
    pub words: String,
    /// The date and time, to the minute, with the name of the zone.
    pub exact: String,
    /// RFC 3339, for `datetime`.
    pub machine: String,
}

/// What it takes to write a moment down: the reader's language and time zone, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    t: Texts,
    zone: Tz,
    now: Timestamp,
}

impl Calendar {
    /// The calendar of somebody who reads `t` and lives in the zone of this IANA name; UTC if there is none such.
    pub fn new(t: Texts, zone: &str, now: Timestamp) -> Self {
        Self { t, zone: zone.parse().unwrap_or(Tz::UTC), now }
    }

    /// The moment that this calendar calls now.
    pub const fn now(self) -> Timestamp {
        self.now
    }

    /// A moment with a phrase made of its words.
    pub fn moment(self, at: Timestamp, phrase: impl FnOnce(String) -> String) -> Moment {
        let machine = at.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let exact = format!("{} ({})", self.exact(at), self.local(at).format("%Z"));
        Moment { words: phrase(self.when(at)), exact, machine }
    }

    /// A moment by its day alone, such as the day on which a token expires.
    pub fn on_day(self, at: Timestamp, phrase: impl FnOnce(String) -> String) -> Moment {
        Moment { words: phrase(self.t.time_on_day(self.day(at))), ..self.moment(at, |when| when) }
    }

    /// A moment by its date and time.
    pub fn full(self, at: Timestamp) -> Moment {
        Moment { words: self.exact(at), ..self.moment(at, |when| when) }
    }

    /// How long ago if that is short, else the day: “3 minutes ago”, “yesterday at 02:00”, “41 days ago”, “on 2 October”.
    pub fn when(self, at: Timestamp) -> String {
        let ago = self.now.since(at);
        let (today, day) = (self.local(self.now).date_naive(), self.local(at).date_naive());
        match ago {
            ..MINUTE => self.t.time_now().into(),
            MINUTE..HOUR => self.t.time_minutes_ago(ago / MINUTE),
            _ if day == today => self.t.time_hours_ago(ago / HOUR),
            _ if today.pred_opt() == Some(day) => self.t.time_yesterday_at(self.clock_time(at)),
            _ => match (today - day).num_days() {
                days @ ..60 => self.t.time_days_ago(days),
                _ => self.t.time_on_day(self.day(at)),
            },
        }
    }

    /// The day and the time of day: “25 November 2026 at 14:03”.
    pub fn exact(self, at: Timestamp) -> String {
        let day = self.in_words(at, "%B %Y");
        self.t.time_on_day_at(day, self.clock_time(at))
    }

    /// The time of day, in the form that the language has for it.
    pub fn clock_time(self, at: Timestamp) -> String {
        self.local(at).format("%H:%M").to_string()
    }

    /// The first moment of a day in the reader's zone.
    pub fn start_of(self, day: NaiveDate) -> Timestamp {
        // Where the clocks go forward at midnight, the day begins an hour later.
        let hours = (0..24).filter_map(|hour| day.and_hms_opt(hour, 0, 0));
        let first = hours.filter_map(|time| self.zone.from_local_datetime(&time).earliest()).next();
        first.map_or(self.now, |first| Timestamp::from_seconds(first.timestamp()))
    }

    /// The day, with the year if it is another than this one.
    pub fn day(self, at: Timestamp) -> String {
        let this_year = self.local(at).year() == self.local(self.now).year();
        self.in_words(at, if this_year { "%B" } else { "%B %Y" })
    }

    fn in_words(self, at: Timestamp, month: &str) -> String {
        let local = self.local(at);
        let (locale, first) = match self.t.0 {
            Language::En => (Locale::en_GB, "1"),
            Language::Fr => (Locale::fr_FR, "1er"),
        };
        let day = if local.day() == 1 { first.to_owned() } else { local.day().to_string() };
        format!("{day} {}", local.format_localized(month, locale))
    }

    fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.utc().with_timezone(&self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Texts = Texts(Language::En);
    const FRENCH: Texts = Texts(Language::Fr);
    /// 2026-11-21 12:00:00 UTC, a Saturday.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

    fn when(t: Texts, seconds: i64) -> String {
        Calendar::new(t, "UTC", NOW).when(NOW.plus(seconds))
    }

    #[test]
    fn what_is_near_is_told_by_its_distance_and_what_is_far_by_its_day() {
        let english = [5, -59, -60, -3 * HOUR, -13 * HOUR, -41 * DAY, -80 * DAY].map(|seconds| when(ENGLISH, seconds));
        let expected = [
            "just now",
            "just now",
            "1 minute ago",
            "3 hours ago",
            "yesterday at 23:00",
            "41 days ago",
            "on 2 September",
        ];
        assert_eq!(english, expected);
        assert_eq!(when(FRENCH, -81 * DAY), "le 1er septembre");
        assert_eq!(when(FRENCH, -400 * DAY), "le 17 octobre 2025");
    }

    #[test]
    fn days_are_those_of_the_readers_zone() {
        let at = Timestamp::from_seconds(NOW.seconds() + 13 * HOUR);
        assert_eq!(Calendar::new(ENGLISH, "UTC", NOW).exact(at), "22 November 2026 at 01:00");
        assert_eq!(Calendar::new(FRENCH, "America/Montreal", NOW).exact(at), "21 novembre 2026 à 20:00");
        let moment = Calendar::new(ENGLISH, "no such zone", NOW).on_day(at, |day| format!("Expires {day}"));
        assert_eq!(moment.words, "Expires on 22 November");
        assert_eq!(
            (moment.exact.as_str(), moment.machine.as_str()),
            ("22 November 2026 at 01:00 (UTC)", "2026-11-22T01:00:00Z")
        );
    }

    #[test]
    fn a_day_begins_when_it_does_in_the_readers_zone() {
        let start = |zone, (year, month, day)| {
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            Calendar::new(ENGLISH, zone, NOW).start_of(day).rfc3339()
        };
        assert_eq!(start("UTC", (2026, 11, 21)), "2026-11-21T00:00:00Z");
        assert_eq!(start("Europe/Paris", (2026, 7, 1)), "2026-06-30T22:00:00Z");
        // At midnight of this day the clocks of Lebanon went forward.
        assert_eq!(start("Asia/Beirut", (2026, 3, 29)), "2026-03-28T22:00:00Z");
    }

    #[test]
    fn a_token_close_to_its_end_says_so() {
        let state = |left| ENGLISH.state(TokenState::Active { expires_at: NOW.plus(left) }, NOW);
        assert_eq!(state(EXPIRES_SOON), ("Active".into(), "active"));
        assert_eq!(state(EXPIRES_SOON - 1), ("Expires in 7 days".into(), "expiring"));
        assert_eq!(state(DAY), ("Expires in 1 day".into(), "expiring"));
        assert_eq!(state(DAY - 1), ("Expires in 23 hours".into(), "expiring"));
        assert_eq!(state(1), ("Expires within the hour".into(), "expiring"));
    }

    #[test]
    fn no_set_can_be_called_like_a_built_in_one() {
        for t in [ENGLISH, FRENCH] {
            for set in BuiltInSet::ALL {
                assert!(BuiltInSet::has_name(&t.built_in_set(set).to_uppercase()), "{}", t.built_in_set(set));
            }
        }
        assert!(!BuiltInSet::has_name("Field staff"));
    }

    #[test]
    fn programs_are_called_by_their_names() {
        let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(FRENCH.device(firefox), "Firefox sous Windows");
        assert_eq!(ENGLISH.device(edge), "Edge on Windows");
        assert_eq!(ENGLISH.device(iphone), "Safari on iPhone");
        assert_eq!(ENGLISH.program("curl/8.5.0"), "curl 8.5.0");
        assert_eq!(ENGLISH.program("Microsoft.Data.Mashup (https://example.org)"), "Power BI or Excel");
        assert_eq!(FRENCH.device(""), "Programme inconnu");
    }

    #[test]
    fn the_cursor_goes_to_the_first_field_that_is_wrong() {
        let mut problems = Problems::one(Field::NewPassword, Problem::Password(PasswordError::TooShort));
        problems.check(Field::Name, Err::<(), _>(TextError::Empty));
        let errors = Errors::new(FRENCH, &problems);
        assert!(errors.starts_at("name") && !errors.starts_at("new_password"));
        assert_eq!(errors.at("name"), Some("Saisissez votre nom."));
        assert_eq!(errors.at("email"), None);
    }
}
