//! The list as a file that a spreadsheet opens, with everything that the filters leave.

use super::{Here, Of, foreign, listing::Asked};
use crate::{
    App,
    csv::{self, Cell, Csv},
    errors::WebError,
    holder::AtWork,
    table,
    texts::Texts,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Path, Query},
};
use app::{
    AppError,
    items::{Export, Exported, Names},
};
use domain::{
    access::Level,
    field::{Answer, Answers, Asks, Field},
    item::{Contents, Item, ItemKind},
};

/// `GET /orgs/{slug}/items/{kind}.csv`
///
/// # Errors
/// Not found for a kind, site or owner that is not there.
pub async fn download(
    app: App,
    at: AtWork,
    of: Path<Of>,
    asked: Query<Asked>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let here = Here::new(at, &of.kind)?;
    if asked.holds_key() || !asked.site_may_exist() {
        return Err(AppError::NotFound.into());
    }
    let export = app::items::export(&app, &here.by, &of.kind, asked.query(app.clock().now())).await?;
    let day = app.clock().now().utc().format("%Y-%m-%d");
    let name = format!("{}-{}-{day}.csv", here.kind.key(), here.at.slug());
    let csv = Csv::of(here.t().0);
    let columns = columns(here.t(), &export);
    let beginning = csv.beginning(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    let lines = move |export: &Export, Exported { page, contents }: &Exported| {
        let all = page.items.iter().zip(contents);
        all.map(|((item, level), held)| line(&here, csv, export, (item, *level, held), &page.names)).collect()
    };
    let mut answer = table::sent(app, &request, export, beginning, lines).await?;
    let (header, value) = csv::attachment(&name);
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(header, value);
    }
    Ok(answer)
}

/// Whether answers have a column for each question: those of a kind, which are the same for all of its items.
fn has_columns_of_answers(kind: &ItemKind) -> bool {
    !kind.is_templates() && !kind.is_inspections()
}

fn columns(t: Texts, export: &Export) -> Vec<String> {
    let mut columns = vec![t.items_id(), t.common_external_id(), t.common_name(), t.items_description()];
    columns.extend([t.items_site(), t.items_owner()]);
    if export.kind.is_inspections() {
        columns.extend([t.items_template(), t.items_state()]);
    }
    columns.extend([t.items_archived_badge(), t.items_created(), t.items_modified(), t.items_level()]);
    columns.push(t.common_organization());
    let questions = export.form.questions().map(|field| field.label.clone());
    let mut columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
    if has_columns_of_answers(&export.kind) {
        columns.extend(questions);
    } else if export.kind.is_inspections() {
        columns.push(t.items_answers().to_owned());
    }
    columns
}

fn line(
    here: &Here,
    csv: Csv,
    export: &Export,
    (item, level, held): (&Item, Level, &Contents),
    names: &Names,
) -> String {
    let t = here.t();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut typed = vec![
        item.public_id.clone(),
        item.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        item.name.clone(),
        held.description.clone(),
        text(names.site(item).map(|site| site.name.as_str())),
        text(names.owner(item).map(|owner| owner.name.as_str())),
    ];
    if export.kind.is_inspections() {
        let state = if item.is_draft() { t.items_draft() } else { t.items_finished() };
        typed.extend([text(names.template(item).map(|template| template.name.as_str())), state.to_owned()]);
    }
    let mut cells: Vec<Cell<'_>> = typed.iter().map(|text| Cell::Text(text)).collect();
    cells.push(item.archived_at.map_or(Cell::Plain(""), Cell::Moment));
    cells.extend([Cell::Moment(item.created_at), Cell::Moment(item.modified_at), Cell::Text(t.level(level))]);
    let from = foreign(here, names, item).unwrap_or_default();
    cells.push(Cell::Text(&from));
    let answers: Vec<(bool, String)> = if has_columns_of_answers(&export.kind) {
        export.form.questions().map(|field| answered(t, held.answers.get(&field.key))).collect()
    } else if export.kind.is_inspections() {
        vec![(false, all_answers(t, held.form.questions(), &held.answers))]
    } else {
        Vec::new()
    };
    cells.extend(answers.iter().map(|(is_plain, text)| if *is_plain { Cell::Plain(text) } else { Cell::Text(text) }));
    csv.line(&cells)
}

/// Returns an answer as a cell has it, and whether a spreadsheet may read it as a number or a day.
fn answered(t: Texts, answer: Option<&Answer>) -> (bool, String) {
    match answer {
        None => (true, String::new()),
        Some(Answer::Number(number)) => (true, t.decimal(number)),
        Some(Answer::Date(date)) => (true, date.to_string()),
        Some(Answer::YesNo(is_yes)) => (false, if *is_yes { t.fields_yes() } else { t.fields_no() }.to_owned()),
        Some(Answer::Choices(choices)) => (false, choices.join("; ")),
        Some(Answer::Text(text) | Answer::Choice(text) | Answer::Item(text) | Answer::Unread(text)) => {
            (false, text.clone())
        }
    }
}

/// Returns the answers to several questions in one text, a line each.
fn all_answers<'a>(t: Texts, questions: impl Iterator<Item = &'a Field>, answers: &Answers) -> String {
    let line = |field: &Field| {
        let answer = answers.get(&field.key).filter(|_| field.asks != Asks::Heading)?;
        Some(format!("{}: {}", field.label, answered(t, Some(answer)).1))
    };
    questions.filter_map(line).collect::<Vec<_>>().join("\n")
}
