//! Finding whom and what somebody means who asks in words: an id, an e-mail address, a name, a label.

use super::{Explained, Viewer};
use crate::{
    AppError, Jeton, Result,
    entities::{Entity, SubjectKind, find_subject},
    requester::Requester,
};
use domain::{
    access::SubjectId, item::ItemKind, kind::CommonAction, paging::PageFrom, permission::BuiltInPermission,
    text::searchable,
};
use storage::{
    AnyConnection,
    access::{Direction, Filter, Reachable},
    items,
    memberships::people,
    tokens,
};

/// The maximum number of choices if several have the same name.
const MOST_CHOICES: usize = 8;

/// A question in words. Each text is an id or a name; without `who`, it is about whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// A subject or token.
    pub who: String,
    /// The key of a kind and of one of its actions: `assets.view`.
    pub action: String,
    /// An item of that kind.
    pub item: String,
}

/// What a question in words leads to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is nobody of this name whom whoever asks may know.
    NobodyCalled,
    /// There are several.
    SomeCalled(Vec<Choice>),
    /// There is no such item that whoever asks may know.
    NoItemCalled,
    /// There are several.
    SomeItemsCalled(Vec<Choice>),
    /// The answer.
    Explained(Box<Explained>),
}

/// One of several that have a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is: the key of a [`SubjectKind`], or of a kind of items.
    pub kind: String,
    /// The id that names it alone.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What tells it from others of the name: an e-mail address or an external id.
    pub detail: Option<String>,
}

/// Explains what somebody asks in words.
///
/// # Errors
/// [`AppError::NotFound`] for an action that is not there.
pub async fn ask(jeton: &Jeton, by: &Requester, typed: Typed) -> Result<Outcome> {
    jeton.read_for(by, move |connection, standing| Viewer { standing }.ask(connection, &typed)).await
}

impl Viewer<'_> {
    fn ask(&self, connection: &mut AnyConnection, typed: &Typed) -> Result<Outcome> {
        let (kind, action) = typed.action.split_once('.').ok_or(AppError::NotFound)?;
        let kind = ItemKind::parse(kind).ok_or(AppError::NotFound)?;
        let whom = match typed.who.trim() {
            "" => None,
            who => {
                let mut called = self.called(connection, who)?;
                match called.len() {
                    0 => return Ok(Outcome::NobodyCalled),
                    1 => called.pop().map(|choice| Entity { kind: choice.kind, id: choice.id }),
                    _ => return Ok(Outcome::SomeCalled(called)),
                }
            }
        };
        let mut items = self.items_called(connection, &kind, typed.item.trim())?;
        let item = match (items.pop(), items.is_empty()) {
            (None, _) => return Ok(Outcome::NoItemCalled),
            (Some(choice), true) => Entity { kind: choice.kind, id: choice.id },
            (Some(last), false) => {
                items.push(last);
                return Ok(Outcome::SomeItemsCalled(items));
            }
        };
        let why = super::Why { whom, action: action.to_owned(), item };
        Ok(Outcome::Explained(self.explain(connection, &why)?.into()))
    }

    /// Returns those whom whoever asks may know and who have this id or name. An id is of one alone.
    fn called(&self, connection: &mut AnyConnection, text: &str) -> Result<Vec<Choice>> {
        // A service user's token has its public id: with the token, there is more to say.
        for kind in [SubjectKind::Token, SubjectKind::User, SubjectKind::ServiceUser] {
            let entity = Entity { kind: kind.key().to_owned(), id: text.to_owned() };
            let found = find_subject(connection, self.standing.facts.organization, &entity)?;
            if found.is_ok_and(|found| self.may_know(found.subject().id)) {
                return Ok(vec![Choice { kind: entity.kind, id: entity.id, name: String::new(), detail: None }]);
            }
        }
        let mut choices = self.members_called(connection, text)?;
        choices.extend(self.service_users_called(connection, text)?);
        choices.extend(self.own_tokens_called(connection, text)?);
        choices.truncate(MOST_CHOICES);
        Ok(choices)
    }

    fn members_called(&self, connection: &mut AnyConnection, text: &str) -> Result<Vec<Choice>> {
        if !self.standing.holds(BuiltInPermission::PlatformUsers) {
            return Ok(Vec::new());
        }
        let filter = people::Filter { words: text.to_owned(), ..people::Filter::default() };
        let limit = i64::try_from(MOST_CHOICES).unwrap_or(i64::MAX);
        let organization = self.standing.facts.organization;
        let people = people::list(connection, organization, &filter, PageFrom::Start, limit)?;
        let choice = |person: domain::membership::Person| Choice {
            kind: SubjectKind::User.key().to_owned(),
            id: format!("membership:{}", person.membership.0),
            name: person.name,
            detail: Some(person.email),
        };
        Ok(people.into_iter().map(choice).collect())
    }

    fn service_users_called(&self, connection: &mut AnyConnection, text: &str) -> Result<Vec<Choice>> {
        if !self.standing.holds(BuiltInPermission::PlatformIntegrations) {
            return Ok(Vec::new());
        }
        let all = tokens::service_users::list(connection, self.standing.facts.organization, self.standing.now)?;
        let called = all.into_iter().filter(|token| has_words(&token.name, text));
        let choice = |token: domain::service_user::ServiceToken| Choice {
            kind: SubjectKind::Token.key().to_owned(),
            id: token.public_id,
            name: token.name,
            detail: token.external_id,
        };
        Ok(called.map(choice).collect())
    }

    fn own_tokens_called(&self, connection: &mut AnyConnection, text: &str) -> Result<Vec<Choice>> {
        let SubjectId::Membership(own) = self.standing.facts.id else { return Ok(Vec::new()) };
        let Some(user) = self.standing.named(connection)?.subject().user else { return Ok(Vec::new()) };
        let all = tokens::list(connection, user, self.standing.now)?;
        let called = all.into_iter().filter(|token| token.membership == own && has_words(&token.label, text));
        let choice = |token: domain::token::Token| Choice {
            kind: SubjectKind::Token.key().to_owned(),
            id: token.public_id,
            name: token.label,
            detail: None,
        };
        Ok(called.map(choice).collect())
    }

    fn items_called(&self, connection: &mut AnyConnection, kind: &ItemKind, text: &str) -> Result<Vec<Choice>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let choice = |item: domain::item::Item| Choice {
            kind: item.kind.key().to_owned(),
            id: item.public_id,
            name: item.name,
            detail: item.external_id.map(|id| id.to_string()),
        };
        match self.item(connection, kind, text) {
            Ok((item, _)) => return Ok(vec![choice(item)]),
            Err(AppError::NotFound) => {}
            Err(error) => return Err(error),
        }
        if self.standing.check(kind, CommonAction::View).is_err() {
            return Ok(Vec::new());
        }
        let reachable = Reachable::read(connection, &self.standing.facts, kind)?;
        let filter = Filter { words: text.to_owned(), ..Filter::default() };
        let limit = i64::try_from(MOST_CHOICES).unwrap_or(i64::MAX);
        let found = items::page(connection, &reachable, &filter, Direction::Descending, &PageFrom::Start, limit)?;
        Ok(found.into_iter().map(|(item, _)| choice(item)).collect())
    }
}

/// Returns whether a name has all these words, as searches compare them.
fn has_words(name: &str, words: &str) -> bool {
    let name = searchable(name);
    searchable(words).split_whitespace().all(|word| name.contains(word))
}
