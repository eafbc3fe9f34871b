//! What an access rule covers and does, before it is saved or deleted.

use super::{ListedRule, Manager, RuleForm, find_in, named, read_scope_in};
use crate::{
    AppError, Jeton, Result,
    audience::{Effect, Given, Size, effect_in},
    problem::{Field, Problems},
    recipients,
};
use domain::{
    access::{AccessRule, AccessRuleId, ItemFacts, Recipient, RecipientKind, StoredRule},
    item::ItemId,
    organization::OrganizationId,
};
use std::collections::BTreeSet;
use storage::{AnyConnection, access, access_rules, items, organizations, recipients::Known};

/// The maximum number of items that are counted, so that a list of rules does not count millions.
pub const MOST_COUNTED: i64 = 10_000;

/// How many items a rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// At most [`MOST_COUNTED`].
    pub count: i64,
    /// Whether there are more.
    pub has_more: bool,
}

/// A rule, and what it does when it is saved, or what goes with it when it is deleted.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The rule; one that is not stored has an empty public id.
    pub rule: ListedRule,
    /// What it covers now.
    pub items: Covered,
    /// What it does. A recipient of another organization is not looked up: nothing is said about one.
    pub effect: Effect,
    /// The public id of another rule for the same items and the same recipient.
    pub same: Option<String>,
}

/// A rule of a list, with how much it covers and for how many.
#[derive(Clone, Debug)]
pub struct CountedRule {
    /// The rule.
    pub rule: ListedRule,
    /// What it covers now.
    pub items: Covered,
    /// How many people and service users it is for; `None` for one, and for another organization.
    pub size: Option<Size>,
}

/// Returns what a rule would do; `id` is that of the rule that it replaces.
///
/// # Errors
/// As [`super::create`], except that another organization is not looked up, and that another rule for the same is in
/// [`Preview::same`].
pub async fn preview(jeton: &Jeton, at: &Manager, form: RuleForm, id: Option<&str>) -> Result<Preview> {
    let (at, id) = (at.clone(), id.map(crate::tokens::known_form).transpose()?);
    jeton
        .read(move |connection| {
            let organization = at.organization();
            let own = match &id {
                Some(id) => Some(find_in(connection, organization, id)?),
                None => None,
            };
            let (rule, known) = wanted_in(connection, &at, &form)?;
            let facts = scope_of(connection, &rule)?;
            let before = rules_in(connection, &facts)?;
            let replaced = own.as_ref().map(|own| own.rule.id);
            let others = before.iter().filter(|one| Some(one.id) != replaced).cloned();
            let is_known = known.is_none();
            let after: Vec<AccessRule> = others.chain(is_known.then(|| rule.clone())).collect();
            let same = after.iter().take(after.len() - usize::from(is_known)).find(|one| is_same(one, &rule));
            let same = same.map(|one| one.id).filter(|_| is_known);
            let to = (rule.recipient, is_known.then_some(organization));
            let effect = effect_in(connection, &facts, to, (&given(&before), &given(&after)))?;
            let items = covered_in(connection, &rule)?;
            let same = match same {
                Some(same) => access_rules::list(connection, organization, Some(&rule.kind))?
                    .into_iter()
                    .find(|one| one.rule.id == same)
                    .map(|one| one.public_id),
                None => None,
            };
            Ok(Preview { rule: listed(connection, rule, known)?, items, effect, same })
        })
        .await
}

/// Returns a rule, and what goes with it when it is deleted.
///
/// # Errors
/// [`AppError::NotFound`] if it does not exist or belongs to another organization.
pub async fn deletion(jeton: &Jeton, at: &Manager, id: &str) -> Result<Preview> {
    let (organization, id) = (at.organization(), crate::tokens::known_form(id)?);
    jeton
        .read(move |connection| {
            let stored = find_in(connection, organization, &id)?;
            let facts = scope_of(connection, &stored.rule)?;
            let before = rules_in(connection, &facts)?;
            let after: Vec<AccessRule> = before.iter().filter(|one| one.id != stored.rule.id).cloned().collect();
            let to = (stored.rule.recipient, stored.outside.is_none().then_some(organization));
            let effect = effect_in(connection, &facts, to, (&given(&before), &given(&after)))?;
            let items = covered_in(connection, &stored.rule)?;
            let rule = named(connection, vec![stored])?.pop().ok_or(AppError::NotFound)?;
            Ok(Preview { rule, items, effect, same: None })
        })
        .await
}

/// Adds to rules how much they cover and for how many they are.
///
/// # Errors
/// When the database fails.
pub async fn counted(jeton: &Jeton, rules: Vec<ListedRule>) -> Result<Vec<CountedRule>> {
    jeton
        .read(move |connection| {
            let mut counted = Vec::with_capacity(rules.len());
            for rule in rules {
                let recipient = rule.stored.rule.recipient;
                let is_several = !matches!(recipient, Recipient::User(_) | Recipient::ServiceUser(_));
                let size = match rule.stored.outside {
                    None if is_several => Some(storage::audience::size(connection, recipient)?),
                    _ => None,
                };
                counted.push(CountedRule { items: covered_in(connection, &rule.stored.rule)?, size, rule });
            }
            Ok(counted)
        })
        .await
}

fn given(rules: &[AccessRule]) -> Given<'_> {
    Given { shares: &[], rules }
}

fn is_same(one: &AccessRule, other: &AccessRule) -> bool {
    (one.site, one.template, one.recipient) == (other.site, other.template, other.recipient)
}

/// Reads what a form says, and whom it names if that is somebody of another organization, who is not looked up.
fn wanted_in(connection: &mut AnyConnection, at: &Manager, form: &RuleForm) -> Result<(AccessRule, Option<Known>)> {
    let mut problems = Problems::default();
    let scope = read_scope_in(connection, at, form, &mut problems)?;
    let organization = at.organization();
    let slug = organizations::named(connection, organization)?.slug;
    let own = recipients::own_in(connection, organization, &slug, &form.recipient)?;
    let known = own.is_none().then(|| unseen(&form.recipient)).flatten();
    let to = own.or(known.as_ref().map(|known| known.recipient));
    let recipient = problems.check(Field::Recipient, to.ok_or(crate::problem::Problem::NoSuchRecipient));
    let level = problems.check(Field::Level, recipients::level(&form.level));
    let (Some((kind, site, template)), Some(recipient), Some(level)) = (scope, recipient, level) else {
        return Err(problems.into());
    };
    if known.is_some() && !kind.is_built_in() {
        let problem = crate::problem::Problem::Unsuitable(domain::access::Unsuitable::OwnKind);
        return Err(Problems::one(Field::Recipient, problem).into());
    }
    Ok((AccessRule { id: AccessRuleId(0), organization, kind, site, template, recipient, level }, known))
}

/// Somebody of another organization as they were typed.
fn unseen(form: &recipients::RecipientForm) -> Option<Known> {
    let kind = RecipientKind::from_key(&form.kind).filter(|_| recipients::may_be_outside(form))?;
    let name = if kind == RecipientKind::Organization { &form.organization } else { &form.id };
    Some(Known {
        recipient: Recipient::new(kind, 0),
        organization: OrganizationId(0),
        organization_name: form.organization.clone(),
        id: form.id.clone(),
        name: name.clone(),
        email: None,
    })
}

/// Names a rule that is not stored.
fn listed(connection: &mut AnyConnection, rule: AccessRule, known: Option<Known>) -> Result<ListedRule> {
    let outside = known.as_ref().map(|known| known.organization);
    let own = Recipient::Organization(rule.organization);
    // Its recipient has no row, so it is named in place of one that has.
    let named_rule = match &known {
        Some(_) => AccessRule { recipient: own, ..rule.clone() },
        None => rule.clone(),
    };
    let stored = StoredRule {
        public_id: String::new(),
        rule: named_rule,
        outside,
        created_at: domain::time::Timestamp::from_seconds(0),
        made_by: String::new(),
        version: 0,
    };
    let mut listed = named(connection, vec![stored])?.pop().ok_or(AppError::NotFound)?;
    listed.stored.rule = rule;
    if let Some(known) = known {
        listed.recipient = known;
    }
    Ok(listed)
}

/// An item that a rule covers, and nothing else does: whatever covers it covers all that the rule covers.
fn scope_of(connection: &mut AnyConnection, rule: &AccessRule) -> Result<ItemFacts> {
    let sites = match rule.site {
        Some(site) => access::sites_above(connection, site)?,
        None => BTreeSet::new(),
    };
    Ok(ItemFacts {
        id: ItemId(0),
        organization: rule.organization,
        kind: rule.kind.clone(),
        owner: None,
        sites,
        template: rule.template,
    })
}

fn rules_in(connection: &mut AnyConnection, scope: &ItemFacts) -> Result<Vec<AccessRule>> {
    Ok(access_rules::covering(connection, scope)?.into_iter().map(|one| one.rule).collect())
}

fn covered_in(connection: &mut AnyConnection, rule: &AccessRule) -> Result<Covered> {
    let most = MOST_COUNTED + 1;
    let count = items::count_some(connection, (rule.organization, &rule.kind), rule.site, rule.template, most)?;
    Ok(Covered { count: count.min(MOST_COUNTED), has_more: count > MOST_COUNTED })
}
