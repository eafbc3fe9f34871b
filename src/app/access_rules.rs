//! Access rules: made, changed and deleted by whoever manages users (*Platform management: Users*). A rule says what
//! people reach, as their permission sets say what they may do with it; and those who decide about people already see
//! who reaches what.
//!
//! Rules are read from the database by each request, so no change of them steps the epoch.

mod choices;
mod effects;
mod listing;

pub use choices::{Choices, choices};
pub use effects::{CountedRule, Covered, MOST_COUNTED, Preview, counted, deletion, preview};
pub use listing::{Asked, Rules, page};

use super::{
    AppError, Jeton, Result,
    authority::Caller,
    problem::{Field, Problem, Problems},
    random,
    recipients::{self, RecipientForm},
};
use domain::{
    access::{MOST_RULES, Recipient, SiteId, StoredRule},
    activity::{Action, Detail, Source},
    item::{Item, ItemId, ItemKind},
    organization::OrganizationId,
    permission::ManageUsers,
    token,
};
use std::collections::HashMap;
use storage::{
    AnyConnection,
    access_rules::{self, Wanted},
    activity, items, organizations,
    recipients::{Known, names, site},
};

/// Whoever manages access rules.
pub type Manager = Caller<ManageUsers>;

/// The form for an access rule, as typed.
#[derive(Clone, Debug, Default)]
pub struct RuleForm {
    /// The key of the kind.
    pub kind: String,
    /// The public id of the site; empty for all.
    pub site: String,
    /// The public id of the template of inspections; empty for all.
    pub template: String,
    /// Who gets the level.
    pub recipient: RecipientForm,
    /// The key of the level.
    pub level: String,
}

/// A rule with the names of what it is about.
#[derive(Clone, Debug)]
pub struct ListedRule {
    /// The rule.
    pub stored: StoredRule,
    /// Who gets the level.
    pub recipient: Known,
    /// The site: public id and name.
    pub site: Option<(String, String)>,
    /// The template.
    pub template: Option<Item>,
    /// The slug of another organization that it is for as a whole.
    pub outside_slug: Option<String>,
}

/// Lists the access rules of the organization, of one kind or of all, by kind, the oldest first.
///
/// # Errors
/// [`AppError::NotFound`] for a text that is no kind.
pub async fn list(jeton: &Jeton, at: &Manager, kind: Option<&str>) -> Result<Vec<ListedRule>> {
    let organization = at.organization();
    let kind = match kind {
        None => None,
        Some(key) => Some(ItemKind::parse(key).ok_or(AppError::NotFound)?),
    };
    jeton
        .read(move |connection| {
            let rules = access_rules::list(connection, organization, kind.as_ref())?;
            named(connection, rules)
        })
        .await
}

/// Returns an access rule of the organization.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn find(jeton: &Jeton, at: &Manager, id: &str) -> Result<ListedRule> {
    let (organization, id) = (at.organization(), super::tokens::known_form(id)?);
    jeton
        .read(move |connection| {
            let rule = find_in(connection, organization, &id)?;
            named(connection, vec![rule])?.pop().ok_or(AppError::NotFound)
        })
        .await
}

/// Creates an access rule and returns its public id.
///
/// # Errors
/// [`AppError::Invalid`] with everything that is wrong: at [`Field::Kind`], [`Field::Site`], [`Field::Template`],
/// [`Field::Recipient`] or [`Field::Level`], or at [`Field::Form`] that there is a rule for the same
/// ([`Problem::SameAccessRule`]), or that there are already [`MOST_RULES`].
pub async fn create(jeton: &Jeton, at: &Manager, form: RuleForm, source: Source) -> Result<String> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), token::public_id(random::fill));
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let organization = at.organization();
            let wanted = read_in(connection, &at, &form)?;
            if access_rules::count(connection, organization)? >= MOST_RULES {
                return Err(at_form(Problem::TooManyAccessRules));
            }
            must_be_only(connection, organization, &wanted, None)?;
            access_rules::insert(connection, organization, &id, &wanted, at.name(), now)?;
            let rule = find_in(connection, organization, &id)?;
            write_entry(connection, rule, at.entry(Action::AccessRuleCreated, now, &source))?;
            Ok(id.clone())
        })
        .await
}

/// Makes an access rule, of which `version` was shown (`None` for whichever version), say something else. When this
/// returns, nobody reaches anything any more by what it said before. Nothing is written if nothing changes.
///
/// # Errors
/// As [`create`]; [`AppError::NotFound`] if it belongs to another organization; [`Problem::ChangedMeanwhile`].
pub async fn change(
    jeton: &Jeton,
    at: &Manager,
    id: &str,
    form: RuleForm,
    version: Option<i64>,
    source: Source,
) -> Result<()> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), super::tokens::known_form(id)?);
    jeton
        .write(move |connection| {
            at.begin(connection, now)?;
            let organization = at.organization();
            let before = shown(connection, organization, &id, version)?;
            let wanted = read_in(connection, &at, &form)?;
            must_be_only(connection, organization, &wanted, Some(&before))?;
            access_rules::update(connection, before.rule.id, &wanted)?;
            let after = find_in(connection, organization, &id)?;
            if after.rule == before.rule {
                return Ok(());
            }
            write_entry(connection, after, at.entry(Action::AccessRuleChanged, now, &source))
        })
        .await
}

/// Deletes an access rule, of which `version` was shown; `None` for whichever version. When this returns, nobody
/// reaches anything by it any more.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization; [`Problem::ChangedMeanwhile`].
pub async fn delete(jeton: &Jeton, at: &Manager, id: &str, version: Option<i64>, source: Source) -> Result<()> {
    let (at, now, id) = (at.clone(), jeton.clock.now(), super::tokens::known_form(id)?);
    jeton
        .end(move |connection| {
            at.begin(connection, now)?;
            let rule = shown(connection, at.organization(), &id, version)?;
            access_rules::delete(connection, rule.rule.id)?;
            write_entry(connection, rule, at.entry(Action::AccessRuleDeleted, now, &source))
        })
        .await
}

fn find_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<StoredRule> {
    access_rules::find(connection, organization, id)?.ok_or(AppError::NotFound)
}

fn shown(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    id: &str,
    version: Option<i64>,
) -> Result<StoredRule> {
    let rule = find_in(connection, organization, id)?;
    match version {
        Some(version) if version != rule.version => Err(at_form(Problem::ChangedMeanwhile)),
        _ => Ok(rule),
    }
}

fn at_form(problem: Problem) -> AppError {
    Problems::one(Field::Form, problem).into()
}

fn read_in(connection: &mut AnyConnection, at: &Manager, form: &RuleForm) -> Result<Wanted> {
    let mut problems = Problems::default();
    let scope = read_scope_in(connection, at, form, &mut problems)?;
    let Some((kind, site, template)) = scope else { return Err(problems.into()) };
    let to = recipients::read_in(connection, at.organization(), &kind, &form.recipient)?;
    let to = problems.check(Field::Recipient, to);
    let level = problems.check(Field::Level, recipients::level(&form.level));
    match (problems.none(), to, level) {
        (Ok(()), Some((recipient, outside)), Some(level)) => {
            Ok(Wanted { kind, site, template, recipient, outside, level })
        }
        (Err(problems), ..) => Err(problems.into()),
        (Ok(()), ..) => Err(AppError::NotFound),
    }
}

/// Reads which items a form is about. With a problem, what is wrong is left out; `None` without a kind.
fn read_scope_in(
    connection: &mut AnyConnection,
    at: &Manager,
    form: &RuleForm,
    problems: &mut Problems,
) -> Result<Option<Scope>> {
    let organization = at.organization();
    let kind = ItemKind::parse(&form.kind).filter(|kind| kind.is_known(at.known()));
    let Some(kind) = problems.choice(Field::Kind, kind) else { return Ok(None) };
    let of_site = match form.site.as_str() {
        "" => Ok(None),
        id if !token::is_public_id(id) => Err(Problem::NotAChoice),
        id => site(connection, organization, id)?.map(Some).ok_or(Problem::NotAChoice),
    };
    let of_site = problems.check(Field::Site, of_site);
    let template = match form.template.as_str() {
        "" => Ok(None),
        _ if !kind.is_inspections() => Err(Problem::NoTemplate),
        id if !token::is_public_id(id) => Err(Problem::NotAChoice),
        id => template_in(connection, organization, id)?.map(|item| Some(item.id)).ok_or(Problem::NotAChoice),
    };
    let template = problems.check(Field::Template, template);
    Ok(Some((kind, of_site.flatten(), template.flatten())))
}

/// The items that a rule is about: their kind, their site and their template.
type Scope = (ItemKind, Option<SiteId>, Option<ItemId>);

/// Returns a template of the organization, whoever reaches it.
fn template_in(connection: &mut AnyConnection, organization: OrganizationId, id: &str) -> Result<Option<Item>> {
    match ItemKind::parse("templates") {
        Some(templates) => Ok(items::own(connection, organization, &templates, id)?),
        None => Ok(None),
    }
}

fn must_be_only(
    connection: &mut AnyConnection,
    organization: OrganizationId,
    wanted: &Wanted,
    own: Option<&StoredRule>,
) -> Result<()> {
    let same = access_rules::same(connection, organization, wanted)?;
    match same.filter(|same| own.is_none_or(|own| own.rule.id != same.rule.id)) {
        Some(_) => Err(at_form(Problem::SameAccessRule)),
        None => Ok(()),
    }
}

/// Adds to rules the names of what they are about.
pub(super) fn named(connection: &mut AnyConnection, rules: Vec<StoredRule>) -> Result<Vec<ListedRule>> {
    // A site is called as the recipients of the same name are.
    let sites = rules.iter().filter_map(|one| one.rule.site).map(Recipient::Site);
    let all: Vec<_> = rules.iter().map(|one| one.rule.recipient).chain(sites).collect();
    let known = names(connection, &all)?;
    let templates: Vec<_> = rules.iter().filter_map(|one| one.rule.template).collect();
    let templates: HashMap<_, _> =
        items::these(connection, &templates)?.into_iter().map(|item| (item.id, item)).collect();
    let mut slugs: HashMap<Recipient, String> = HashMap::new();
    for one in rules.iter().filter(|one| one.outside.is_some()) {
        if let Recipient::Organization(id) = one.rule.recipient
            && !slugs.contains_key(&one.rule.recipient)
        {
            slugs.insert(one.rule.recipient, organizations::named(connection, id)?.slug);
        }
    }
    let listed = |stored: StoredRule| {
        let outside_slug = slugs.get(&stored.rule.recipient).cloned();
        let recipient = known.get(&stored.rule.recipient)?.clone();
        let site = stored.rule.site.and_then(|site| known.get(&Recipient::Site(site)));
        let site = site.map(|site| (site.id.clone(), site.name.clone()));
        let template = stored.rule.template.and_then(|template| templates.get(&template).cloned());
        Some(ListedRule { stored, recipient, site, template, outside_slug })
    };
    Ok(rules.into_iter().filter_map(listed).collect())
}

fn write_entry(connection: &mut AnyConnection, rule: StoredRule, entry: activity::Entry<'_>) -> Result<()> {
    let Some(ListedRule { stored, recipient, site, template, .. }) = named(connection, vec![rule])?.pop() else {
        return Ok(());
    };
    let detail = Detail::AccessRule {
        kind: stored.rule.kind,
        level: stored.rule.level,
        recipient: recipient.recipient.kind(),
        site: site.map(|(_, name)| name),
        template: template.map(|template| template.name),
    };
    let entry = activity::Entry { target_name: Some(&recipient.name), detail: Some(detail), ..entry };
    Ok(activity::insert(connection, &entry)?)
}
