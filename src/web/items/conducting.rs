//! Conducting an inspection: started from a template, answered, kept as a draft, finished, reopened.

use super::{
    Here, One,
    editing::meanwhile,
    form::{About, Filled, Now, Typed, answers_part, sites},
    lost,
};
use crate::{
    App,
    answers::AnswersPart,
    choice::Choice,
    confirm::{Confirm, Offer},
    errors::WebError,
    form::{Form, Refused},
    holder::AtWork,
    notice::{self, Message, Notice},
    page::{IsHtmx, page, see},
    shell::Shell,
    sign_in::Nothing,
    summary::Summary,
    words::Errors,
};
use actix_web::{HttpResponse, web::Path};
use app::{
    AppError,
    items::{Found, ItemChange, ItemForm},
    problem::Problems,
};
use askama::Template;
use domain::{item::ItemKind, kind::CommonAction};
use serde::Deserialize;

/// The button that keeps what is there, whatever it is.
const DRAFT: &str = "draft";

/// The form.
#[derive(Template)]
#[template(path = "items/conduct.html")]
struct ConductPage {
    shell: Shell,
    message: Option<Message>,
    list: String,
    plural: String,
    name: String,
    /// Where it is, and who started it when.
    facts: Vec<String>,
    summary: Option<Summary>,
    now: Vec<Now>,
    action: String,
    typed: Typed,
    sites: Vec<Choice>,
    errors: Errors,
    answers: AnswersPart,
    saved: String,
}

/// Returns the form of an inspection that the reader may conduct. One that is finished is read on its page.
pub(super) async fn show(
    app: &App,
    here: &Here,
    found: &Found,
    notice: Option<Notice>,
) -> Result<HttpResponse, WebError> {
    if !found.item.is_draft() {
        return Ok(see(&here.item(&found.item.public_id)));
    }
    let t = here.t();
    let message = match notice {
        Some(Notice::Saved) => Some(Message::done(t.items_draft_notice())),
        Some(Notice::Reopened) => Some(Message::done(t.items_reopened_notice())),
        _ => None,
    };
    let filled = Filled::of(t, found);
    page(&ConductPage { message, ..conduct_page(app, here, found, filled, &Problems::default()).await? })
}

/// Saves it as a draft, or finishes it.
pub(super) async fn save(app: &App, here: &Here, found: Found, filled: Filled) -> Result<HttpResponse, WebError> {
    if let Some(arranged) = filled.arranged() {
        return page(&conduct_page(app, here, &found, arranged, &Problems::default()).await?);
    }
    let is_finished = filled.typed.step != DRAFT;
    let change = ItemChange { is_finished: Some(is_finished), ..filled.change(here, &found) };
    let key = found.item.public_id.as_str().into();
    match app::items::change(app, &here.by, here.kind.key(), key, change, here.at.source.clone()).await {
        Ok(item) if is_finished => Ok(notice::see(&here.item(&item.public_id), &Notice::Finished)),
        Ok(item) => Ok(notice::see(&here.part(&item.public_id, "edit"), &Notice::Saved)),
        Err(error) if lost::is_lost(&error) => lost::page(here, &filled, error),
        Err(error) => {
            let refused = Refused::new(error)?;
            let (found, filled, now) = meanwhile(app, here, found, filled, &refused).await?;
            let page = conduct_page(app, here, &found, filled, &refused.problems).await?;
            refused.page(&ConductPage { now, ..page })
        }
    }
}

async fn conduct_page(
    app: &App,
    here: &Here,
    found: &Found,
    filled: Filled,
    problems: &Problems,
) -> Result<ConductPage, WebError> {
    let (t, item, calendar) = (here.t(), &found.item, here.calendar(app));
    let is_own = item.organization == here.by.organization();
    let about = About { form: &found.form, before: &found.contents.answers, is_answered: false, is_own };
    let answers = answers_part(app, here, &about, &filled, problems).await?;
    let errors = Errors::named(t, here.at.kinds(), problems);
    let mut summary = Summary::new(t, &errors, answers.links(t));
    if let Some(summary) = summary.as_mut().filter(|_| errors.at("form").is_none()) {
        t.items_not_finished().clone_into(&mut summary.title);
    }
    let started = calendar.when(item.created_at);
    let by = match found.names.owner(item) {
        Some(_) if item.owner == Some(here.by.subject()) => t.items_started_by_you(started),
        Some(owner) => t.items_started_by(&owner.name, started),
        None => t.items_started(started),
    };
    Ok(ConductPage {
        shell: here.shell(),
        message: None,
        list: here.list(),
        plural: here.plural(),
        name: item.name.clone(),
        facts: found.names.site(item).map(|site| site.name.clone()).into_iter().chain([by]).collect(),
        summary,
        now: Vec::new(),
        action: here.part(&item.public_id, "edit"),
        sites: sites(app, here, &filled.typed.site, is_own).await?,
        errors,
        answers,
        saved: t.items_draft_saved(calendar.when(item.modified_at)),
        typed: filled.typed,
    })
}

/// What is asked before an inspection starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Start {
    site: String,
    nonce: String,
}

/// The fields of that question.
#[derive(Template)]
#[template(path = "items/_start.html")]
struct StartFields {
    shell: Shell,
    nonce: String,
    sites: Vec<Choice>,
}

/// `GET /orgs/{slug}/items/templates/{id}/inspection`
///
/// # Errors
/// Not found if they reach no such template; refused without the permission to conduct inspections. What is no template
/// is shown instead.
pub async fn ask_start(
    app: App,
    at: AtWork,
    one: Path<One>,
    IsHtmx(is_dialog): IsHtmx,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    if !here.kind.is_templates() {
        return Ok(see(&here.item(&one.id)));
    }
    here.must_of(&inspections()?, CommonAction::Edit)?;
    let is_own = found.item.organization == here.by.organization();
    let site = found.names.site(&found.item).filter(|_| is_own).map(|site| site.id.clone());
    let start = Start { site: site.unwrap_or_default(), nonce: app::items::form_nonce() };
    question(&app, &here, &found, start).await?.ask(here.shell(), is_dialog)
}

/// `POST /orgs/{slug}/items/templates/{id}/inspection`: the same form starts one inspection, however often it is sent.
///
/// # Errors
/// As [`ask_start`].
pub async fn start(app: App, at: AtWork, one: Path<One>, Form(start): Form<Start>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    let found = app::items::find(&app, &here.by, &one.kind, one.key()).await?;
    if !here.kind.is_templates() {
        return Err(AppError::NotFound.into());
    }
    let form = ItemForm {
        template: one.id.clone(),
        site: start.site.clone(),
        nonce: start.nonce.clone(),
        ..ItemForm::default()
    };
    let inspections = inspections()?;
    match app::items::create(&app, &here.by, inspections.key(), form, here.at.source.clone()).await {
        Ok(item) => Ok(see(&here.part_of(&inspections, &item.public_id, "edit"))),
        Err(error) => {
            let refused = Refused::new(error)?;
            question(&app, &here, &found, start).await?.ask_again(here.shell(), &refused)
        }
    }
}

fn inspections() -> Result<ItemKind, WebError> {
    Ok(ItemKind::parse("inspections").ok_or(AppError::NotFound)?)
}

async fn question(app: &App, here: &Here, found: &Found, start: Start) -> Result<Confirm<StartFields>, WebError> {
    let (t, item) = (here.t(), &found.item);
    let sites = sites(app, here, &start.site, true).await?;
    let heading = t.items_inspect_heading(&item.name);
    let confirm = Confirm {
        title: heading.clone(),
        heading,
        text: vec![t.items_inspect_text().to_owned()],
        action: here.part(&item.public_id, "inspection"),
        offer: Offer::Do(t.items_inspect_start()),
        cancel: here.item(&item.public_id),
        ..Confirm::default()
    };
    Ok(confirm.with(StartFields { shell: here.shell(), nonce: start.nonce, sites }))
}

/// `POST /orgs/{slug}/items/inspections/{id}/reopening`: makes a finished inspection a draft again.
///
/// # Errors
/// Not found if they reach no such inspection; refused with a level below *edit*.
pub async fn reopen(app: App, at: AtWork, one: Path<One>, _: Form<Nothing>) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &one.kind)?;
    if !here.kind.is_inspections() {
        return Err(AppError::NotFound.into());
    }
    let change = ItemChange { is_finished: Some(false), ..ItemChange::default() };
    app::items::change(&app, &here.by, &one.kind, one.key(), change, here.at.source.clone()).await?;
    Ok(notice::see(&here.part(&one.id, "edit"), &Notice::Reopened))
}
