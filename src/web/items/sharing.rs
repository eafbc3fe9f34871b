//! Sharing an item, and giving a share another level: a page, or with htmx a dialog that says what it does while
//! somebody chooses.

use super::{Here, One, OneShare};
use crate::{
    App,
    errors::WebError,
    form::{FormWith, Refused},
    holder::AtWork,
    notice::{self, Notice},
    page::{IsHtmx, is_for, page},
    routes::path,
    shell::Shell,
    texts::Texts,
    words::{Errors, Told, recipient_icon},
};
use actix_web::{HttpRequest, HttpResponse, web::Path};
use app::{
    items::{Candidate, Change, Offer, ShareForm, ShareShown, Wanted},
    recipients::RecipientForm,
};
use askama::Template;
use domain::access::{Level, Recipient, RecipientKind, Source};
use serde::Deserialize;

/// The part that changes while somebody types and chooses.
const PART: &str = "#sharing";
/// The maximum length of a search, in characters.
const LONGEST_SEARCH: usize = 100;

/// The form, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    find: String,
    with: String,
    level: String,
}

/// Whether it should be done, or only shown what it does.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pressed {
    share: String,
}

impl Typed {
    fn recipient(&self) -> Option<RecipientForm> {
        let mut parts = self.with.splitn(3, '/').map(str::to_owned);
        let (kind, organization, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(RecipientForm { kind, organization, id, name: String::new() })
    }

    fn wanted(&self, t: Texts, organization: &str) -> Wanted {
        Wanted {
            words: self.find.chars().take(LONGEST_SEARCH).collect(),
            everyone: t.sharing_title_everyone(organization),
            recipient: self.recipient(),
            level: self.level.clone(),
        }
    }
}

fn value(RecipientForm { kind, organization, id, .. }: &RecipientForm) -> String {
    [kind.as_str(), organization, id].join("/")
}

/// The page.
#[derive(Template)]
#[template(path = "items/share.html")]
struct SharePage {
    shell: Shell,
    frame: Frame,
}

/// The dialog.
#[derive(Template)]
#[template(path = "items/_share_dialog.html")]
struct ShareDialog {
    shell: Shell,
    frame: Frame,
}

/// What both have.
struct Frame {
    heading: String,
    action: String,
    cancel: String,
    button: &'static str,
    /// The search, and what stands below it; none where somebody has a share already.
    find: Option<(String, String)>,
    errors: Errors,
    part: SharePart,
}

/// The part that changes.
#[derive(Template)]
#[template(path = "items/_share.html")]
struct SharePart {
    t: Texts,
    /// Whether a search stands before it.
    searches: bool,
    rows: Vec<Row>,
    has_more: bool,
    /// Why whoever outside was typed cannot be chosen.
    not_outside: bool,
    levels: Vec<LevelChoice>,
    effect: Option<Told>,
    is_warning: bool,
    errors: Errors,
}

/// Somebody who can be chosen.
struct Row {
    value: String,
    icon: &'static str,
    name: String,
    note: String,
    has: String,
    is_chosen: bool,
}

struct LevelChoice {
    key: &'static str,
    name: &'static str,
    text: &'static str,
    is_chosen: bool,
}

/// `GET /orgs/{slug}/items/{kind}/{id}/share`
///
/// # Errors
/// Not found if they reach no such item; 403 if they may not share it.
pub async fn ask(app: App, at: AtWork, one: Path<One>, IsHtmx(is_dialog): IsHtmx) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let typed = Typed { level: Level::View.key().to_owned(), ..Typed::default() };
    let frame = frame(&app, &here, &one, &typed, Errors::default()).await?;
    answer(&here, frame, is_dialog)
}

fn answer(here: &Here, frame: Frame, is_dialog: bool) -> Result<HttpResponse, WebError> {
    let shell = here.shell();
    if is_dialog { page(&ShareDialog { shell, frame }) } else { page(&SharePage { shell, frame }) }
}

/// `POST /orgs/{slug}/items/{kind}/{id}/share`: shares the item, or says what that would do.
///
/// # Errors
/// As [`ask`].
pub async fn share(
    app: App,
    at: AtWork,
    one: Path<One>,
    FormWith(typed, pressed): FormWith<Typed, Pressed>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    if pressed.share.is_empty() {
        let frame = frame(&app, &here, &one, &typed, Errors::default()).await?;
        return if is_for(&request, PART) { page(&frame.part) } else { answer(&here, frame, false) };
    }
    let (recipient, source) = (typed.recipient(), here.at.source.clone());
    let form = ShareForm { recipient: recipient.clone().unwrap_or_default(), level: typed.level.clone() };
    match app::items::share(&app, &here.by, &one.kind, one.key(), form, source).await {
        Ok(_) => Ok(notice::see(&here.item(&one.id), &Notice::Shared)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let mut errors = Errors::named(here.t(), here.at.kinds(), &refused.problems);
            if recipient.is_none() {
                errors = errors.reworded("recipient", here.t().sharing_choose());
            }
            let frame = frame(&app, &here, &one, &typed, errors).await?;
            refused.page(&SharePage { shell: here.shell(), frame })
        }
    }
}

async fn frame(app: &App, here: &Here, one: &One, typed: &Typed, errors: Errors) -> Result<Frame, WebError> {
    let (t, at) = (here.t(), here.at.who.membership());
    let wanted = typed.wanted(t, &at.organization_name);
    let offer = app::items::offer(app, &here.by, &one.kind, one.key(), wanted).await?;
    Ok(Frame {
        heading: t.sharing_heading(&offer.item.name),
        action: here.part(&one.id, "share"),
        cancel: here.item(&one.id),
        button: t.sharing_share(),
        find: Some((typed.find.clone(), t.sharing_find_hint(path::organization(&at.slug)))),
        part: offered(here, &offer, typed, errors.clone()),
        errors,
    })
}

fn offered(here: &Here, offer: &Offer, typed: &Typed, errors: Errors) -> SharePart {
    let t = here.t();
    let mut rows: Vec<Row> = offer.found.iter().map(|found| row(t, offer, found)).collect();
    let may_outside = here.kind.is_built_in();
    let outside = offer.outside.as_ref();
    let is_chosen = |form: &RecipientForm| typed.recipient().is_some_and(|chosen| value(&chosen) == value(form));
    rows.extend(outside.filter(|_| may_outside).map(|form| outside_row(t, form, is_chosen(form))));
    let level = Level::from_key(&typed.level);
    let warns = outside.filter(|form| may_outside && is_chosen(form));
    let effect = match (&offer.effect, warns, level) {
        (Some(effect), _, Some(level)) => Some(t.gains(effect, level)),
        (None, Some(form), Some(level)) => Some(outside_effect(t, form, level)),
        _ => None,
    };
    SharePart {
        t,
        searches: true,
        rows,
        has_more: offer.has_more,
        not_outside: outside.is_some() && !may_outside,
        levels: levels(t, offer.own, level),
        effect,
        is_warning: warns.is_some(),
        errors,
    }
}

fn row(t: Texts, offer: &Offer, found: &Candidate) -> Row {
    let (known, own) = (&found.known, &offer.organization);
    let form = RecipientForm {
        kind: known.recipient.kind().key().to_owned(),
        organization: own.slug.clone(),
        id: if matches!(known.recipient, Recipient::Organization(_)) { String::new() } else { known.id.clone() },
        name: String::new(),
    };
    let size = found.size.map(|size| t.size(size));
    let note = match (known.recipient, size) {
        (Recipient::User(_), _) => known.email.clone().unwrap_or_default(),
        (Recipient::ServiceUser(_), _) => t.sharing_note_service_user().to_owned(),
        (Recipient::Organization(_), size) => size.unwrap_or_default(),
        (recipient, size) => {
            let kind = t.recipient_kind(recipient.kind());
            size.map_or_else(|| kind.to_owned(), |size| t.sharing_note_with_size(kind, size))
        }
    };
    let has = found.has.map(|way| match way.source {
        Source::Owner => t.sharing_owner().to_owned(),
        Source::Share(_) => t.sharing_has(t.level_verb(way.level)),
        Source::Rule(_) => t.sharing_has_by_rule(t.level_verb(way.level)),
    });
    let name = match known.recipient {
        Recipient::Organization(_) => t.recipient_title(known.recipient, &known.name),
        _ => known.name.clone(),
    };
    let icon = recipient_icon(known.recipient, false);
    Row { value: value(&form), icon, name, note, has: has.unwrap_or_default(), is_chosen: found.is_chosen }
}

/// Says only what was typed.
fn outside_row(t: Texts, form: &RecipientForm, is_chosen: bool) -> Row {
    let (name, note) = match RecipientKind::from_key(&form.kind) {
        Some(RecipientKind::Organization) => (t.sharing_outside_all(&form.organization), t.sharing_note_outside()),
        Some(RecipientKind::ServiceUser) => (form.id.clone(), t.sharing_note_outside_service_user()),
        _ => (form.id.clone(), t.sharing_note_outside_person()),
    };
    Row { value: value(form), icon: "outside", name, note: note.to_owned(), has: String::new(), is_chosen }
}

fn outside_effect(t: Texts, form: &RecipientForm, level: Level) -> Told {
    let verb = t.level_verb(level);
    let first = match RecipientKind::from_key(&form.kind) {
        Some(RecipientKind::Organization) => t.sharing_outside_who_all(&form.organization, verb),
        _ => t.sharing_outside_who_one(&form.id, verb),
    };
    let rest = [t.sharing_outside_refuse(), t.sharing_outside_end()].map(str::to_owned);
    let lines = std::iter::once(first).chain(rest).collect();
    Told { sum: t.sharing_outside_sum(verb), lines, takes: false }
}

fn levels(t: Texts, own: Level, chosen: Option<Level>) -> Vec<LevelChoice> {
    let text = |level| match level {
        Level::View => t.sharing_level_view(),
        Level::Edit => t.sharing_level_edit(),
        Level::Manage => t.sharing_level_manage(),
    };
    let choice = |level: Level| LevelChoice {
        key: level.key(),
        name: t.level(level),
        text: text(level),
        is_chosen: chosen == Some(level),
    };
    Level::ALL.into_iter().filter(|level| *level <= own).map(choice).collect()
}

/// The level of a share, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TypedLevel {
    level: String,
}

/// `GET /orgs/{slug}/items/{kind}/{id}/shares/{share}`
///
/// # Errors
/// As [`ask`]; not found if the item has no such share.
pub async fn ask_level(
    app: App,
    at: AtWork,
    one: Path<OneShare>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let frame = level_frame(&app, &here, &one, None, Errors::default()).await?;
    answer(&here, frame, is_dialog)
}

/// `POST /orgs/{slug}/items/{kind}/{id}/shares/{share}`: gives it the level, or says what that would do.
///
/// # Errors
/// As [`ask_level`].
pub async fn change_level(
    app: App,
    at: AtWork,
    one: Path<OneShare>,
    FormWith(typed, pressed): FormWith<TypedLevel, Pressed>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    if pressed.share.is_empty() {
        let frame = level_frame(&app, &here, &one, Some(&typed.level), Errors::default()).await?;
        return if is_for(&request, PART) { page(&frame.part) } else { answer(&here, frame, false) };
    }
    let source = here.at.source.clone();
    let key = one.id.as_str().into();
    match app::items::set_level(&app, &here.by, &one.kind, key, &one.share, &typed.level, source).await {
        Ok(_) => Ok(notice::see(&here.item(&one.id), &Notice::Saved)),
        Err(error) => {
            let refused = Refused::new(error)?;
            let errors = Errors::named(here.t(), here.at.kinds(), &refused.problems);
            let frame = level_frame(&app, &here, &one, Some(&typed.level), errors).await?;
            refused.page(&SharePage { shell: here.shell(), frame })
        }
    }
}

async fn level_frame(
    app: &App,
    here: &Here,
    one: &OneShare,
    typed: Option<&str>,
    errors: Errors,
) -> Result<Frame, WebError> {
    let (t, key) = (here.t(), one.id.as_str().into());
    let change = Change::Level(typed.unwrap_or_default().to_owned());
    let shown = app::items::show_share(app, &here.by, &one.kind, key, &one.share, change).await?;
    let ShareShown { share, recipient, own, effect, .. } = &shown;
    let level = typed.map_or(Some(share.share.level), Level::from_key);
    let whom = t.recipient(share.share.recipient, &recipient.name);
    let is_other = level.is_some_and(|level| level != share.share.level);
    let told = level.filter(|_| is_other && effect.size.is_some()).map(|level| t.gains(effect, level));
    let part = SharePart {
        t,
        searches: false,
        rows: Vec::new(),
        has_more: false,
        not_outside: false,
        levels: levels(t, *own, level),
        is_warning: told.as_ref().is_some_and(|told| told.takes),
        effect: told,
        errors: errors.clone(),
    };
    Ok(Frame {
        heading: t.sharing_level_heading(whom),
        action: path::share(here.at.slug(), &one.kind, &one.id, &one.share),
        cancel: here.item(&one.id),
        button: t.common_save(),
        find: None,
        errors,
        part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_choice_is_read_as_it_is_written() {
        for (kind, organization, id) in
            [("user", "", "a/b@example.org"), ("organization", "niger", ""), ("site", "a", "x")]
        {
            let form = RecipientForm {
                kind: kind.into(),
                organization: organization.into(),
                id: id.into(),
                ..RecipientForm::default()
            };
            let read = Typed { with: value(&form), ..Typed::default() }.recipient().unwrap();
            assert_eq!((read.kind, read.organization, read.id), (form.kind, form.organization, form.id));
        }
        for odd in ["", "user", "user/x"] {
            assert!(Typed { with: odd.into(), ..Typed::default() }.recipient().is_none(), "{odd}");
        }
    }
}
