//! An entry of the log: its line in the list, and its own page with all details.

use super::{
    calendar,
    sentence::{self, Name, Names, Piece},
};
use crate::{
    App,
    errors::WebError,
    holder::Holding,
    page::{IsHtmx, page},
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{HttpResponse, web::Path};
use app::{AppError, activity::LogPage, authority::Holder};
use askama::Template;
use domain::{
    activity::{Action, Logged, Source},
    permission::{BuiltInPermission, ReadActivity},
    user::{UserId, shown_email},
};

/// An entry in the list.
pub struct Line {
    pub position: String,
    pub time: String,
    pub at: Moment,
    pub sentence: Vec<Piece>,
    pub changes: Vec<String>,
    /// From where and by what program it was caused, in a few words; empty if that is not known.
    pub origin: String,
    /// The page with all details.
    pub href: String,
}

/// All details of an entry.
struct Entry {
    line: Line,
    source: Source,
    target: Option<String>,
    token: Option<String>,
    hash: String,
    only_person: Option<String>,
    only_token: Option<String>,
}

/// The page of an entry.
#[derive(Template)]
#[template(path = "activity/entry.html")]
struct EntryPage {
    shell: Shell,
    back: String,
    entry: Entry,
}

/// The details that replace the link in the line of an entry, for htmx.
#[derive(Template)]
#[template(path = "activity/_entry.html")]
struct EntryPart {
    t: Texts,
    entry: Entry,
}

/// `GET /orgs/{slug}/activity/{id}`: an entry by its position, or to htmx its details alone.
///
/// # Errors
/// Not found if the log of the organization has no such entry.
pub async fn show(
    app: App,
    at: Holding<ReadActivity>,
    address: Path<(String, i64)>,
    IsHtmx(is_part): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let found = app::activity::find(&app, &at.who, address.1).await?;
    let shell = at.shell(Nav::Activity);
    let logged = found.entries.first().ok_or(AppError::NotFound)?;
    let entry = Entry::of(shell.t, calendar(&app, &at), &at.who, &found, logged);
    if is_part {
        return page(&EntryPart { t: shell.t, entry });
    }
    page(&EntryPage { shell, back: path::activity(at.slug()), entry })
}

impl Line {
    /// Creates the line of an entry of `found`.
    pub fn of(t: Texts, calendar: Calendar, reader: &Holder<ReadActivity>, found: &LogPage, entry: &Logged) -> Self {
        let program = if entry.source.program.is_empty() { String::new() } else { t.program(&entry.source.program) };
        let by_itself = if sentence::is_by_itself(entry) { t.activity_by_itself() } else { "" };
        let origin = [by_itself, &*entry.source.address, &*program];
        Self {
            position: t.number(entry.position),
            time: calendar.clock_time(entry.at),
            at: calendar.full(entry.at),
            sentence: sentence::pieces(t, entry, &names(t, calendar, reader, found, entry)),
            changes: sentence::changes(t, reader.kinds(), entry),
            origin: origin.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" · "),
            href: path::activity_entry(&reader.membership().slug, entry.position),
        }
    }
}

impl Entry {
    fn of(t: Texts, calendar: Calendar, reader: &Holder<ReadActivity>, found: &LogPage, entry: &Logged) -> Self {
        let only = |field: &str, value: &str| path::activity_with(&reader.membership().slug, &[(field, value)]);
        let actor = entry.actor.and_then(|actor| found.people.get(&actor));
        let token = entry.token.as_ref().map(|(public_id, _)| public_id);
        Self {
            line: Line::of(t, calendar, reader, found, entry),
            source: entry.source.clone(),
            target: target(entry),
            token: token.cloned(),
            hash: hex::encode(entry.hash),
            only_person: actor.map(|email| only("person", email)),
            only_token: token.map(|token| only("token", token)),
        }
    }
}

/// Returns whom or what the entry concerns; for an invited person that is their address.
fn target(entry: &Logged) -> Option<String> {
    let name = entry.target_name.as_deref()?;
    let is_address = matches!(entry.action, Action::UserInvited | Action::InvitationWithdrawn);
    Some(if is_address { shown_email(name) } else { name.to_owned() })
}

fn names(t: Texts, calendar: Calendar, reader: &Holder<ReadActivity>, found: &LogPage, entry: &Logged) -> Names {
    let slug = reader.membership().slug.as_str();
    let about = |user: UserId| found.people.get(&user).map(|email| path::activity_with(slug, &[("person", email)]));
    let may_see_tokens = reader.grant().held().contains(BuiltInPermission::PlatformIntegrations);
    let actor = match (entry.actor, entry.actor_name.as_str()) {
        (_, "") => t.activity_jeton(),
        (None, app::operator::NAME) => t.activity_operator(),
        (_, name) => name,
    };
    let token = entry.token.as_ref().map(|(public_id, label)| Name {
        words: label.clone(),
        href: found
            .tokens
            .get(public_id)
            .filter(|_| may_see_tokens)
            .map(|is_service| path::token_of_organization(slug, public_id, *is_service)),
    });
    Names {
        actor: Name { words: actor.to_owned(), href: entry.actor.and_then(about) },
        target: Name {
            words: target(entry).unwrap_or_else(|| t.activity_unnamed().into()),
            href: entry.target.and_then(about),
        },
        token: token.unwrap_or_else(|| Name { words: t.activity_unnamed().into(), href: None }),
        detail: sentence::detail(t, calendar, entry),
    }
}
