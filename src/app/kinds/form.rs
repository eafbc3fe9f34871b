//! The form for a kind.

use crate::{
    Result,
    problem::{ActionProblem, Field, Problem, Problems},
};
use domain::{
    kind::{ActionKey, Kind, KindKey, MOST_ACTIONS, OwnAction},
    text,
};

/// The word of a form for an action that only reads.
pub const READS: &str = "reads";
/// The word of a form for an action that changes something.
pub const CHANGES: &str = "changes";

/// The form for a kind, as typed.
#[derive(Clone, Debug, Default)]
pub struct KindForm {
    /// The name of one item.
    pub singular: String,
    /// The name of several.
    pub plural: String,
    /// The key of a new kind. For a change, the key that it has, or nothing.
    pub key: String,
    /// The own actions, in order. One without name and key is left out.
    pub actions: Vec<TypedAction>,
    /// For a change: the version that was shown.
    pub version: String,
    /// For a change on a page: [`Effects::digest`](super::Effects::digest) of those that it has shown, empty for
    /// nobody.
    pub affected: Option<String>,
    /// The password, if the page asked for it.
    pub password: Option<String>,
}

/// An own action, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedAction {
    /// The name.
    pub name: String,
    /// The key.
    pub key: String,
    /// [`READS`] or [`CHANGES`].
    pub nature: String,
}

impl TypedAction {
    /// Returns an action as somebody would type it.
    pub fn of(action: &OwnAction) -> Self {
        let nature = if action.reads { READS } else { CHANGES };
        Self { name: action.name.clone(), key: action.key.as_str().to_owned(), nature: nature.to_owned() }
    }

    fn is_blank(&self) -> bool {
        self.name.chars().all(text::is_blank) && self.key.chars().all(text::is_blank)
    }

    fn read(&self) -> std::result::Result<OwnAction, ActionProblem> {
        let name = text::line(&self.name).map_err(ActionProblem::Name)?;
        let key = ActionKey::parse(self.key.trim_matches(text::is_blank)).map_err(ActionProblem::Key)?;
        let reads = match self.nature.as_str() {
            READS => true,
            CHANGES => false,
            _ => return Err(ActionProblem::Nature),
        };
        Ok(OwnAction { key, name, reads })
    }
}

impl KindForm {
    /// Returns a kind as somebody would type it.
    pub fn of(kind: &Kind, version: i64) -> Self {
        Self {
            singular: kind.singular.clone(),
            plural: kind.plural.clone(),
            key: kind.key.as_str().to_owned(),
            actions: kind.actions.iter().map(TypedAction::of).collect(),
            version: version.to_string(),
            affected: None,
            password: None,
        }
    }

    /// Reads the form for a new kind, or for a change of `before`.
    pub(super) fn read(&self, before: Option<&Kind>) -> Result<Kind> {
        let mut problems = Problems::default();
        let singular = problems.check(Field::Singular, text::line(&self.singular));
        let plural = problems.check(Field::Plural, text::line(&self.plural));
        let typed = self.key.trim_matches(text::is_blank);
        let key = match before {
            Some(before) if typed.is_empty() || typed == before.key.as_str() => Ok(before.key.clone()),
            Some(_) => Err(Problem::KeyStays),
            None => KindKey::parse(typed).map_err(Problem::Key),
        };
        let key = problems.check(Field::Key, key);
        match (singular, plural, key, problems.check(Field::Actions, self.read_actions())) {
            (Some(singular), Some(plural), Some(key), Some(actions)) => Ok(Kind { key, singular, plural, actions }),
            _ => Err(problems.into()),
        }
    }

    fn read_actions(&self) -> std::result::Result<Vec<OwnAction>, Problem> {
        let mut read: Vec<OwnAction> = Vec::new();
        for (number, typed) in (1..).zip(&self.actions).filter(|(_, typed)| !typed.is_blank()) {
            let wrong = |problem| Problem::Action(number, problem);
            let action = typed.read().map_err(wrong)?;
            if read.len() >= MOST_ACTIONS {
                return Err(Problem::TooManyActions);
            }
            if read.iter().any(|other| other.key == action.key) {
                return Err(wrong(ActionProblem::KeyTaken));
            }
            if read.iter().any(|other| text::fold(&other.name) == text::fold(&action.name)) {
                return Err(wrong(ActionProblem::NameTaken));
            }
            read.push(action);
        }
        Ok(read)
    }
}
