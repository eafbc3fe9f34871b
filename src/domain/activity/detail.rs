//! What an entry of the log says besides who did what to whom: its writer and its reader.
//!
//! The log keeps a detail as text, which is part of the hash chain. So a text is only read as more than words if writing
//! it again gives exactly the same text.

use super::Action;
use crate::{
    access::{Level, RecipientKind},
    item::ItemKind,
    organization::MembershipId,
    permission::{BuiltInSet, OwnPermission, OwnPermissions, Permission, Permissions},
    permission_set::SetName,
    protected_api::{BaseUrl, Methods, Needs, Pattern, Rule},
    time::Timestamp,
};

/// The maximum number of members in a run: whoever writes to the database could make one of any length.
const MOST_IN_RUN: i64 = 1_000_000;
/// How the lines about the site and the template of an access rule begin.
const SITE: &str = "site ";
const TEMPLATE: &str = "template ";
/// What stands between the path of a rule of a protected API and the kind of its `{item}`.
const OF: &str = " of ";
/// The line that says that preflights pass.
const PREFLIGHTS_PASS: &str = "preflights";

/// A detail of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Words as somebody wrote them, such as a reason, or the name or address before a change.
    Words(String),
    /// A number of days.
    Days(i64),
    /// A moment, written as RFC 3339.
    Moment(Timestamp),
    /// The name of a permission set, of a built-in one its key.
    PermissionSet(SetName),
    /// Permissions that were added and removed, written as `+templates.view -assets.edit`.
    Permissions {
        /// Those that were added.
        added: Permissions,
        /// Those that were removed.
        removed: Permissions,
    },
    /// How the permissions of a kind changed, written as `+invoices.pay -invoices.send =invoices.download:r`.
    Kind {
        /// Those that were added.
        added: OwnPermissions,
        /// Those that were removed.
        removed: OwnPermissions,
        /// Those that now only read and did not, or the other way round.
        turned: OwnPermissions,
    },
    /// Members, in the order of their numbers, written as `4 7-9`.
    Members(Vec<MembershipId>),
    /// An item, whose name is the target, written as `assets k7m2q9xd4t`.
    Item {
        /// Its kind.
        kind: ItemKind,
        /// Its public id.
        id: String,
    },
    /// A share of an item, written as `assets k7m2q9xd4t view group Logistics`.
    Share {
        /// The kind of the item.
        kind: ItemKind,
        /// Its public id.
        id: String,
        /// The level.
        level: Level,
        /// The kind of the recipient.
        recipient: RecipientKind,
        /// The recipient's name.
        name: String,
    },
    /// An access rule, whose recipient is the target, written as `inspections edit group`, and a line each for the name
    /// of the site (`site Mopti`) and of the template (`template Cold chain`), if it has them.
    AccessRule {
        /// The kind of the items.
        kind: ItemKind,
        /// The level.
        level: Level,
        /// The kind of the recipient.
        recipient: RecipientKind,
        /// The name of the site.
        site: Option<String>,
        /// The name of the template.
        template: Option<String>,
    },
    /// A protected API: its base URL, then a line for each rule, such as `POST /v1/* → write assets.edit`.
    ProtectedApi {
        /// The base URL.
        base_url: BaseUrl,
        /// The rules, in order.
        rules: Vec<Rule>,
        /// Whether preflights pass.
        lets_preflights: bool,
    },
}

impl Detail {
    /// Words of somebody.
    pub fn words(words: &str) -> Self {
        Self::Words(words.to_owned())
    }

    /// The change from one set of permissions to another.
    pub fn permissions(before: &Permissions, since: &Permissions) -> Self {
        Self::Permissions { added: since.without(before), removed: before.without(since) }
    }

    /// The change from one form of a kind to another; `None` if its permissions stay.
    pub fn kind(before: &OwnPermissions, since: &OwnPermissions) -> Option<Self> {
        let is_turned = |one: &OwnPermission| before.get(one.key()).is_some_and(|before| before.reads() != one.reads());
        let (added, removed, turned) = (since.without(before), before.without(since), since.filter(is_turned));
        let is_same = added.is_empty() && removed.is_empty() && turned.is_empty();
        (!is_same).then_some(Self::Kind { added, removed, turned })
    }

    /// These members, in any order.
    pub fn members(members: &[MembershipId]) -> Self {
        let mut members = members.to_vec();
        members.sort_unstable();
        members.dedup();
        Self::Members(members)
    }

    /// The text that the log keeps.
    pub fn to_text(&self) -> String {
        match self {
            Self::Words(words) => words.clone(),
            Self::Days(days) => days.to_string(),
            Self::Moment(at) => at.rfc3339(),
            Self::PermissionSet(name) => name.as_str().to_owned(),
            Self::Permissions { added, removed } => {
                let added = added.iter().map(|permission| format!("+{}", permission.key()));
                let removed = removed.iter().map(|permission| format!("-{}", permission.key()));
                added.chain(removed).collect::<Vec<_>>().join(" ")
            }
            Self::Kind { added, removed, turned } => {
                let all = [('+', added), ('-', removed), ('=', turned)].into_iter();
                let words = all.filter(|(_, some)| !some.is_empty()).flat_map(|(sign, some)| {
                    some.to_text().split(' ').map(|word| format!("{sign}{word}")).collect::<Vec<_>>()
                });
                words.collect::<Vec<_>>().join(" ")
            }
            Self::Members(members) => write_members(members),
            Self::Item { kind, id } => format!("{} {id}", kind.key()),
            Self::Share { kind, id, level, recipient, name } => {
                format!("{} {id} {} {} {name}", kind.key(), level.key(), recipient.key())
            }
            Self::AccessRule { kind, level, recipient, site, template } => {
                let mut lines = vec![format!("{} {} {}", kind.key(), level.key(), recipient.key())];
                lines.extend(site.as_ref().map(|name| format!("{SITE}{name}")));
                lines.extend(template.as_ref().map(|name| format!("{TEMPLATE}{name}")));
                lines.join("\n")
            }
            Self::ProtectedApi { base_url, rules, lets_preflights } => {
                let mut lines = vec![base_url.as_str().to_owned()];
                lines.extend(rules.iter().map(write_rule));
                lines.extend(lets_preflights.then(|| PREFLIGHTS_PASS.to_owned()));
                lines.join("\n")
            }
        }
    }

    /// Reads the text of an entry about `action`.
    pub fn parse(action: Action, text: &str) -> Self {
        let read = match action {
            Action::TokenExpiryChanged => text.parse().ok().map(Self::Days),
            Action::TokenRotated | Action::InstallationRestored => Timestamp::from_rfc3339(text).map(Self::Moment),
            Action::UserPermissionSetChanged => Some(Self::PermissionSet(match BuiltInSet::from_key(text) {
                Some(set) => SetName::BuiltIn(set),
                None => SetName::Own(text.to_owned()),
            })),
            Action::PermissionSetChanged | Action::TokenPermissionsChanged => read_permissions(text),
            Action::KindCreated | Action::KindChanged | Action::KindDeleted => Some(read_kind(text)),
            Action::GroupMembersAdded
            | Action::GroupMembersRemoved
            | Action::SiteMembersAdded
            | Action::SiteMembersRemoved => read_members(text),
            Action::ItemCreated
            | Action::ItemChanged
            | Action::ItemArchived
            | Action::ItemUnarchived
            | Action::ItemDeleted => read_item(text),
            Action::ItemGiven | Action::ItemShared | Action::ShareChanged | Action::ShareEnded => read_share(text),
            Action::AccessRuleCreated | Action::AccessRuleChanged | Action::AccessRuleDeleted => read_access_rule(text),
            Action::ProtectedApiCreated | Action::ProtectedApiChanged => read_protected_api(text),
            _ => None,
        };
        read.filter(|read| read.to_text() == text).unwrap_or_else(|| Self::words(text))
    }
}

/// Neighbours are joined, so that a list of thousands stays short.
fn write_members(members: &[MembershipId]) -> String {
    let runs = members.chunk_by(|one, next| one.0 + 1 == next.0).filter_map(|run| match (run.first()?, run.last()?) {
        (only, last) if only == last => Some(only.0.to_string()),
        (first, last) => Some(format!("{}-{}", first.0, last.0)),
    });
    runs.collect::<Vec<_>>().join(" ")
}

fn read_members(text: &str) -> Option<Detail> {
    let mut members = Vec::new();
    for run in text.split(' ') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
        if !last.checked_sub(first).is_some_and(|more| (0..MOST_IN_RUN).contains(&more)) {
            return None;
        }
        members.extend((first..=last).map(MembershipId));
    }
    Some(Detail::Members(members))
}

fn read_item(text: &str) -> Option<Detail> {
    let (kind, id) = text.split_once(' ')?;
    Some(Detail::Item { kind: ItemKind::parse(kind)?, id: id.to_owned() })
}

fn read_share(text: &str) -> Option<Detail> {
    let mut words = text.splitn(5, ' ');
    Some(Detail::Share {
        kind: ItemKind::parse(words.next()?)?,
        id: words.next()?.to_owned(),
        level: Level::from_key(words.next()?)?,
        recipient: RecipientKind::from_key(words.next()?)?,
        name: words.next()?.to_owned(),
    })
}

fn read_access_rule(text: &str) -> Option<Detail> {
    let mut lines = text.split('\n').peekable();
    let mut words = lines.next()?.split(' ');
    let kind = ItemKind::parse(words.next()?)?;
    let (level, recipient) = (Level::from_key(words.next()?)?, RecipientKind::from_key(words.next()?)?);
    let mut named = |begin: &str| {
        let name = lines.peek()?.strip_prefix(begin)?.to_owned();
        lines.next();
        Some(name)
    };
    let (site, template) = (named(SITE), named(TEMPLATE));
    Some(Detail::AccessRule { kind, level, recipient, site, template })
}

fn read_permissions(text: &str) -> Option<Detail> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for word in text.split(' ') {
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(key), _) => added.push(Permission::named(key)?),
            (_, Some(key)) => removed.push(Permission::named(key)?),
            _ => return None,
        }
    }
    Some(Detail::Permissions { added: added.into_iter().collect(), removed: removed.into_iter().collect() })
}

fn read_kind(text: &str) -> Detail {
    let with = |sign| {
        let words = text.split(' ').filter_map(|word| word.strip_prefix(sign));
        OwnPermissions::parse(&words.collect::<Vec<_>>().join(" "))
    };
    Detail::Kind { added: with('+'), removed: with('-'), turned: with('=') }
}

fn read_protected_api(text: &str) -> Option<Detail> {
    let mut lines = text.lines();
    let base_url = BaseUrl::parse(lines.next()?).ok()?;
    let mut lines: Vec<&str> = lines.collect();
    let lets_preflights = lines.pop_if(|line| *line == PREFLIGHTS_PASS).is_some();
    let rules = lines.into_iter().map(read_rule).collect::<Option<_>>()?;
    Some(Detail::ProtectedApi { base_url, rules, lets_preflights })
}

fn write_rule(rule: &Rule) -> String {
    let permission = rule.permission.as_ref().map(|permission| format!(" {}", permission.key())).unwrap_or_default();
    let of = rule.item.as_ref().map(|kind| format!("{OF}{}", kind.key())).unwrap_or_default();
    format!("{} {}{of} → {}{permission}", rule.methods.key(), rule.path, rule.needs.key())
}

fn read_rule(line: &str) -> Option<Rule> {
    // A path may have an arrow in it: the last one is ours.
    let (request, needed) = line.rsplit_once(" → ")?;
    let (methods, path) = request.split_once(' ')?;
    let path_alone = || Some((Pattern::parse(path).ok()?, None));
    let with_kind = path.rsplit_once(OF).and_then(|(path, kind)| {
        let path = Pattern::parse(path).ok().filter(Pattern::has_item)?;
        Some((path, Some(ItemKind::parse(kind)?)))
    });
    let (path, item) = with_kind.or_else(path_alone)?;
    let (needs, permission) = needed.split_once(' ').map_or((needed, None), |(needs, key)| (needs, Some(key)));
    Some(Rule {
        methods: Methods::from_key(methods)?,
        path,
        item,
        needs: Needs::from_key(needs)?,
        permission: match permission {
            Some(key) => Some(Permission::named(key)?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(methods: Methods, path: &str, needs: Needs, permission: Option<&str>) -> Rule {
        let permission = permission.and_then(Permission::named);
        let item = path.contains("{item}").then(|| ItemKind::parse("invoices")).flatten();
        Rule { methods, path: Pattern::parse(path).unwrap(), needs, permission, item }
    }

    fn named(keys: &str) -> Permissions {
        keys.split(' ').filter_map(Permission::named).collect()
    }

    /// One detail of each kind, with an action that it belongs to and its text.
    fn examples() -> Vec<(Action, Detail, &'static str)> {
        let post = Methods::from_key("POST").unwrap();
        let rules = vec![
            rule(
                Methods::from_key("reads").unwrap(),
                "/a b/*",
                Needs::from_key("read").unwrap(),
                Some("templates.view"),
            ),
            rule(post, "/x → y", Needs::from_key("by_method").unwrap(), None),
            rule(post, "/x of y", Needs::from_key("by_method").unwrap(), None),
            rule(post, "/{item}/x", Needs::from_key("read").unwrap(), Some("invoices.view")),
        ];
        let base_url = || BaseUrl::parse("https://api.example.org/v1/").unwrap();
        vec![
            (Action::TokenRevoked, Detail::words("laptop stolen → gone"), "laptop stolen → gone"),
            (Action::TokenExpiryChanged, Detail::Days(45), "45"),
            (Action::TokenRotated, Detail::Moment(Timestamp::from_seconds(0)), "1970-01-01T00:00:00Z"),
            (Action::UserPermissionSetChanged, Detail::PermissionSet(SetName::BuiltIn(BuiltInSet::Reader)), "reader"),
            (Action::UserPermissionSetChanged, Detail::PermissionSet(SetName::Own("Field".into())), "Field"),
            (
                Action::PermissionSetChanged,
                Detail::permissions(&named("assets.edit visits.view"), &named("templates.view invoices.pay")),
                "+templates.view +invoices.pay -assets.edit -visits.view",
            ),
            (
                Action::KindChanged,
                Detail::kind(
                    &OwnPermissions::parse("invoices.download invoices.send invoices.view:r"),
                    &OwnPermissions::parse("invoices.download:r invoices.pay invoices.view:r"),
                )
                .unwrap(),
                "+invoices.pay -invoices.send =invoices.download:r",
            ),
            (Action::GroupMembersAdded, Detail::members(&[9, 4, 7, 8].map(MembershipId)), "4 7-9"),
            (
                Action::ItemDeleted,
                Detail::Item { kind: ItemKind::parse("assets").unwrap(), id: "k7m2q9xd4t".into() },
                "assets k7m2q9xd4t",
            ),
            (
                Action::ItemShared,
                Detail::Share {
                    kind: ItemKind::parse("assets").unwrap(),
                    id: "k7m2q9xd4t".into(),
                    level: Level::Edit,
                    recipient: RecipientKind::Group,
                    name: "Cold chain, Mopti".into(),
                },
                "assets k7m2q9xd4t edit group Cold chain, Mopti",
            ),
            (
                Action::AccessRuleCreated,
                Detail::AccessRule {
                    kind: ItemKind::parse("inspections").unwrap(),
                    level: Level::View,
                    recipient: RecipientKind::Organization,
                    site: Some("Mopti".into()),
                    template: Some("Fridge".into()),
                },
                "inspections view organization\nsite Mopti\ntemplate Fridge",
            ),
            (
                Action::ProtectedApiChanged,
                Detail::ProtectedApi { base_url: base_url(), rules, lets_preflights: true },
                "https://api.example.org/v1/\nreads /a b/* → read templates.view\nPOST /x → y → by_method\nPOST /x of y → \
                 by_method\nPOST /{item}/x of invoices → read invoices.view\npreflights",
            ),
            (
                Action::ProtectedApiCreated,
                Detail::ProtectedApi { base_url: base_url(), rules: Vec::new(), lets_preflights: false },
                "https://api.example.org/v1/",
            ),
        ]
    }

    #[test]
    fn details_are_read_as_they_were_written() {
        for (action, detail, text) in examples() {
            assert_eq!(detail.to_text(), text);
            assert_eq!(Detail::parse(action, text), detail);
        }
    }

    #[test]
    fn any_other_text_is_kept_as_it_is() {
        let odd = [
            "",
            "045",
            "+assets.view -Users.edit",
            "1970-01-01T01:00:00+01:00",
            "https://api.example.org/\nPOST",
            "preflights",
            "3-1 0-9223372036854775807",
        ];
        for action in Action::ALL {
            for text in odd.into_iter().chain(examples().into_iter().map(|(_, _, text)| text)) {
                assert_eq!(Detail::parse(action, text).to_text(), text, "{action:?}");
            }
            if action != Action::UserPermissionSetChanged {
                assert_eq!(
                    Detail::parse(action, "+assets.view -Users.edit"),
                    Detail::words("+assets.view -Users.edit")
                );
            }
        }
    }
}
