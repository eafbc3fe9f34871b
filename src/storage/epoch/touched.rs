//! What a change of authority affects, and so what nodes must forget.

use domain::{
    access::SubjectId,
    organization::{MembershipId, OrganizationId, ServiceUserId},
    token::KeyDigest,
};

/// What a change of authority affects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// All that nodes know.
    Everything,
    /// Only this.
    Facts(Vec<Fact>),
}

/// One thing that nodes know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A token, by its key.
    Key(KeyDigest),
    /// What a subject may do, for all its tokens.
    Subject(SubjectId),
    /// The same of all subjects of an organization.
    SubjectsOf(OrganizationId),
    /// A protected API, or that there is none, by its public id.
    Api(String),
}

impl Touched {
    /// Returns what either change affects.
    pub fn and(self, other: Self) -> Self {
        [self, other].into_iter().collect()
    }
}

impl From<Fact> for Touched {
    fn from(fact: Fact) -> Self {
        Self::Facts(vec![fact])
    }
}

impl FromIterator<Touched> for Touched {
    fn from_iter<I: IntoIterator<Item = Self>>(changes: I) -> Self {
        let mut all = Vec::new();
        for change in changes {
            match change {
                Self::Everything => return Self::Everything,
                Self::Facts(facts) => all.extend(facts),
            }
        }
        Self::Facts(all)
    }
}

/// Returns the digests of the keys among `facts`, one after the other.
pub(super) fn digests(facts: &[Fact]) -> Vec<u8> {
    let digest = |fact: &Fact| if let Fact::Key(digest) = fact { Some(digest.0) } else { None };
    facts.iter().filter_map(digest).flatten().collect()
}

/// Returns all `facts` but the keys as text.
pub(super) fn others(facts: &[Fact]) -> String {
    let other = |fact: &Fact| match fact {
        Fact::Key(_) => None,
        Fact::Subject(SubjectId::Membership(id)) => Some(format!("membership:{}", id.0)),
        Fact::Subject(SubjectId::ServiceUser(id)) => Some(format!("service_user:{}", id.0)),
        Fact::SubjectsOf(id) => Some(format!("subjects_of:{}", id.0)),
        Fact::Api(public_id) => Some(format!("api:{public_id}")),
    };
    facts.iter().filter_map(other).collect::<Vec<_>>().join(" ")
}

/// Reads what [`digests`] and [`others`] wrote. What this version does not know may affect anything.
pub(super) fn parse(digests: &[u8], others: &str) -> Touched {
    let keys = digests.as_chunks().0.iter().map(|digest| Some(Fact::Key(KeyDigest(*digest))));
    let facts: Option<Vec<Fact>> = keys.chain(others.split_ascii_whitespace().map(parse_other)).collect();
    facts.map_or(Touched::Everything, Touched::Facts)
}

fn parse_other(text: &str) -> Option<Fact> {
    let (what, id) = text.split_once(':')?;
    if what == "api" {
        return Some(Fact::Api(id.to_owned()));
    }
    let id = id.parse().ok()?;
    match what {
        "membership" => Some(Fact::Subject(SubjectId::Membership(MembershipId(id)))),
        "service_user" => Some(Fact::Subject(SubjectId::ServiceUser(ServiceUserId(id)))),
        "subjects_of" => Some(Fact::SubjectsOf(OrganizationId(id))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_affects_is_read_back() {
        let facts = vec![
            Fact::Key(KeyDigest([7; 32])),
            Fact::Key(KeyDigest([8; 32])),
            Fact::Subject(SubjectId::Membership(MembershipId(12))),
            Fact::Subject(SubjectId::ServiceUser(ServiceUserId(3))),
            Fact::SubjectsOf(OrganizationId(4)),
            Fact::Api("k7m2q9xd4t".into()),
        ];
        assert_eq!(parse(&digests(&facts), &others(&facts)), Touched::Facts(facts));
        assert_eq!(parse(&[], ""), Touched::Facts(Vec::new()));
    }

    #[test]
    fn what_is_not_understood_affects_everything() {
        for unknown in ["group:1", "membership:x", "membership", "api"] {
            assert_eq!(parse(&[], unknown), Touched::Everything, "{unknown}");
        }
    }

    #[test]
    fn a_change_of_everything_beside_others_affects_everything() {
        let one = || Touched::from(Fact::Api("k7m2q9xd4t".into()));
        assert_eq!(one().and(Touched::Everything), Touched::Everything);
        assert_eq!(one().and(one()), Touched::Facts(vec![Fact::Api("k7m2q9xd4t".into()); 2]));
    }
}
