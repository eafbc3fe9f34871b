//! Users: the people of an organization, and the page of each.

mod ending;
mod inviting;
mod link;
mod password;
mod setting;

pub use ending::{ask_deactivation, ask_reactivation, ask_removal, deactivate, reactivate, remove};
pub use inviting::{ask_withdrawal, form as invite_form, invite, withdraw};
pub use password::{ask_link, make_link};
pub use setting::{give_external_id, give_set, show};

use super::{
    App,
    errors::WebError,
    form::Form,
    holder::Holding,
    notice::{Message, Notice},
    page::{is_for, page},
    routes::path,
    search::{self, Search, Step},
    shell::{Nav, Shell, initials},
    texts::Texts,
    words::{Calendar, Moment},
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{
    AppError,
    users::{INVITATIONS, People, Shown},
};
use askama::Template;
use domain::{
    invitation::Invitation,
    membership::{Person, Standing},
    organization::MembershipId,
    paging::PageFrom,
    permission::ManageUsers,
    permission_set::PermissionSet,
    user::shown_email,
};
use serde::Deserialize;

type Manager = Holding<ManageUsers>;

/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;

/// The query: a search, a state, a permission set, and the person after or before whom a page starts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    state: String,
    set: String,
    after: Option<i64>,
    before: Option<i64>,
}

impl Asked {
    fn search(&self) -> Search<'_, 3> {
        let fields = [("q", &*self.q), ("state", &self.state), ("set", &self.set)];
        Search { fields, page: path::users_with, part: "#people" }
    }

    fn place(&self) -> PageFrom<MembershipId> {
        match (self.before, self.after) {
            (Some(id), _) => PageFrom::Before(MembershipId(id)),
            (None, Some(id)) => PageFrom::After(MembershipId(id)),
            (None, None) => PageFrom::Start,
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    shell: Shell,
    message: Option<Message>,
    words: String,
    action: String,
    invite: String,
    /// The choices of states: key, name, whether it is chosen.
    states: Vec<(&'static str, &'static str, bool)>,
    /// The choices of permission sets, in the same way.
    sets: Vec<(String, String, bool)>,
    part: PeoplePart,
}

/// The part of the list that a search changes.
#[derive(Template)]
#[template(path = "users/_people.html")]
struct PeoplePart {
    t: Texts,
    people: Vec<Row>,
    shows_people: bool,
    invitations: Vec<InvitationRow>,
    /// Whether there may be more invitations than are shown.
    has_more_invitations: bool,
    is_search: bool,
    previous: Option<String>,
    next: Option<String>,
}

/// A person as the list shows them.
struct Row {
    href: String,
    name: String,
    initials: String,
    email: String,
    set: String,
    is_you: bool,
    state: (&'static str, &'static str),
    joined: Moment,
    seen: Option<Moment>,
}

/// An invitation as the list shows it.
struct InvitationRow {
    email: String,
    set: String,
    by: String,
    state: (&'static str, &'static str),
    until: Moment,
    again: String,
    withdrawal: String,
}

/// `GET /orgs/{slug}/users`: the whole page, or to htmx the part that a search changes.
pub async fn list(
    app: App,
    at: Manager,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = asked.search().for_key(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let words: String = asked.q.chars().take(LONGEST_SEARCH).collect();
    let shown = Shown::from_key(&asked.state).unwrap_or_default();
    let sets = app::users::sets_to_give(&app, &at.who).await?;
    let set = sets.iter().map(|set| set.id).find(|id| id.0.to_string() == asked.set);
    let people = app::users::list(&app, &at.who, words.clone(), shown, set, asked.place()).await?;
    let chosen = set.map(|set| set.0.to_string()).unwrap_or_default();
    let part = people_part(&at, calendar(&app, &at), &people, &words, shown, &chosen);
    if is_for(&request, "#people") {
        return page(&part);
    }
    let shell = at.shell(Nav::Users);
    let message = message(&app, &at, notice).await?;
    let state = |state: Shown| (state.key(), shown_name(shell.t, state), state == shown);
    let set = |set: &PermissionSet| {
        (set.id.0.to_string(), shell.t.set_name(&set.name).to_owned(), set.id.0.to_string() == chosen)
    };
    page(&ListPage {
        states: Shown::ALL.map(state).into(),
        sets: sets.iter().map(set).collect(),
        action: path::users_search(at.slug()),
        invite: path::invite(at.slug()),
        shell,
        message,
        words,
        part,
    })
}

/// `POST /orgs/{slug}/users/search`
pub async fn search(
    app: App,
    at: Manager,
    Form(asked): Form<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if let Some(elsewhere) = asked.search().leads(&app, &at, &request).await? {
        return Ok(elsewhere);
    }
    let address = asked.search().address(at.slug());
    Ok(search::part_at(list(app, at, Query(asked), None, request).await?, &Step::Replace, &address))
}

fn calendar(app: &App, at: &Manager) -> Calendar {
    Calendar::new(at.t(), &at.who.actor().user().time_zone, app.clock().now())
}

async fn message(app: &App, at: &Manager, notice: Option<Notice>) -> Result<Option<Message>, WebError> {
    let t = at.t();
    Ok(match notice {
        Some(Notice::Removed(id)) => match app::users::find(app, &at.who, MembershipId(id)).await {
            Ok(facts) if facts.person.standing == Standing::Removed => {
                Some(Message::done(t.users_removed_notice(facts.person.name)))
            }
            Ok(_) | Err(AppError::NotFound) => None,
            Err(error) => return Err(error.into()),
        },
        Some(Notice::Withdrawn) => Some(Message::done(t.users_withdrawn_notice())),
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_key_of_nobody())),
        _ => None,
    })
}

fn people_part(at: &Manager, calendar: Calendar, people: &People, words: &str, shown: Shown, set: &str) -> PeoplePart {
    let t = at.t();
    let turned = |name: &'static str, person: MembershipId| {
        let fields = [("q", words), ("state", shown.key()), ("set", set), (name, &*person.0.to_string())];
        path::users_with(at.slug(), &fields)
    };
    PeoplePart {
        t,
        people: people.people.iter().map(|person| row(at, t, calendar, person)).collect(),
        shows_people: shown != Shown::Invited,
        invitations: people.invitations.iter().map(|invited| invitation_row(at, t, calendar, invited)).collect(),
        has_more_invitations: i64::try_from(people.invitations.len()).is_ok_and(|shown| shown == INVITATIONS),
        is_search: !words.trim().is_empty(),
        previous: people.previous.map(|first| turned("before", first)),
        next: people.next.map(|last| turned("after", last)),
    }
}

fn row(at: &Manager, t: Texts, calendar: Calendar, person: &Person) -> Row {
    Row {
        href: path::person(at.slug(), person.membership.0),
        initials: initials(&person.name),
        name: person.name.clone(),
        email: shown_email(&person.email),
        set: t.set_name(&person.set.name).to_owned(),
        is_you: person.user == at.who.actor().user().id,
        state: standing(t, person),
        joined: calendar.on_day(person.joined_at, |when| t.users_joined(when)),
        seen: person.seen_at.map(|seen| calendar.moment(seen, |when| t.users_seen(when))),
    }
}

fn invitation_row(at: &Manager, t: Texts, calendar: Calendar, invitation: &Invitation) -> InvitationRow {
    let ends = invitation.expires_at;
    let has_expired = ends <= calendar.now();
    InvitationRow {
        email: shown_email(&invitation.email),
        set: t.set_name(&invitation.set.name).to_owned(),
        by: t.users_invited_by(&invitation.invited_by_name),
        state: if has_expired { (t.users_expired(), "expired") } else { (t.users_invited(), "expiring") },
        until: if has_expired {
            calendar.moment(ends, |when| t.users_worked_until(when))
        } else {
            Moment { words: t.users_works_until(calendar.exact(ends)), ..calendar.full(ends) }
        },
        again: path::invite_again(at.slug(), &shown_email(&invitation.email), invitation.set.id.0),
        withdrawal: path::invitation_withdrawal(at.slug(), invitation.id.0),
    }
}

/// Returns the state of a member, and the key of its colour and shape.
fn standing(t: Texts, person: &Person) -> (&'static str, &'static str) {
    match person.standing {
        Standing::Active if person.is_blocked => (t.users_blocked(), "revoked"),
        Standing::Active => (t.users_active(), "active"),
        Standing::Deactivated | Standing::Removed => (t.users_deactivated(), "expired"),
    }
}

fn shown_name(t: Texts, shown: Shown) -> &'static str {
    match shown {
        Shown::Everybody => t.users_shown_everybody(),
        Shown::Active => t.users_shown_active(),
        Shown::Deactivated => t.users_shown_deactivated(),
        Shown::Invited => t.users_shown_invited(),
    }
}
