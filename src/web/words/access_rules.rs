//! Access rules in words: each is a sentence.

use super::sharing::Told;
use crate::texts::Texts;
use app::access_rules::{Covered, ListedRule};
use domain::{
    access::{Level, Recipient},
    item::ItemKind,
    kind::Kind,
};

/// A piece of a sentence: what stands out of it is a name or a level.
pub struct Piece {
    /// The words.
    pub words: String,
    /// Whether they stand out.
    pub stands_out: bool,
}

/// Marks the beginning and the end of what stands out. No name has it.
const MARK: char = '\u{1}';

fn marked(words: &str) -> String {
    format!("{MARK}{words}{MARK}")
}

impl Texts {
    /// The name of several items of a kind within a sentence.
    pub fn kind_within(self, kinds: &[Kind], kind: &ItemKind) -> String {
        let name = self.item_kind(kinds, kind);
        let mut chars = name.chars();
        let (first, second) = (chars.next(), chars.next());
        match (first, second) {
            // “PPE checks”
            (_, Some(second)) if second.is_uppercase() => name,
            (Some(first), _) => first.to_lowercase().chain(name.chars().skip(1)).collect(),
            (None, _) => name,
        }
    }

    /// What a rule says, in pieces.
    pub fn rule_sentence(self, kinds: &[Kind], rule: &ListedRule) -> Vec<Piece> {
        let said = self.rule_with(kinds, rule, marked);
        let pieces = said.split(MARK).enumerate();
        let piece = |(index, words): (usize, &str)| Piece { words: words.to_owned(), stands_out: index % 2 == 1 };
        pieces.map(piece).filter(|piece| !piece.words.is_empty()).collect()
    }

    /// What a rule says.
    pub fn rule_in_full(self, kinds: &[Kind], rule: &ListedRule) -> String {
        self.rule_with(kinds, rule, str::to_owned)
    }

    fn rule_with(self, kinds: &[Kind], rule: &ListedRule, mark: fn(&str) -> String) -> String {
        let (stored, known) = (&rule.stored, &rule.recipient);
        let name = match stored.outside {
            Some(_) if !matches!(stored.rule.recipient, Recipient::Organization(_)) => {
                match known.organization_name.as_str() {
                    "" => mark(&known.name),
                    organization => self.access_rules_of(mark(&known.name), organization),
                }
            }
            _ => mark(&known.name),
        };
        let who = match stored.rule.recipient {
            Recipient::User(_) => name,
            Recipient::ServiceUser(_) => self.access_rules_says_service_user(name),
            Recipient::Group(_) => self.access_rules_says_group(name),
            Recipient::Site(_) => self.access_rules_says_site(name),
            Recipient::Organization(_) => self.access_rules_says_everyone(name),
        };
        let verb = mark(self.level_verb(stored.rule.level));
        self.access_rules_says(who, verb, self.items_of_rule(kinds, rule, mark))
    }

    /// Which items a rule covers, within its sentence.
    fn items_of_rule(self, kinds: &[Kind], rule: &ListedRule, mark: fn(&str) -> String) -> String {
        let kind = self.kind_within(kinds, &rule.stored.rule.kind);
        let site = rule.site.as_ref().map(|(_, name)| mark(name));
        let template = rule.template.as_ref().map(|template| mark(&template.name));
        match (site, template) {
            (None, None) => self.access_rules_says_all(kind),
            (Some(site), None) => self.access_rules_says_at(kind, site),
            (None, Some(template)) => self.access_rules_says_template(kind, template),
            (Some(site), Some(template)) => self.access_rules_says_both(kind, template, site),
        }
    }

    /// Which items a rule covers, by itself: “All templates”.
    pub fn rule_scope(self, kinds: &[Kind], rule: &ListedRule) -> String {
        let scope = self.items_of_rule(kinds, rule, str::to_owned);
        let mut chars = scope.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
    }

    /// “214 items”, “more than 10,000 items”
    pub fn covered(self, Covered { count, has_more }: Covered) -> String {
        match (has_more, count) {
            (true, _) => self.access_rules_more_than(self.number(count)),
            (false, 0) => self.access_rules_none_yet().to_owned(),
            (false, count) => self.access_rules_so_many(count),
        }
    }

    /// What a rule covers now, and that it goes on.
    pub fn covers_now(self, covered: Covered) -> String {
        self.access_rules_covers(self.covered(covered))
    }

    /// What a rule for another organization does, of which nothing is known but its address.
    pub fn outside_rule(self, rule: &ListedRule, level: Level) -> Told {
        let (verb, name) = (self.level_verb(level), &rule.recipient.name);
        let first = match rule.stored.rule.recipient {
            Recipient::Organization(_) => self.sharing_outside_who_all(name, verb),
            _ => self.sharing_outside_who_one(name, verb),
        };
        let rest = [self.sharing_outside_refuse(), self.sharing_outside_end()].map(str::to_owned);
        Told { sum: self.sharing_outside_sum(verb), lines: std::iter::once(first).chain(rest).collect(), takes: false }
    }
}
