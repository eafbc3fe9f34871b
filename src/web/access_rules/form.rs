//! The form of an access rule, in the order of its sentence. The page says what the rule does before it is saved.

use super::{Manager, kind_choices};
use crate::{
    App,
    choice::{Choice, site_choices},
    errors::WebError,
    form::{FormWith, Refused},
    notice::{self, Notice},
    page::{is_for, page},
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
    words::{Errors, Piece, Told},
};
use actix_web::{HttpRequest, HttpResponse, web::Path};
use app::{
    access_rules::{Choices, ListedRule, Preview, RuleForm},
    authority::Caller,
    problem::{Field, Problem},
    recipients::RecipientForm,
};
use askama::Template;
use domain::access::{Level, Recipient, RecipientKind};
use serde::Deserialize;

/// The part that changes with every field.
const PART: &str = "#rule-now";
/// The form, which changes with whom the rule is for.
const FORM: &str = "#rule-form";

/// The form, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    who: String,
    name: String,
    at_site: String,
    level: String,
    kind: String,
    site: String,
    template: String,
    version: String,
}

/// The button that saves.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    save: String,
}

/// Whom a rule is for, as the form asks.
const WHO: [&str; 7] = ["group", "user", "site", "service_user", "everyone", "one_outside", "all_outside"];

impl Typed {
    fn new() -> Self {
        let (who, level, kind) = (WHO[0].to_owned(), Level::View.key().to_owned(), "templates".to_owned());
        Self { who, level, kind, ..Self::default() }
    }

    /// Fills the form in with a rule.
    fn of(rule: &ListedRule) -> Self {
        let (stored, known) = (&rule.stored, &rule.recipient);
        let is_outside = stored.outside.is_some();
        let who = match (stored.rule.recipient, is_outside) {
            (Recipient::Organization(_), true) => "all_outside",
            (Recipient::Organization(_), false) => "everyone",
            (_, true) => "one_outside",
            (recipient, false) => recipient.kind().key(),
        };
        let name = match stored.rule.recipient {
            Recipient::User(_) => known.email.clone().unwrap_or_default(),
            Recipient::ServiceUser(_) => known.id.clone(),
            Recipient::Group(_) => known.name.clone(),
            Recipient::Organization(_) if is_outside => rule.outside_slug.clone().unwrap_or_default(),
            Recipient::Site(_) | Recipient::Organization(_) => String::new(),
        };
        Self {
            who: who.to_owned(),
            name,
            at_site: if who == "site" { known.id.clone() } else { String::new() },
            level: stored.rule.level.key().to_owned(),
            kind: stored.rule.kind.key().to_owned(),
            site: rule.site.as_ref().map(|(id, _)| id.clone()).unwrap_or_default(),
            template: rule.template.as_ref().map(|template| template.public_id.clone()).unwrap_or_default(),
            version: stored.version.to_string(),
        }
    }

    fn recipient(&self) -> RecipientForm {
        let form = |kind: RecipientKind| RecipientForm { kind: kind.key().to_owned(), ..RecipientForm::default() };
        let name = self.name.trim();
        match self.who.as_str() {
            "user" if name.contains('@') => RecipientForm { id: name.to_owned(), ..form(RecipientKind::User) },
            "user" => RecipientForm { name: name.to_owned(), ..form(RecipientKind::User) },
            "group" => RecipientForm { name: name.to_owned(), ..form(RecipientKind::Group) },
            "site" => RecipientForm { id: self.at_site.clone(), ..form(RecipientKind::Site) },
            "service_user" if domain::token::is_public_id(name) => {
                RecipientForm { id: name.to_owned(), ..form(RecipientKind::ServiceUser) }
            }
            "service_user" => RecipientForm { name: name.to_owned(), ..form(RecipientKind::ServiceUser) },
            "everyone" => form(RecipientKind::Organization),
            "one_outside" if name.contains('@') => RecipientForm { id: name.to_owned(), ..form(RecipientKind::User) },
            "one_outside" => RecipientForm { id: name.to_owned(), ..form(RecipientKind::ServiceUser) },
            "all_outside" => {
                let slug = app::recipients::slug_of(name).unwrap_or_else(|| name.to_owned());
                // Without an address it would be everyone here.
                let kind = if slug.is_empty() { String::new() } else { RecipientKind::Organization.key().to_owned() };
                RecipientForm { kind, organization: slug, ..RecipientForm::default() }
            }
            _ => RecipientForm::default(),
        }
    }

    fn form(&self) -> RuleForm {
        RuleForm {
            kind: self.kind.clone(),
            site: self.site.clone(),
            // A template that was chosen before another kind is none.
            template: if self.kind == "inspections" { self.template.clone() } else { String::new() },
            recipient: self.recipient(),
            level: self.level.clone(),
        }
    }

    /// Whether so much is filled in that the page can say what the rule does.
    fn is_complete(&self) -> bool {
        match self.who.as_str() {
            "everyone" => true,
            "site" => !self.at_site.is_empty(),
            _ => !self.name.trim().is_empty(),
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "access_rules/form.html")]
struct FormPage {
    shell: Shell,
    is_new: bool,
    cancel: String,
    form: FormPart,
}

/// The form.
#[derive(Template)]
#[template(path = "access_rules/_form.html")]
struct FormPart {
    shell: Shell,
    action: String,
    cancel: String,
    typed: Typed,
    who: Vec<Choice>,
    /// The label and the hint of the field for a name; none where nobody is named.
    name: Option<(&'static str, &'static str)>,
    proposals: Vec<String>,
    at_sites: Vec<Choice>,
    levels: Vec<Choice>,
    kinds: Vec<Choice>,
    sites: Vec<Choice>,
    templates: Vec<Choice>,
    now: NowPart,
    errors: Errors,
}

/// The rule as a sentence, and what it does.
#[derive(Template)]
#[template(path = "access_rules/_now.html")]
struct NowPart {
    t: Texts,
    sentence: Vec<Piece>,
    /// The sentence that it replaces.
    before: Option<String>,
    told: Option<Told>,
    is_warning: bool,
    /// The rule for the same.
    same: Option<String>,
    /// What is missing or wrong.
    missing: Option<String>,
}

/// `GET /orgs/{slug}/access-rules/new`
pub async fn new(app: App, at: Manager) -> Result<HttpResponse, WebError> {
    page(&whole(&app, &at, None, Typed::new(), Errors::default()).await?)
}

/// `POST /orgs/{slug}/access-rules`: creates a rule, or says what it would do.
pub async fn create(
    app: App,
    at: Manager,
    FormWith(typed, pressed): FormWith<Typed, Pressed>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if pressed.save.is_empty() {
        return shown(&app, &at, None, typed, &request).await;
    }
    match app::access_rules::create(&app, &Caller::from(&at.who), typed.form(), at.source.clone()).await {
        Ok(_) => Ok(notice::see(&path::access_rules(at.slug()), &Notice::Created)),
        Err(error) => refused(&app, &at, None, typed, Refused::new(error)?).await,
    }
}

/// `GET /orgs/{slug}/access-rules/{id}`
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn edit(app: App, at: Manager, address: Path<(String, String)>) -> Result<HttpResponse, WebError> {
    let rule = app::access_rules::find(&app, &Caller::from(&at.who), &address.1).await?;
    let typed = Typed::of(&rule);
    page(&whole(&app, &at, Some(&rule), typed, Errors::default()).await?)
}

/// `POST /orgs/{slug}/access-rules/{id}`: changes a rule, or says what that would do.
///
/// # Errors
/// As [`edit`].
pub async fn change(
    app: App,
    at: Manager,
    address: Path<(String, String)>,
    FormWith(typed, pressed): FormWith<Typed, Pressed>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let caller = Caller::from(&at.who);
    let rule = app::access_rules::find(&app, &caller, &address.1).await?;
    if pressed.save.is_empty() {
        return shown(&app, &at, Some(&rule), typed, &request).await;
    }
    // A version that cannot be read is none that there is.
    let version = Some(typed.version.parse().unwrap_or(0));
    match app::access_rules::change(&app, &caller, &address.1, typed.form(), version, at.source.clone()).await {
        Ok(()) => Ok(notice::see(&path::access_rules(at.slug()), &Notice::Saved)),
        Err(error) => refused(&app, &at, Some(&rule), typed, Refused::new(error)?).await,
    }
}

async fn shown(
    app: &App,
    at: &Manager,
    rule: Option<&ListedRule>,
    typed: Typed,
    request: &HttpRequest,
) -> Result<HttpResponse, WebError> {
    let whole = whole(app, at, rule, typed, Errors::default()).await?;
    if is_for(request, PART) {
        return page(&whole.form.now);
    }
    if is_for(request, FORM) { page(&whole.form) } else { page(&whole) }
}

async fn refused(
    app: &App,
    at: &Manager,
    rule: Option<&ListedRule>,
    typed: Typed,
    refused: Refused,
) -> Result<HttpResponse, WebError> {
    let mut errors = Errors::named(at.t(), at.kinds(), &refused.problems);
    if !typed.is_complete() {
        errors = errors.reworded("recipient", at.t().access_rules_choose());
    }
    let is_stale = refused.problems.at(Field::Form) == Some(Problem::ChangedMeanwhile);
    // The rule as it is now is shown beside what was typed, so the next form may replace it.
    let version = rule.filter(|_| is_stale).map_or(typed.version.clone(), |rule| rule.stored.version.to_string());
    let whole = whole(app, at, rule, Typed { version, ..typed }, errors).await?;
    refused.page(&whole)
}

async fn whole(
    app: &App,
    at: &Manager,
    rule: Option<&ListedRule>,
    typed: Typed,
    errors: Errors,
) -> Result<FormPage, WebError> {
    let (t, caller) = (at.t(), Caller::from(&at.who));
    let choices = app::access_rules::choices(app, &caller).await?;
    let now = now(app, at, rule, &typed, errors.at("recipient").is_some()).await?;
    let list = path::access_rules(at.slug());
    let action = rule.map_or_else(|| list.clone(), |rule| path::access_rule(at.slug(), &rule.stored.public_id));
    let proposals = match typed.who.as_str() {
        "group" => choices.groups.clone(),
        "service_user" => choices.service_users.clone(),
        _ => Vec::new(),
    };
    let levels = Level::ALL.map(|level| Choice::of(level.key(), t.level_verb(level), &typed.level));
    let form = FormPart {
        shell: at.shell(Nav::AccessRules),
        action,
        cancel: list.clone(),
        who: who_choices(t, &at.who.membership().organization_name, &typed.who),
        name: name_field(t, &typed.who),
        proposals,
        at_sites: if typed.who == "site" {
            site_choices(&choices.sites, &typed.at_site, t.access_rules_choose_site())
        } else {
            Vec::new()
        },
        levels: levels.into(),
        kinds: kind_choices(at, &typed.kind, None),
        sites: site_choices(&choices.sites, &typed.site, t.access_rules_everywhere()),
        templates: if typed.kind == "inspections" { templates(t, &choices, rule, &typed.template) } else { Vec::new() },
        now,
        errors,
        typed,
    };
    Ok(FormPage { shell: at.shell(Nav::AccessRules), is_new: rule.is_none(), cancel: list, form })
}

async fn now(
    app: &App,
    at: &Manager,
    rule: Option<&ListedRule>,
    typed: &Typed,
    is_said: bool,
) -> Result<NowPart, WebError> {
    let t = at.t();
    let before = rule.map(|rule| t.rule_in_full(at.kinds(), rule));
    let nothing = NowPart {
        t,
        sentence: Vec::new(),
        before: before.clone(),
        told: None,
        is_warning: false,
        same: None,
        missing: None,
    };
    if !typed.is_complete() {
        return Ok(nothing);
    }
    let own = rule.map(|rule| rule.stored.public_id.as_str());
    match app::access_rules::preview(app, &Caller::from(&at.who), typed.form(), own).await {
        Ok(Preview { rule: wanted, items, effect, same }) => {
            let level = wanted.stored.rule.level;
            let is_outside = wanted.stored.outside.is_some();
            let mut told = match is_outside {
                true => t.outside_rule(&wanted, level),
                false => t.gains(&effect, level),
            };
            told.lines.insert(0, t.covers_now(items));
            let sentence = t.rule_sentence(at.kinds(), &wanted);
            let is_other = before.as_ref().is_some_and(|before| *before != t.rule_in_full(at.kinds(), &wanted));
            let same = same.map(|id| path::access_rule(at.slug(), &id));
            let before = before.filter(|_| is_other);
            Ok(NowPart { sentence, before, told: Some(told), is_warning: is_outside, same, ..nothing })
        }
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::named(t, at.kinds(), &refused.problems);
            let missing = errors.iter().map(|(_, words)| words.to_owned()).next();
            Ok(NowPart { missing: missing.filter(|_| !is_said), ..nothing })
        }
    }
}

fn who_choices(t: Texts, organization: &str, chosen: &str) -> Vec<Choice> {
    let words = [
        t.access_rules_who_group().to_owned(),
        t.access_rules_who_user().to_owned(),
        t.access_rules_who_site().to_owned(),
        t.access_rules_who_service_user().to_owned(),
        t.access_rules_who_everyone(organization),
        t.access_rules_who_one_outside().to_owned(),
        t.access_rules_who_all_outside().to_owned(),
    ];
    WHO.into_iter().zip(words).map(|(value, words)| Choice::of(value, words, chosen)).collect()
}

fn name_field(t: Texts, who: &str) -> Option<(&'static str, &'static str)> {
    Some(match who {
        "user" => (t.access_rules_name_user(), t.access_rules_name_user_hint()),
        "service_user" => (t.access_rules_name_service_user(), t.access_rules_name_service_user_hint()),
        "one_outside" => (t.access_rules_name_one_outside(), t.access_rules_name_one_outside_hint()),
        "all_outside" => (t.access_rules_name_all_outside(), t.access_rules_name_all_outside_hint()),
        "site" | "everyone" => return None,
        _ => (t.access_rules_name_group(), ""),
    })
}

/// The newest templates, and the one of the rule.
fn templates(t: Texts, choices: &Choices, rule: Option<&ListedRule>, chosen: &str) -> Vec<Choice> {
    let own = rule.and_then(|rule| rule.template.as_ref());
    let own = own.filter(|own| !choices.templates.iter().any(|one| one.public_id == own.public_id));
    let all = choices.templates.iter().chain(own);
    let any = Choice::of("", t.access_rules_any_template(), chosen);
    std::iter::once(any).chain(all.map(|one| Choice::of(&one.public_id, &*one.name, chosen))).collect()
}
