//! An explanation in words: the answer as a sentence, each check with its evidence, and what would open it.

use super::sentence;
use crate::{
    holder::AtWork,
    routes::path,
    texts::Texts,
    words::{Calendar, Moment},
};
use app::explanations::Explained;
use domain::{
    access::{Change, Check, Level, Link, Recipient, RecipientKind, Refusal, Source, SubjectId},
    token::Scope,
};

/// The answer.
pub struct Told {
    /// Whether it is yes.
    pub is_yes: bool,
    /// The answer as a sentence, without its first word.
    pub sentence: String,
    /// Whether the item is not there for the subject.
    pub is_hidden: bool,
    /// When it was decided.
    pub decided: Moment,
    /// “5 of 6 checks say yes”
    pub count: String,
    /// The checks, in their order.
    pub checks: Vec<ToldCheck>,
    /// What would open it; empty if it is open, or nothing does.
    pub changes: Vec<ToldChange>,
}

/// What a check says.
pub struct ToldCheck {
    /// Its name.
    pub title: &'static str,
    /// `yes`, `no` for the one that decides, or `would` for one that comes after it.
    pub says: &'static str,
    /// The same in words.
    pub verdict: &'static str,
    /// What it found.
    pub words: String,
    /// More about it.
    pub facts: Vec<String>,
    /// Each source of a level that was asked.
    pub sources: Vec<ToldSource>,
}

/// A source of a level.
pub struct ToldSource {
    /// Whether it gives the subject one.
    pub gives: bool,
    /// What it is, and for whom.
    pub words: String,
}

/// A change that would open it.
pub struct ToldChange {
    /// What to do.
    pub words: String,
    /// Where, if the reader may do it.
    pub href: Option<String>,
}

impl Told {
    /// Puts an explanation into words.
    pub fn new(at: &AtWork, calendar: Calendar, explained: &Explained) -> Self {
        let t = at.t();
        let decision = explained.explanation.decision();
        let who = called(explained);
        let name = t.any_permission(at.kinds(), &explained.action.permission);
        let checks = explained.explanation.checks();
        let fine = checks.iter().filter(|check| check.refusal.is_none()).count();
        let stopped_by = decision.as_ref().err().map(Refusal::link);
        let told = |one: &Check| ToldCheck::new(at, calendar, explained, one, stopped_by);
        let changes = explained.changes.iter().flatten();
        Self {
            is_yes: decision.is_ok(),
            sentence: sentence(t, &explained.action, &name, who, &explained.item.name, decision.is_ok()),
            is_hidden: decision == Err(Refusal::NotThere),
            decided: calendar.full(explained.at),
            count: t.explanations_count(fine, checks.len()),
            checks: checks.iter().map(told).collect(),
            changes: changes.map(|(change, may)| ToldChange::new(at, explained, change, *may)).collect(),
        }
    }
}

/// Returns what the subject or token is called.
fn called(explained: &Explained) -> &str {
    explained.token.as_ref().map_or(&explained.subject.display_name, |(identity, _)| &identity.label)
}

impl ToldCheck {
    fn new(at: &AtWork, calendar: Calendar, explained: &Explained, check: &Check, stopped_by: Option<Link>) -> Self {
        let t = at.t();
        let (says, verdict) = match (&check.refusal, stopped_by) {
            (Some(_), Some(link)) if link == check.link => ("no", t.explanations_stops_here()),
            (Some(_), _) => ("would", t.explanations_would_say_no()),
            (None, Some(link)) if order(link) < order(check.link) => ("would", t.explanations_would_say_yes()),
            (None, _) => ("yes", t.explanations_says_yes()),
        };
        let (words, facts) = match check.link {
            Link::Token => token(t, calendar, explained, check.refusal.as_ref()),
            Link::Subject => (subject(t, explained, check.refusal.is_none()), Vec::new()),
            Link::Scope => (scope(t, explained, check.refusal.is_none()), Vec::new()),
            Link::Permission => (permission(at, explained, check.refusal.is_none()), Vec::new()),
            Link::Access => (access(t, explained), Vec::new()),
        };
        let sources = if check.link == Link::Access { sources(t, explained) } else { Vec::new() };
        Self { title: title(t, check.link), says, verdict, words, facts, sources }
    }
}

fn order(link: Link) -> Option<usize> {
    Link::ALL.into_iter().position(|one| one == link)
}

fn title(t: Texts, link: Link) -> &'static str {
    match link {
        Link::Token => t.explanations_check_token(),
        Link::Subject => t.explanations_check_subject(),
        Link::Scope => t.explanations_check_scope(),
        Link::Permission => t.explanations_check_permission(),
        Link::Access => t.explanations_check_access(),
    }
}

fn token(t: Texts, calendar: Calendar, explained: &Explained, refusal: Option<&Refusal>) -> (String, Vec<String>) {
    let words = match refusal {
        Some(Refusal::Revoked(at)) => t.explanations_token_revoked(calendar.exact(*at)),
        Some(Refusal::Expired(at)) => t.explanations_token_expired(calendar.exact(*at)),
        _ => t.explanations_token_works().to_owned(),
    };
    let Some((identity, life)) = &explained.token else { return (words, Vec::new()) };
    let mut facts = vec![identity.token_public_id.clone()];
    if refusal.is_none() {
        facts.push(t.explanations_token_until(calendar.day(life.expires_at())));
    }
    (words, facts)
}

fn subject(t: Texts, explained: &Explained, is_active: bool) -> String {
    let name = &explained.subject.display_name;
    match (explained.subject.id, is_active, explained.token.is_some()) {
        (_, false, _) => t.explanations_subject_inactive(name),
        (SubjectId::ServiceUser(_), true, _) => t.explanations_subject_service_user(name),
        (SubjectId::Membership(_), true, true) => t.explanations_subject_acts_for(name),
        (SubjectId::Membership(_), true, false) => t.explanations_subject_active(name),
    }
}

fn scope(t: Texts, explained: &Explained, is_fine: bool) -> String {
    match (is_fine, explained.action.reads) {
        (false, _) => t.explanations_scope_refuses(),
        (true, true) => t.explanations_scope_reads(),
        (true, false) => t.explanations_scope_writes(),
    }
    .to_owned()
}

fn permission(at: &AtWork, explained: &Explained, has: bool) -> String {
    let (t, who) = (at.t(), &explained.subject.display_name);
    let name = t.any_permission(at.kinds(), &explained.action.permission);
    if has { t.explanations_permission_held(who, name) } else { t.explanations_permission_missing(who, name) }
}

fn access(t: Texts, explained: &Explained) -> String {
    let needed = t.level(explained.action.level);
    match explained.ways.first() {
        Some(way) => t.explanations_access_level(t.level(way.level), needed),
        None => t.explanations_access_none(needed),
    }
}

/// Returns all sources of a level: those that give one first, then those that do not, with why.
fn sources(t: Texts, explained: &Explained) -> Vec<ToldSource> {
    let name = |recipient: Recipient| explained.recipients.get(&recipient).map_or("", |known| known.name.as_str());
    let mut told: Vec<ToldSource> = Vec::new();
    for way in &explained.ways {
        let (level, name) = (t.level(way.level), name(way.recipient));
        let words = match way.source {
            Source::Owner => t.explanations_source_owner(level),
            Source::Share(_) => t.explanations_source_share(name, level),
            Source::Rule(_) => t.explanations_source_rule(name, level),
        };
        told.push(ToldSource { gives: true, words });
    }
    let mut add = |words: String| told.push(ToldSource { gives: false, words });
    if !explained.ways.iter().any(|way| way.source == Source::Owner) {
        add(match explained.names.owner(&explained.item) {
            Some(owner) => t.explanations_other_owner(&owner.name),
            None => t.explanations_no_owner().to_owned(),
        });
    }
    for stored in &explained.other_shares {
        let recipient = stored.share.recipient;
        add(t.explanations_other_share(name(recipient), t.level(stored.share.level), why_not(t, explained, recipient)));
    }
    for stored in &explained.other_rules {
        let recipient = stored.rule.recipient;
        add(t.explanations_other_rule(name(recipient), t.level(stored.rule.level), why_not(t, explained, recipient)));
    }
    told
}

/// Returns why what somebody else has is not the subject's.
fn why_not(t: Texts, explained: &Explained, recipient: Recipient) -> &'static str {
    let is_service_user = matches!(explained.subject.id, SubjectId::ServiceUser(_));
    match recipient.kind() {
        RecipientKind::Group if is_service_user => t.explanations_service_user_no_group(),
        RecipientKind::Site if is_service_user => t.explanations_service_user_no_site(),
        RecipientKind::Group => t.explanations_not_in_group(),
        RecipientKind::Site => t.explanations_not_at_site(),
        RecipientKind::User | RecipientKind::ServiceUser => t.explanations_somebody_else(),
        RecipientKind::Organization => t.explanations_other_organization(),
    }
}

impl ToldChange {
    fn new(at: &AtWork, explained: &Explained, change: &Change, may: bool) -> Self {
        let (t, slug) = (at.t(), at.slug());
        let (subject, item) = (&explained.subject, &explained.item);
        let who = subject.display_name.as_str();
        let page = match (subject.id, subject.service_user()) {
            (_, Some(id)) => path::token_of_organization(slug, id, true),
            (SubjectId::Membership(id), None) => path::person(slug, id.0),
            (SubjectId::ServiceUser(_), None) => path::service_tokens(slug),
        };
        let (words, href) = match change {
            Change::Activate => (t.explanations_change_activate(who), page),
            Change::Regenerate => (t.explanations_change_regenerate(who), page),
            Change::NewToken(Scope::ReadOnly) => (t.explanations_change_token(who), path::NEW_TOKEN.to_owned()),
            Change::NewToken(Scope::ReadWrite) => (t.explanations_change_token_writes(who), path::NEW_TOKEN.to_owned()),
            Change::Grant(permission) => {
                let href = if subject.service_user().is_some() { page } else { path::permission_sets(slug) };
                (t.explanations_change_grant(who, t.any_permission(at.kinds(), permission)), href)
            }
            Change::Share(level) => {
                (share(t, who, &item.name, *level), path::item(slug, item.kind.key(), &item.public_id))
            }
        };
        Self { words, href: may.then_some(href) }
    }
}

fn share(t: Texts, who: &str, item: &str, level: Level) -> String {
    t.explanations_change_share(item, who, t.level(level))
}
