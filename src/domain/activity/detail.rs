//! What an entry of the log says besides who did what to whom: its writer and its reader.
//!
//! The log keeps a detail as text, which is part of the hash chain. So a text is only read as more than words if writing
//! it again gives exactly the same text.

use super::Action;
use crate::{
    organization::MembershipId,
    permission::{BuiltInSet, Permission, Permissions},
    permission_set::SetName,
    protected_api::{BaseUrl, Methods, Needs, Pattern, Rule},
    time::Timestamp,
};

/// The maximum number of members in a run: whoever writes to the database could make one of any length.
const MOST_IN_RUN: i64 = 1_000_000;
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
    /// Members, in the order of their numbers, written as `4 7-9`.
    Members(Vec<MembershipId>),
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
    pub const fn permissions(before: Permissions, since: Permissions) -> Self {
        Self::Permissions { added: since.without(before), removed: before.without(since) }
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
            Self::Members(members) => write_members(members),
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
            Action::GroupMembersAdded
            | Action::GroupMembersRemoved
            | Action::SiteMembersAdded
            | Action::SiteMembersRemoved => read_members(text),
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

fn read_permissions(text: &str) -> Option<Detail> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for word in text.split(' ') {
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(key), _) => added.push(Permission::from_key(key)?),
            (_, Some(key)) => removed.push(Permission::from_key(key)?),
            _ => return None,
        }
    }
    Some(Detail::Permissions { added: added.into_iter().collect(), removed: removed.into_iter().collect() })
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
    let permission = rule.permission.map(|permission| format!(" {}", permission.key())).unwrap_or_default();
    format!("{} {} → {}{permission}", rule.methods.key(), rule.path, rule.needs.key())
}

fn read_rule(line: &str) -> Option<Rule> {
    // A path may have an arrow in it: the last one is ours.
    let (request, needed) = line.rsplit_once(" → ")?;
    let (methods, path) = request.split_once(' ')?;
    let (needs, permission) = needed.split_once(' ').map_or((needed, None), |(needs, key)| (needs, Some(key)));
    Some(Rule {
        methods: Methods::from_key(methods)?,
        path: Pattern::parse(path).ok()?,
        needs: Needs::from_key(needs)?,
        permission: match permission {
            Some(key) => Some(Permission::from_key(key)?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(methods: Methods, path: &str, needs: Needs, permission: Option<Permission>) -> Rule {
        Rule { methods, path: Pattern::parse(path).unwrap(), needs, permission }
    }

    /// One detail of each kind, with an action that it belongs to and its text.
    fn examples() -> Vec<(Action, Detail, &'static str)> {
        let post = Methods::from_key("POST").unwrap();
        let rules = vec![
            rule(
                Methods::from_key("reads").unwrap(),
                "/a b/*",
                Needs::from_key("read").unwrap(),
                Some(Permission::TemplatesView),
            ),
            rule(post, "/x → y", Needs::from_key("by_method").unwrap(), None),
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
                Detail::permissions(
                    [Permission::AssetsEdit].into_iter().collect(),
                    [Permission::TemplatesView].into_iter().collect(),
                ),
                "+templates.view -assets.edit",
            ),
            (Action::GroupMembersAdded, Detail::members(&[9, 4, 7, 8].map(MembershipId)), "4 7-9"),
            (
                Action::ProtectedApiChanged,
                Detail::ProtectedApi { base_url: base_url(), rules, lets_preflights: true },
                "https://api.example.org/v1/\nreads /a b/* → read templates.view\nPOST /x → y → by_method\npreflights",
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
            "+assets.view -users.edit",
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
                    Detail::parse(action, "+assets.view -users.edit"),
                    Detail::words("+assets.view -users.edit")
                );
            }
        }
    }
}
