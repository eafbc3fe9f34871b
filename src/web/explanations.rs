//! Why somebody may do something with an item, or not: a question in words, and the answer of every check.

mod told;

use super::{
    App,
    errors::WebError,
    form::Form,
    holder::AtWork,
    notice::{Message, Notice},
    page::{page, see},
    routes::path,
    search,
    shell::{Nav, Shell},
    texts::Texts,
    words::Calendar,
};
use actix_web::{HttpRequest, HttpResponse, web::Query};
use app::{
    AppError,
    explanations::{self, Choice, Outcome, Typed},
};
use askama::Template;
use domain::{
    item::{ItemAction, ItemKind},
    leak,
};
use serde::Deserialize;
use told::Told;

/// The question, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    who: String,
    action: String,
    item: String,
}

impl Asked {
    const fn fields(&self) -> [(&'static str, &String); 3] {
        [("who", &self.who), ("action", &self.action), ("item", &self.item)]
    }

    fn address(&self, slug: &str) -> String {
        path::explanation_with(slug, &self.fields().map(|(name, value)| (name, value.as_str())))
    }

    fn holds_key(&self) -> bool {
        self.fields().iter().any(|(_, typed)| leak::holds_key(typed))
    }
}

/// The page.
#[derive(Template)]
#[template(path = "explanations/show.html")]
struct ExplainPage {
    shell: Shell,
    message: Option<Message>,
    action: String,
    who: String,
    groups: Vec<Group>,
    item: String,
    answer: Shown,
}

/// The actions of a kind.
struct Group {
    name: String,
    options: Vec<Selectable>,
}

/// A choice of a selection.
struct Selectable {
    key: String,
    name: String,
    is_chosen: bool,
}

/// What is shown below the question.
enum Shown {
    /// Nothing: nothing was asked yet.
    Nothing,
    /// That nobody and nothing has the name.
    Unknown { title: &'static str, text: &'static str },
    /// Those that have the name.
    Choices { title: &'static str, choices: Vec<Link> },
    /// The answer.
    Told(Box<Told>),
}

/// One of several that have a name.
struct Link {
    href: String,
    name: String,
    detail: String,
}

/// `GET /orgs/{slug}/explanation`
///
/// # Errors
/// When the database fails.
pub async fn show(
    app: App,
    at: AtWork,
    asked: Query<Asked>,
    notice: Option<Notice>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    if asked.holds_key() {
        return Ok(search::lead(&request, &Notice::UnknownKey.at(&path::explanation(at.slug()))));
    }
    let t = at.t();
    let message = match notice {
        Some(Notice::UnknownKey) => Some(Message::failed(t.search_key_of_nobody())),
        _ => None,
    };
    let Query(asked) = asked;
    let answer = answer(&app, &at, &asked).await?;
    page(&ExplainPage {
        shell: at.shell(Nav::Explanation),
        message,
        action: path::explanation(at.slug()),
        groups: groups(&at, &asked.action),
        who: asked.who,
        item: asked.item,
        answer,
    })
}

/// `POST /orgs/{slug}/explanation`: leads to the address with the question, so that no key ever gets into one.
///
/// # Errors
/// None of its own.
pub async fn submit(at: AtWork, Form(asked): Form<Asked>) -> Result<HttpResponse, WebError> {
    let address =
        if asked.holds_key() { Notice::UnknownKey.at(&path::explanation(at.slug())) } else { asked.address(at.slug()) };
    Ok(see(&address))
}

async fn answer(app: &App, at: &AtWork, asked: &Asked) -> Result<Shown, WebError> {
    let t = at.t();
    if asked.item.trim().is_empty() {
        return Ok(Shown::Nothing);
    }
    let typed = Typed { who: asked.who.clone(), action: asked.action.clone(), item: asked.item.clone() };
    let outcome = match explanations::ask(app, &at.who.clone().into(), typed).await {
        Err(AppError::NotFound) => Outcome::NoItemCalled,
        outcome => outcome?,
    };
    let link = |choice: &Choice, asked: Asked| Link {
        href: asked.address(at.slug()),
        name: choice.name.clone(),
        detail: choice.detail.clone().unwrap_or_else(|| choice.id.clone()),
    };
    Ok(match outcome {
        Outcome::NobodyCalled => Shown::Unknown { title: t.explanations_nobody(), text: t.explanations_nobody_text() },
        Outcome::NoItemCalled => {
            Shown::Unknown { title: t.explanations_no_item(), text: t.explanations_no_item_text() }
        }
        Outcome::SomeCalled(choices) => Shown::Choices {
            title: t.explanations_several(),
            choices: choices.iter().map(|one| link(one, Asked { who: one.id.clone(), ..asked.clone() })).collect(),
        },
        Outcome::SomeItemsCalled(choices) => Shown::Choices {
            title: t.explanations_several_items(),
            choices: choices.iter().map(|one| link(one, Asked { item: one.id.clone(), ..asked.clone() })).collect(),
        },
        Outcome::Explained(explained) => {
            let calendar = Calendar::new(t, &at.who.actor().user().time_zone, app.clock().now());
            Shown::Told(Told::new(at, calendar, &explained).into())
        }
    })
}

/// Returns the actions of all kinds of the organization.
fn groups(at: &AtWork, chosen: &str) -> Vec<Group> {
    let own = at.kinds().iter().map(|kind| kind.key.as_str());
    let kinds = ItemKind::BUILT_IN.into_iter().chain(own).filter_map(ItemKind::parse);
    let group = |kind: ItemKind| Group {
        name: at.t().item_kind(at.kinds(), &kind),
        options: kind.actions(&at.who.membership().known).iter().map(|action| option(at, action, chosen)).collect(),
    };
    kinds.map(group).collect()
}

fn option(at: &AtWork, action: &ItemAction, chosen: &str) -> Selectable {
    let key = action.permission.key().to_owned();
    Selectable { name: at.t().any_permission(at.kinds(), &action.permission), is_chosen: key == chosen, key }
}

/// Returns “may view” and “may not view” for an action, in words.
fn sentence(t: Texts, action: &ItemAction, name: &str, who: &str, item: &str, may: bool) -> String {
    match (action.key(), may) {
        ("view", true) => t.explanations_may_view(who, item),
        ("view", false) => t.explanations_may_not_view(who, item),
        ("edit", true) => t.explanations_may_edit(who, item),
        ("edit", false) => t.explanations_may_not_edit(who, item),
        ("delete", true) => t.explanations_may_delete(who, item),
        ("delete", false) => t.explanations_may_not_delete(who, item),
        ("share", true) => t.explanations_may_share(who, item),
        ("share", false) => t.explanations_may_not_share(who, item),
        (_, true) => t.explanations_may(who, name, item),
        (_, false) => t.explanations_may_not(who, name, item),
    }
}
