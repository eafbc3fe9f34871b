//! The part of an item's page that says who reaches it: first the reader and why; for those who may see others also
//! its shares, which can be ended there, and what comes from access rules, which cannot.

use super::Here;
use crate::{
    App,
    errors::WebError,
    routes::path,
    texts::Texts,
    words::{Calendar, recipient_icon},
};
use app::{
    AppError,
    access_rules::ListedRule,
    items::{Found, ReachedBy, SharedWith},
    recipients::Known,
};
use askama::Template;
use domain::{
    access::{Recipient, SubjectId},
    kind::CommonAction,
    organization::OrganizationId,
    permission::BuiltInPermission,
};

/// Who reaches an item.
#[derive(Template)]
#[template(path = "items/_access.html")]
pub struct AccessPart {
    t: Texts,
    level: &'static str,
    why: Vec<String>,
    /// Where that is explained check by check.
    explanation: String,
    /// Sharing it, if the reader may.
    share: Option<String>,
    others: Option<Others>,
}

/// Who else, for those who may see it.
struct Others {
    /// The same, person by person.
    people: String,
    own: Vec<Row>,
    rules: Vec<Row>,
}

/// A row of the table.
struct Row {
    icon: &'static str,
    name: String,
    is_outside: bool,
    note: String,
    level: &'static str,
    why: String,
    change: Option<(String, String)>,
    end: Option<(String, String)>,
    rule: Option<(String, String)>,
}

/// Returns who reaches an item that the reader reaches.
///
/// # Errors
/// When the database fails.
pub async fn part(
    app: &App,
    here: &Here,
    calendar: Calendar,
    found: &Found,
    explanation: String,
) -> Result<AccessPart, WebError> {
    let (kind, id) = (here.kind.key(), found.item.public_id.as_str());
    let others = match app::items::reached_by(app, &here.by, kind, id.into()).await {
        Ok(reached) => Some(others(here, calendar, &reached)),
        Err(AppError::NotFound | AppError::Refused(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let may_share = here.may(CommonAction::Share, found.level);
    Ok(AccessPart {
        t: here.t(),
        level: here.t().own_level(found.level),
        why: super::showing::why(here.t(), found),
        explanation,
        share: may_share.then(|| here.part(id, "share")),
        others,
    })
}

fn others(here: &Here, calendar: Calendar, reached: &ReachedBy) -> Others {
    let may_share = reached.level.is_some_and(|level| here.may(CommonAction::Share, level));
    let may_open = here.at.who.membership().permissions.contains(BuiltInPermission::PlatformUsers)
        && reached.item.organization == here.by.organization();
    let shares = reached.shares.iter().map(|with| share_row(here, calendar, reached, with, may_share));
    Others {
        people: here.part(&reached.item.public_id, "people"),
        own: owner_row(here.t(), reached).into_iter().chain(shares).collect(),
        rules: reached.rules.iter().map(|rule| rule_row(here, reached, rule, may_open)).collect(),
    }
}

fn owner_row(t: Texts, reached: &ReachedBy) -> Option<Row> {
    let owner = reached.names.owner(&reached.item)?;
    let is_service_user = matches!(reached.item.owner, Some(SubjectId::ServiceUser(_)));
    Some(Row {
        icon: if is_service_user { "service_user" } else { "user" },
        name: owner.name.clone(),
        is_outside: false,
        note: if is_service_user { t.sharing_note_service_user().to_owned() } else { String::new() },
        level: t.level(domain::access::Level::Manage),
        why: t.sharing_owner().to_owned(),
        change: None,
        end: None,
        rule: None,
    })
}

fn share_row(here: &Here, calendar: Calendar, reached: &ReachedBy, with: &SharedWith, may_share: bool) -> Row {
    let (t, by) = (here.t(), &with.by);
    let (slug, kind, id) = (here.at.slug(), here.kind.key(), reached.item.public_id.as_str());
    let whom = t.recipient(by.share.recipient, &with.recipient.name);
    let change = path::share(slug, kind, id, &by.public_id);
    let end = path::share_end(slug, kind, id, &by.public_id);
    Row {
        level: t.level(by.share.level),
        why: t.sharing_shared_by(&by.made_by, calendar.day(by.created_at)),
        change: may_share.then(|| (change, t.sharing_change_label(&whom))),
        end: may_share.then(|| (end, t.sharing_end_label(&whom))),
        ..named(here, reached.item.organization, &with.recipient)
    }
}

fn rule_row(here: &Here, reached: &ReachedBy, rule: &ListedRule, may_open: bool) -> Row {
    let t = here.t();
    let whom = t.recipient(rule.recipient.recipient, &rule.recipient.name);
    let open = || (path::access_rule(here.at.slug(), &rule.stored.public_id), t.sharing_open_rule_label(&whom));
    Row {
        level: t.level(rule.stored.rule.level),
        why: t.rule_scope(here.at.kinds(), rule),
        rule: may_open.then(open),
        ..named(here, reached.item.organization, &rule.recipient)
    }
}

/// A row that says only who.
fn named(here: &Here, of: OrganizationId, known: &Known) -> Row {
    let (t, is_outside) = (here.t(), known.organization != of);
    let note = match known.recipient {
        Recipient::Organization(_) if is_outside => t.sharing_note_outside_all().to_owned(),
        _ if is_outside => known.organization_name.clone(),
        // Addresses are for those who belong to the same organization.
        Recipient::User(_) if known.organization == here.by.organization() => known.email.clone().unwrap_or_default(),
        Recipient::ServiceUser(_) => t.sharing_note_service_user().to_owned(),
        _ => String::new(),
    };
    Row {
        icon: recipient_icon(known.recipient, is_outside),
        name: t.recipient_title(known.recipient, &known.name),
        is_outside,
        note,
        level: "",
        why: String::new(),
        change: None,
        end: None,
        rule: None,
    }
}
