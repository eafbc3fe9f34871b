//! Items of a kind: the list, and the page of each. What somebody reaches and may do there, the verbs decide.

mod access;
pub mod by_person;
mod conducting;
mod deletion;
mod download;
mod editing;
mod ending;
mod form;
mod giving;
mod listing;
mod lost;
mod making;
pub mod sharing;
mod showing;

pub use conducting::{ask_start, reopen, start};
pub use deletion::{archive, confirm_deletion, delete};
pub use download::download;
pub use editing::{edit, save};
pub use ending::{confirm_end, end};
pub use giving::{ask_owner, give};
pub use listing::{list, search};
pub use making::{create, new};
pub use showing::show;

use super::{
    App,
    errors::WebError,
    holder::AtWork,
    routes::path,
    shell::{Nav, Shell},
    texts::Texts,
    words::Calendar,
};
use app::{
    AppError,
    items::{ItemKey, Names},
    requester::Requester,
};
use domain::{
    access::{Level, Refusal},
    item::{Item, ItemKind},
    kind::CommonAction,
};
use serde::Deserialize;

/// The kind that an address names.
#[derive(Debug, Deserialize)]
pub struct Of {
    kind: String,
}

/// The item that an address names.
#[derive(Debug, Deserialize)]
pub struct One {
    kind: String,
    id: String,
}

/// The share of an item that an address names.
#[derive(Debug, Deserialize)]
pub struct OneShare {
    kind: String,
    id: String,
    share: String,
}

impl One {
    fn key(&self) -> ItemKey {
        self.id.as_str().into()
    }
}

/// Whoever is on a page about items of a kind.
struct Here {
    at: AtWork,
    by: Requester,
    kind: ItemKind,
}

impl Here {
    /// # Errors
    /// Not found if the organization has no such kind.
    fn new(at: AtWork, key: &str) -> Result<Self, WebError> {
        let kind = ItemKind::parse(key).filter(|kind| kind.is_known(&at.who.membership().known));
        let kind = kind.ok_or(AppError::NotFound)?;
        Ok(Self { by: at.who.clone().into(), at, kind })
    }

    const fn t(&self) -> Texts {
        self.at.t()
    }

    fn shell(&self) -> Shell {
        Shell { item_kind: self.kind.key().to_owned(), ..self.at.shell(Nav::Items) }
    }

    /// The name of several items of the kind.
    fn plural(&self) -> String {
        self.t().item_kind(self.at.kinds(), &self.kind)
    }

    fn list(&self) -> String {
        path::items(self.at.slug(), self.kind.key())
    }

    fn item(&self, id: &str) -> String {
        path::item(self.at.slug(), self.kind.key(), id)
    }

    fn part(&self, id: &str, part: &str) -> String {
        self.part_of(&self.kind, id, part)
    }

    fn part_of(&self, kind: &ItemKind, id: &str, part: &str) -> String {
        path::item_part(self.at.slug(), kind.key(), id, part)
    }

    fn new_one(&self) -> String {
        path::new_item(self.at.slug(), self.kind.key())
    }

    fn calendar(&self, app: &App) -> Calendar {
        Calendar::new(self.t(), &self.at.who.actor().user().time_zone, app.clock().now())
    }

    /// Returns whether the page offers something with an item on which they have this level.
    fn may(&self, action: CommonAction, level: Level) -> bool {
        level >= action.level() && self.by.may(&self.kind, action)
    }

    /// Checks that the reader may do something with an item on which they have this level.
    fn must(&self, action: CommonAction, level: Level) -> Result<(), WebError> {
        self.must_of(&self.kind, action)?;
        if level >= action.level() { Ok(()) } else { Err(refused(Refusal::LevelMissing(action.level()))) }
    }

    /// Checks that the reader holds the permission for something with items of a kind.
    fn must_of(&self, kind: &ItemKind, action: CommonAction) -> Result<(), WebError> {
        if self.by.may(kind, action) {
            return Ok(());
        }
        Err(kind
            .permission(action)
            .map_or_else(|| AppError::NotFound.into(), |it| refused(Refusal::PermissionMissing(it))))
    }

    /// Returns where a new item is made and what that is called, if they may.
    fn make(&self) -> Option<(String, String)> {
        let made = || match self.kind.is_inspections() {
            true => (path::items(self.at.slug(), "templates"), self.t().items_from_template().to_owned()),
            false => (self.new_one(), self.t().new_item(self.at.kinds(), &self.kind)),
        };
        self.by.may(&self.kind, CommonAction::Edit).then(made)
    }

    /// Returns where an inspection of a template starts, if they may.
    fn inspect(&self, template: &Item) -> Option<String> {
        let inspections = ItemKind::parse("inspections").filter(|_| self.kind.is_templates())?;
        let may = template.archived_at.is_none() && self.by.may(&inspections, CommonAction::Edit);
        may.then(|| self.part(&template.public_id, "inspection"))
    }
}

fn refused(refusal: Refusal) -> WebError {
    AppError::Refused(refusal).into()
}

/// Returns the name of the organization of an item, if it is another one.
fn foreign(here: &Here, names: &Names, item: &Item) -> Option<String> {
    let is_foreign = item.organization != here.by.organization();
    names.organization(item).filter(|_| is_foreign).map(|organization| organization.name.clone())
}
