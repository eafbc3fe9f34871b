//! Making items.

use super::{ItemKey, form_of_kind, kind_in, own_in, reading::template_of};
use crate::{
    AppError, Jeton, Result,
    problem::{Field, Problem, Problems},
    random,
    requester::{Changing, Requester, Standing},
};
use domain::{
    access::SiteId,
    activity::{Action, Detail},
    field::{
        Answer, AnswerError, AnswerProblem, Answers, Asks, FieldKey, Form, JsonAnswers, Strength, TypedAnswers,
        TypedForm,
    },
    item::{self, Contents, ExternalId, Item, ItemKind},
    kind::CommonAction,
    text, token,
};
use std::collections::BTreeSet;
use storage::{
    AnyConnection, activity,
    items::{self, NewItem},
    recipients,
};

/// Answers as they were sent.
#[derive(Clone, Debug, Default)]
pub enum Sent {
    /// None: those that there are stay.
    #[default]
    Nothing,
    /// By a form, which has all of them.
    Typed(TypedAnswers),
    /// By a program, which may name some of them.
    Json(JsonAnswers),
}

/// The form for an item, as typed. What a kind has no use for is ignored.
#[derive(Clone, Debug, Default)]
pub struct ItemForm {
    /// The name. An inspection without one is called as its template.
    pub name: String,
    /// The description.
    pub description: String,
    /// The public id of the site that it is at; empty for none.
    pub site: String,
    /// The external id; empty for none.
    pub external_id: String,
    /// The public id of the template of an inspection.
    pub template: String,
    /// The questions of a template.
    pub questions: TypedForm,
    /// The answers to the fields of its kind, or of an inspection.
    pub answers: Sent,
    /// Whether an inspection is finished at once. Other items always need all required answers.
    pub is_finished: bool,
    /// The nonce of this form ([`form_nonce`]), so that sending it twice creates only one item; empty for none.
    pub nonce: String,
}

/// Creates a nonce for a new form.
pub fn form_nonce() -> String {
    random::code()
}

/// Creates an item, which the requester owns, and returns it.
///
/// # Errors
/// [`AppError::NotFound`] for a kind that is not there; [`AppError::Refused`] without the permission;
/// [`AppError::Invalid`] with everything that is wrong at once: at [`Field::Site`] or [`Field::Template`] also if there
/// is no such thing for the requester; [`Problem::MadeBefore`] if a form with this nonce has made something else.
pub async fn create(
    jeton: &Jeton,
    by: &Requester,
    kind: &str,
    form: ItemForm,
    source: domain::activity::Source,
) -> Result<Item> {
    let (kind, public_id) = (kind.to_owned(), public_id(jeton, by, kind, &form.nonce));
    jeton
        .write_for(by, source, move |connection, changing| {
            let kind = kind_in(changing.standing, &kind)?;
            create_in(connection, changing, &kind, &form, &public_id)
        })
        .await
}

/// Returns the public id of a new item. The nonce decides it, together with whoever asks and the kind: so nobody can
/// choose one, or find out by it whether an item exists.
fn public_id(jeton: &Jeton, by: &Requester, kind: &str, nonce: &str) -> String {
    if nonce.is_empty() {
        return token::public_id(random::fill);
    }
    let input = format!("{:?} {kind} {nonce}", by.subject());
    let derived = jeton.pepper.derive("item-form", input.as_bytes());
    token::public_id(|bytes| bytes.iter_mut().zip(derived).for_each(|(byte, derived)| *byte = derived))
}

pub(super) fn create_in(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    kind: &ItemKind,
    form: &ItemForm,
    public_id: &str,
) -> Result<Item> {
    let standing = changing.standing;
    standing.check(kind, CommonAction::Edit)?;
    let organization = standing.facts.organization;
    let made = if form.nonce.is_empty() { None } else { items::own(connection, organization, kind, public_id)? };
    let mut problems = Problems::default();
    let template = if kind.is_inspections() {
        let template = template_of(connection, standing, &form.template)?;
        problems.choice(Field::Template, template)
    } else {
        None
    };
    let name = match &template {
        Some(template) if form.name.chars().all(text::is_blank) => Ok(template.name.clone()),
        _ => item::name(&form.name),
    };
    let name = problems.check(Field::ItemName, name);
    let description = problems.check(Field::Description, item::description(&form.description));
    let site = site_in(connection, standing, &form.site)?;
    let site = problems.check(Field::Site, site);
    let external_id = external_in(connection, standing, kind, &form.external_id, made.as_ref())?;
    let external_id = problems.check(Field::ExternalId, external_id);
    let own = match &template {
        _ if !kind.is_templates() && !form.questions.fields.is_empty() => Err(Problem::NoQuestionsHere),
        Some(template) => Ok(items::contents(connection, template.id, &Form::default())?.form),
        None if kind.is_templates() => read_questions(standing, &form.questions, &Form::default(), &BTreeSet::new()),
        None => Ok(Form::default()),
    };
    let own = problems.check(Field::Questions, own);
    let answers = match &own {
        Some(own) => {
            let of_kind = form_of_kind(connection, organization, kind)?;
            let asked = if template.is_some() { own } else { &of_kind };
            let strength = strength(kind, form.is_finished);
            read_answers(connection, standing, asked, &form.answers, &Answers::default(), strength)?
        }
        None => Ok(Answers::default()),
    };
    let answers = problems.check(Field::Answers, answers);
    let (Some(name), Some(description), Some(site), Some(external_id), Some(own), Some(answers)) =
        (name, description, site, external_id, own, answers)
    else {
        return Err(problems.into());
    };
    problems.none()?;
    let contents = Contents { description, form: own, answers };
    let new = NewItem {
        public_id,
        organization,
        kind,
        external_id: external_id.as_ref(),
        name: &name,
        owner: Some(standing.facts.id),
        site,
        template: template.map(|template| template.id),
        finished_at: (kind.is_inspections() && form.is_finished).then_some(changing.now),
        contents: &contents,
    };
    if let Some(made) = made {
        let is_same = is_what_was_made(connection, &made, &new)?;
        return if is_same { Ok(made) } else { Err(Problems::one(Field::Form, Problem::MadeBefore).into()) };
    }
    items::insert(connection, &new, changing.now)?;
    let item = items::own(connection, organization, kind, public_id)?.ok_or(AppError::NotFound)?;
    write_entry(connection, changing, Action::ItemCreated, &item)?;
    Ok(item)
}

/// Returns whether an item is still as its form has made it. An inspection that was started may go on meanwhile.
fn is_what_was_made(connection: &mut AnyConnection, made: &Item, new: &NewItem<'_>) -> Result<bool> {
    if made.template.is_some() {
        return Ok(made.template == new.template);
    }
    let of_kind = form_of_kind(connection, made.organization, &made.kind)?;
    let is_same = (made.name.as_str(), made.site, made.external_id.as_ref()) == (new.name, new.site, new.external_id);
    Ok(is_same && items::contents(connection, made.id, &of_kind)? == *new.contents)
}

/// Writes an entry of the log about an item.
pub(super) fn write_entry(
    connection: &mut AnyConnection,
    changing: &Changing<'_>,
    action: Action,
    item: &Item,
) -> Result<()> {
    let detail = Some(Detail::Item { kind: item.kind.clone(), id: item.public_id.clone() });
    let entry = activity::Entry { target_name: Some(&item.name), detail, ..changing.entry(action) };
    Ok(activity::insert(connection, &entry)?)
}

/// How much is asked of the answers of an item.
pub(super) fn strength(kind: &ItemKind, is_finished: bool) -> Strength {
    if kind.is_inspections() && !is_finished { Strength::Draft } else { Strength::Finish }
}

type Checked<T> = std::result::Result<T, Problem>;

/// Returns the site of the organization with this public id; none for an empty one.
pub(super) fn site_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    typed: &str,
) -> Result<Checked<Option<SiteId>>> {
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    if !token::is_public_id(typed) {
        return Ok(Err(Problem::NotAChoice));
    }
    let site = recipients::site(connection, standing.facts.organization, typed)?;
    Ok(site.map(Some).ok_or(Problem::NotAChoice))
}

/// Returns the external id, which no other item than `own` of the kind has.
pub(super) fn external_in(
    connection: &mut AnyConnection,
    standing: &Standing,
    kind: &ItemKind,
    typed: &str,
    own: Option<&Item>,
) -> Result<Checked<Option<ExternalId>>> {
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    let id = match ExternalId::parse(typed) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error.into())),
    };
    let organization = own.map_or(standing.facts.organization, |own| own.organization);
    let other = own_in(connection, organization, kind, &ItemKey::External(id.clone()))?;
    let is_taken = other.is_some_and(|other| own.is_none_or(|own| own.id != other.id));
    Ok(if is_taken { Err(Problem::ItemIdTaken) } else { Ok(Some(id)) })
}

/// Reads the questions of a template, to replace `before`.
pub(super) fn read_questions(
    standing: &Standing,
    typed: &TypedForm,
    before: &Form,
    answered: &BTreeSet<FieldKey>,
) -> Checked<Form> {
    typed.read(before, answered, |kind| kind.is_known(standing.known())).map_err(Problem::Questions)
}

/// Reads answers to a form. An item that an answer names must be there for whoever names it.
pub(super) fn read_answers(
    connection: &mut AnyConnection,
    standing: &Standing,
    form: &Form,
    sent: &Sent,
    before: &Answers,
    strength: Strength,
) -> Result<Checked<Answers>> {
    let read = match sent {
        Sent::Typed(typed) => form.read(typed, before, strength),
        Sent::Json(json) => form.read_json(json, before, strength),
        Sent::Nothing if strength == Strength::Draft => Ok(before.clone()),
        Sent::Nothing => form.read_json(&JsonAnswers::new(), before, strength),
    };
    let answers = match read {
        Ok(answers) => answers,
        Err(wrong) => return Ok(Err(Problem::Answers(wrong))),
    };
    let mut wrong = Vec::new();
    for field in form.questions() {
        let (Asks::Item(kind), Some(Answer::Item(id))) = (&field.asks, answers.get(&field.key)) else { continue };
        let is_new = before.get(&field.key) != answers.get(&field.key);
        if is_new && super::find_in(connection, standing, kind, &id.as_str().into())?.is_none() {
            wrong.push(AnswerProblem { field: field.key.to_string(), why: AnswerError::NotAnItem });
        }
    }
    Ok(if wrong.is_empty() { Ok(answers) } else { Err(Problem::Answers(wrong)) })
}
