//! Sharing in words: who, by what, and what a change of access does to whom.

use crate::texts::Texts;
use app::{
    audience::{Affected, Effect, Size},
    items::Summary,
};
use domain::{
    access::{Level, Recipient, RecipientKind, Source, Way},
    item::ItemKind,
    kind::CommonAction,
};
use std::{collections::BTreeMap, fmt::Display};

/// The maximum number of names in a sentence.
const NAMED: usize = 4;
/// The maximum number of sentences about those who keep something.
const SENTENCES: usize = 6;

/// What a change does: the sum of it, and more about it, a sentence each.
pub struct Told {
    /// The sum.
    pub sum: String,
    /// The rest.
    pub lines: Vec<String>,
    /// Whether somebody loses something.
    pub takes: bool,
}

/// Who reaches an item, in short.
pub struct InShort {
    /// Those of its organization.
    pub words: String,
    /// The names of other organizations.
    pub outside: Vec<String>,
}

/// The icon of a recipient, as `parts/_recipient.html` knows it.
pub const fn recipient_icon(recipient: Recipient, is_outside: bool) -> &'static str {
    match recipient {
        _ if is_outside => "outside",
        Recipient::User(_) => "user",
        Recipient::ServiceUser(_) => "service_user",
        Recipient::Group(_) => "group",
        Recipient::Site(_) => "site",
        Recipient::Organization(_) => "organization",
    }
}

impl Texts {
    /// What a level lets somebody do, as a verb: “view”.
    pub fn level_verb(self, level: Level) -> &'static str {
        match level {
            Level::View => self.sharing_verb_view(),
            Level::Edit => self.sharing_verb_edit(),
            Level::Manage => self.sharing_verb_manage(),
        }
    }

    /// A recipient within a sentence: “group Logistics”, “everyone in Croix-Bleue Sahel”.
    pub fn recipient(self, recipient: Recipient, name: impl Display) -> String {
        match recipient {
            Recipient::User(_) => name.to_string(),
            Recipient::ServiceUser(_) => self.sharing_service_user(name),
            Recipient::Group(_) => self.sharing_group(name),
            Recipient::Site(_) => self.sharing_site(name),
            Recipient::Organization(_) => self.sharing_everyone(name),
        }
    }

    /// A recipient by itself: “Group Logistics”, “Everyone in Croix-Bleue Sahel”.
    pub fn recipient_title(self, recipient: Recipient, name: impl Display) -> String {
        match recipient {
            Recipient::User(_) | Recipient::ServiceUser(_) => name.to_string(),
            Recipient::Group(_) => self.sharing_title_group(name),
            Recipient::Site(_) => self.sharing_title_site(name),
            Recipient::Organization(_) => self.sharing_title_everyone(name),
        }
    }

    /// Why somebody reaches an item: by this way, as the recipient with this name.
    pub fn their_way(self, way: &Way, name: &str) -> String {
        let is_rule = match way.source {
            Source::Owner => return self.sharing_their_own().to_owned(),
            Source::Share(_) => false,
            Source::Rule(_) => true,
        };
        match (way.recipient, is_rule) {
            (Recipient::User(_) | Recipient::ServiceUser(_), false) => self.sharing_their_share().to_owned(),
            (Recipient::User(_) | Recipient::ServiceUser(_), true) => self.sharing_their_rule().to_owned(),
            (recipient, false) => self.sharing_their_share_with(self.recipient(recipient, name)),
            (recipient, true) => self.sharing_their_rule_for(self.recipient(recipient, name)),
        }
    }

    /// What may be done with items of a kind: inspections are conducted where others are edited.
    pub fn item_action(self, kind: &ItemKind, action: CommonAction) -> &'static str {
        match action {
            CommonAction::Edit if kind.is_inspections() => self.permissions_conduct(),
            action => self.common_action(action),
        }
    }

    /// “6 people”, “13 people and 7 service users”
    pub fn size(self, size: Size) -> String {
        let people = self.sharing_people(size.people);
        match size.service_users {
            0 => people,
            count => self.sharing_and(people, self.sharing_service_users(count)),
        }
    }

    /// “Awa, Ben and 3 others”
    pub fn listed(self, names: &[&str]) -> String {
        let more = names.len().saturating_sub(NAMED);
        let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| (*name).to_owned()).collect();
        shown.extend((more > 0).then(|| self.sharing_others(more)));
        match shown.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => self.sharing_and(others.join(", "), last),
            None => String::new(),
        }
    }

    /// By what somebody has a level: “by the group Logistics, with which it is shared”.
    pub fn by_way(self, effect: &Effect, way: &Way) -> String {
        let name = effect.names.get(&way.recipient).map_or("", |known| known.name.as_str());
        let is_own = matches!(way.recipient, Recipient::User(_) | Recipient::ServiceUser(_));
        match (way.source, is_own) {
            (Source::Owner, _) => self.sharing_by_owner().to_owned(),
            (Source::Share(_), true) => self.sharing_by_own_share().to_owned(),
            (Source::Rule(_), true) => self.sharing_by_own_rule().to_owned(),
            (Source::Share(_), false) => self.sharing_by_share(self.recipient(way.recipient, name)),
            (Source::Rule(_), false) => self.sharing_by_rule(self.recipient(way.recipient, name)),
        }
    }

    /// What giving a level does.
    pub fn gains(self, effect: &Effect, level: Level) -> Told {
        let verb = self.level_verb(level);
        let (Some(each), Some(size)) = (&effect.each, effect.size) else {
            let sum = effect.size.map_or_else(String::new, |size| self.sharing_gain_all(self.size(size), verb));
            return Told { sum, lines: Vec::new(), takes: false };
        };
        if each.is_empty() {
            return Told { sum: self.sharing_gain_empty().to_owned(), lines: Vec::new(), takes: false };
        }
        let gains = |one: &&Affected| one.after.level() > one.before;
        let may = |one: &&Affected| one.allowed >= Some(level);
        let (can, cannot): (Vec<_>, Vec<_>) = each.iter().filter(gains).partition(may);
        let lose: Vec<_> = each.iter().filter(|one| one.after.level() < one.before).collect();
        let same = each.len() - can.len() - cannot.len() - lose.len();
        let mut lines = Vec::new();
        let sum = match can.len() {
            0 if lose.is_empty() => self.sharing_gain_none().to_owned(),
            0 => self.sharing_level_lowered(lose.len(), names(&lose, self)),
            count => self.sharing_gain(count, verb, names(&can, self)),
        };
        if same > 0 && usize::try_from(size.people + size.service_users) == Ok(same) {
            lines.push(self.sharing_have_all(verb));
        } else if same > 0 {
            lines.push(self.sharing_have(same));
        }
        if !cannot.is_empty() {
            lines.push(self.sharing_lack(cannot.len(), names(&cannot, self), verb));
        }
        if !can.is_empty() && !lose.is_empty() {
            lines.push(self.sharing_level_lowered(lose.len(), names(&lose, self)));
        }
        lines.extend(self.kept(effect, &lose));
        Told { sum, lines, takes: !lose.is_empty() }
    }

    /// What taking something does.
    pub fn losses(self, effect: &Effect) -> Told {
        let Some(each) = &effect.each else {
            let sum = effect.size.map_or_else(
                || self.sharing_loss_outside().to_owned(),
                |size| self.sharing_loss_all_of(self.size(size)),
            );
            return Told { sum, lines: Vec::new(), takes: true };
        };
        let lose: Vec<&Affected> = each.iter().filter(|one| one.after.level() < one.before).collect();
        let (gone, less): (Vec<_>, Vec<_>) = lose.iter().copied().partition(|one| one.after.level().is_none());
        let mut sums = Vec::new();
        if !gone.is_empty() {
            sums.push(self.sharing_loss_all(gone.len()));
        }
        if !less.is_empty() {
            sums.push(self.sharing_loss_some(less.len()));
        }
        let sum = if sums.is_empty() { self.sharing_loss_none().to_owned() } else { sums.join(" ") };
        let mut lines = Vec::new();
        if !gone.is_empty() {
            lines.push(self.sharing_loss_gone(gone.len(), names(&gone, self)));
        }
        lines.extend(self.kept(effect, &less));
        let unchanged: Vec<&Affected> = each.iter().filter(|one| one.after.level() == one.before).collect();
        lines.extend(self.kept(effect, &unchanged));
        Told { sum, lines, takes: !lose.is_empty() }
    }

    /// Who reaches an item, in short: names the only one, or counts.
    pub fn in_short(self, summary: &Summary) -> InShort {
        let outside = summary.outside.clone();
        let words = match (&summary.only, summary.everyone, summary.counts.as_slice()) {
            (_, true, _) => self.sharing_short_everyone().to_owned(),
            (Some(only), ..) => self.recipient_title(only.recipient, &only.name),
            (None, false, []) if !outside.is_empty() => String::new(),
            (None, false, []) => match summary.is_own {
                Some(true) => self.sharing_short_you().to_owned(),
                Some(false) => self.sharing_short_owner().to_owned(),
                None => self.sharing_short_nobody().to_owned(),
            },
            (None, false, counts) => {
                counts.iter().map(|(kind, count)| self.so_many(*kind, *count)).collect::<Vec<_>>().join(", ")
            }
        };
        InShort { words, outside }
    }

    fn so_many(self, kind: RecipientKind, count: usize) -> String {
        match kind {
            RecipientKind::User => self.sharing_short_users(count),
            RecipientKind::ServiceUser => self.sharing_service_users(count),
            RecipientKind::Group => self.sharing_short_groups(count),
            RecipientKind::Site => self.sharing_short_sites(count),
            RecipientKind::Organization => self.sharing_short_everyone().to_owned(),
        }
    }

    /// Who keeps what, and by what.
    fn kept(self, effect: &Effect, people: &[&Affected]) -> Vec<String> {
        let mut groups: BTreeMap<(Level, String), Vec<&Affected>> = BTreeMap::new();
        for one in people {
            if let Some(way) = one.after.ways().first() {
                groups.entry((way.level, self.by_way(effect, way))).or_default().push(one);
            }
        }
        let told = |((level, by), who): ((Level, String), Vec<&Affected>)| {
            self.sharing_keep(who.len(), names(&who, self), self.level_verb(level), by)
        };
        groups.into_iter().rev().map(told).take(SENTENCES).collect()
    }
}

fn names(people: &[&Affected], t: Texts) -> String {
    t.listed(&people.iter().map(|one| one.name.as_str()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    #[test]
    fn a_sentence_names_a_few() {
        let t = Texts(Language::En);
        assert_eq!(t.listed(&[]), "");
        assert_eq!(t.listed(&["Awa"]), "Awa");
        assert_eq!(t.listed(&["Awa", "Ben", "Zoe"]), "Awa, Ben and Zoe");
        assert_eq!(t.listed(&["A", "B", "C", "D", "E", "F"]), "A, B, C, D and 2 others");
        assert_eq!(Texts(Language::Fr).listed(&["A", "B", "C", "D", "E"]), "A, B, C, D et 1 autre");
    }
}
