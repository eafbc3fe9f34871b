//! The page of a token: its name at the top, its expiry on the left, its permissions on the right, each of which can be
//! opened for editing in its place.

use super::{Admin, alarm, calendar, revoked_by};
use crate::{
    App,
    calls::Chart,
    errors::WebError,
    notice::{Message, Notice},
    page::{is_for, page},
    permissions::PermissionFields,
    revocations::Line,
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
    uses::capitalized,
    words::{Calendar, Errors, Moment},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use askama::Template;
use domain::{
    permission::{BuiltInPermission, Permissions},
    service_user::ServiceToken,
    token::{InactivityExpiry, KeyFacts, RevokedBy, TokenState},
};
use serde::Deserialize;

/// How many times an open page asks about the two keys, every five seconds: for ten minutes. If it went on longer, an
/// unattended page would keep its session alive.
const LOOKS: u16 = 120;

/// The page.
#[derive(Template)]
#[template(path = "service_users/token.html")]
pub(super) struct TokenPage {
    shell: Shell,
    slug: String,
    message: Option<Message>,
    token: Detail,
    keys: Option<Keys>,
    /// The calls per day, unless a part is being edited.
    calls: Option<Chart>,
    /// Since when it is refused.
    refused: Option<Line>,
    editing: Option<Editing>,
    periods: Vec<i16>,
}

impl TokenPage {
    fn edits(&self, part: Part) -> Option<&Editing> {
        self.editing.as_ref().filter(|editing| editing.part == part)
    }
}

/// The two keys of a rotation alone, for htmx.
#[derive(Template)]
#[template(path = "service_users/_keys.html")]
struct KeysPart {
    t: Texts,
    keys: Option<Keys>,
}

/// A token as its page shows it.
struct Detail {
    id: String,
    name: String,
    state: (String, &'static str),
    is_active: bool,
    alarm: Option<String>,
    days: i32,
    used: Option<Moment>,
    /// From where and by what program it was used, one line each.
    used_by: Vec<String>,
    end_name: &'static str,
    end: Moment,
    end_explained: String,
    /// When the old key was revoked because it was publicly exposed, and where it was found.
    leaked_key: Option<(Moment, String)>,
    made: Moment,
    made_by: String,
    external_id: Option<String>,
    held: String,
    /// By group: its name, and the permissions that the token holds.
    permissions: Vec<(String, Vec<String>)>,
    /// The activity log of this token, for those who may read it.
    history: Option<String>,
}

impl Detail {
    fn part(&self, slug: &str, part: &str) -> String {
        path::service_token_part(slug, &self.id, part)
    }
}

/// The keys of a token while both work, or just after.
struct Keys {
    id: String,
    /// The address of the next refresh, as long as something may change.
    next: Option<String>,
    new: KeyUse,
    /// The old key, with its end; none if it has just ended.
    old: Option<OldKey>,
}

struct KeyUse {
    used: Option<Moment>,
    used_by: Vec<String>,
}

struct OldKey {
    usage: KeyUse,
    until: String,
    quiet: Option<String>,
    end: String,
}

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The name.
    Name,
    /// The external id.
    ExternalId,
    /// The inactivity expiry.
    Expiry,
    /// The permissions.
    Permissions,
}

/// A part that is open for editing.
pub(super) struct Editing {
    pub(super) part: Part,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) external_id: String,
    pub(super) inactivity: String,
    pub(super) fields: PermissionFields,
    pub(super) errors: Errors,
    /// Whether the chosen period would make the token expire immediately.
    pub(super) would_expire: bool,
    /// Whether somebody else has changed the token in the meantime, so that the current value is shown as well.
    pub(super) is_stale: bool,
}

/// The number of refreshes of the keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    look: u16,
}

/// `GET /orgs/{slug}/integrations/tokens/{id}`, or to htmx its two keys alone.
///
/// # Errors
/// Not found if it does not exist or belongs to another organization.
pub async fn show(
    app: App,
    at: Admin,
    ids: Path<(String, String)>,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let token = app::service_users::find(&app, &at.who, &ids.1).await?;
    if is_for(&request, "#keys") {
        let keys = Some(keys(calendar(&app, &at), &at, &token, asked.look));
        return page(&KeysPart { t: at.t(), keys });
    }
    let t = at.t();
    let calls = app::calls::of_service_user(&app, &token).await?;
    let calls = Some(Chart::new(t, app.clock().now(), &calls));
    // While the token works, its newest revocation was that of another key.
    let refused = if token.key.life.revoked_at.is_some() { Line::within(&app, &at, &ids.1).await? } else { None };
    let message = notice.and_then(|notice| message(t, &notice));
    page(&TokenPage { message, calls, refused, ..token_page(&app, &at, &token, None) })
}

fn message(t: Texts, notice: &Notice) -> Option<Message> {
    match notice {
        Notice::ExternalIdSaved => Some(Message::done(t.service_users_saved_external_id())),
        Notice::NameSaved => Some(Message::done(t.service_users_saved_name())),
        Notice::ExpirySaved => Some(Message::done(t.service_users_saved_expiry())),
        Notice::PermissionsSaved => Some(Message::done(t.service_users_saved_permissions())),
        Notice::OldKeyEnded => Some(Message::done(t.service_users_saved_old_key())),
        _ => None,
    }
}

pub(super) fn token_page(app: &App, at: &Admin, token: &ServiceToken, editing: Option<Editing>) -> TokenPage {
    let calendar = calendar(app, at);
    TokenPage {
        shell: at.shell(Nav::Integrations),
        slug: at.slug().to_owned(),
        message: None,
        token: detail(calendar, at, token),
        keys: token.old_key.as_ref().map(|_| keys(calendar, at, token, 0)),
        calls: None,
        refused: None,
        editing,
        periods: InactivityExpiry::ALL.map(InactivityExpiry::days).to_vec(),
    }
}

fn detail(calendar: Calendar, at: &Admin, token: &ServiceToken) -> Detail {
    let (t, key) = (at.t(), &token.key);
    let (state, days) = (key.life.state(calendar.now()), key.life.inactivity.days());
    let (end_name, end_at, end_explained) = match state {
        TokenState::Active { expires_at } => (t.tokens_fact_expires(), expires_at, t.tokens_after_days(days)),
        TokenState::Expired { at } => (t.tokens_fact_expired(), at, t.tokens_after_days_past(days)),
        TokenState::Revoked { at } => (t.tokens_fact_revoked(), at, revoked_why(t, key)),
    };
    let used = key.last_use.as_ref();
    let reads_log = at.who.membership().permissions.contains(BuiltInPermission::PlatformActivity);
    Detail {
        id: token.public_id.clone(),
        name: token.name.clone(),
        state: t.state(state, calendar.now()),
        is_active: matches!(state, TokenState::Active { .. }),
        alarm: alarm(t, calendar, token),
        days: days.into(),
        used: used.map(|used| calendar.moment(used.at, capitalized)),
        used_by: used.map(|used| t.use_in_lines(used)).unwrap_or_default(),
        end_name,
        end: calendar.full(end_at),
        end_explained,
        leaked_key: token.replaced_key.as_ref().and_then(|key| leaked_key(t, calendar, key)),
        made: calendar.full(token.created_at),
        made_by: token.made_by.clone(),
        external_id: token.external_id.clone(),
        held: t.service_users_permissions_held(
            token.permissions.count(),
            Permissions::everything(at.who.grant().known()).count(),
        ),
        permissions: by_group(at, &token.permissions),
        history: reads_log.then(|| path::activity_with(at.slug(), &[("token", &token.public_id)])),
    }
}

fn revoked_why(t: Texts, key: &KeyFacts) -> String {
    let reason = key.revocation_reason.as_ref().filter(|_| key.revoked_by != Some(RevokedBy::Leak));
    let reason = reason.map(|reason| t.service_users_reason(reason));
    [Some(revoked_by(t, key)), reason].into_iter().flatten().collect::<Vec<_>>().join(". ")
}

fn leaked_key(t: Texts, calendar: Calendar, key: &KeyFacts) -> Option<(Moment, String)> {
    let at = key.life.revoked_at.filter(|_| key.revoked_by == Some(RevokedBy::Leak))?;
    Some((calendar.full(at), t.revoked_by_leak(key.revocation_reason.as_deref())))
}

fn by_group(at: &Admin, permissions: &Permissions) -> Vec<(String, Vec<String>)> {
    let groups = PermissionFields::new(at.t(), at.kinds(), permissions, permissions).groups.into_iter();
    let held = groups.map(|group| {
        let names = group.boxes.into_iter().filter(|permission| permission.is_chosen).map(|permission| permission.name);
        (group.name, names.collect::<Vec<_>>())
    });
    held.filter(|(_, names)| !names.is_empty()).collect()
}

fn key_use(t: Texts, calendar: Calendar, key: &KeyFacts) -> KeyUse {
    KeyUse {
        used: key.last_use.as_ref().map(|used| calendar.moment(used.at, |when| t.tokens_used(when))),
        used_by: key.last_use.as_ref().map(|used| t.use_in_lines(used)).unwrap_or_default(),
    }
}

fn keys(calendar: Calendar, at: &Admin, token: &ServiceToken, look: u16) -> Keys {
    let t = at.t();
    let here = path::service_token(at.slug(), &token.public_id);
    let old = |key: &KeyFacts| OldKey {
        usage: key_use(t, calendar, key),
        until: key
            .life
            .ends_at
            .map(|ends_at| t.service_users_rotation_works_until(calendar.exact(ends_at)))
            .unwrap_or_default(),
        quiet: key.quiet_seconds.map(|seconds| t.service_users_rotation_quiet_for(seconds / 3600)),
        end: path::service_token_part(at.slug(), &token.public_id, "old-key"),
    };
    let goes_on = token.old_key.is_some() && look < LOOKS;
    Keys {
        id: token.public_id.clone(),
        next: goes_on.then(|| path::refreshed(&here, look + 1)),
        new: key_use(t, calendar, &token.key),
        old: token.old_key.as_ref().map(old),
    }
}
