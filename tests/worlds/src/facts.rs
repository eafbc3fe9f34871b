//! What the domain is told about a world: each question of it by itself.

use super::{Item, Subject, World};
use domain::{
    access::{ItemFacts, Reach, Recipient, SiteId, SubjectFacts, SubjectId, reach},
    organization::OrganizationId,
};
use std::collections::BTreeSet;

impl World {
    /// Returns how far a subject reaches an item, as the domain finds it.
    pub fn reach(&self, subject: &Subject, item: &Item) -> Reach {
        reach(&self.subject_facts(subject), &self.item_facts(item), &self.shares, &self.rules)
    }

    /// Returns what the domain is told about a subject.
    pub fn subject_facts(&self, subject: &Subject) -> SubjectFacts {
        let is_below_one = |site: &SiteId| self.with_those_above(*site).iter().any(|site| subject.sites.contains(site));
        let refused = self.refusals.iter().filter(|(receiving, _)| *receiving == subject.organization);
        SubjectFacts {
            id: subject.id,
            organization: subject.organization,
            groups: subject.groups.clone(),
            sites: self.sites.iter().map(|site| site.id).filter(is_below_one).collect(),
            refused: refused.map(|(_, refused)| *refused).collect(),
        }
    }

    /// Returns what the domain is told about an item.
    pub fn item_facts(&self, item: &Item) -> ItemFacts {
        ItemFacts {
            id: item.id,
            organization: item.organization,
            kind: item.kind.clone(),
            owner: item.owner,
            sites: item.site.map(|site| self.with_those_above(site)).unwrap_or_default(),
            template: item.template,
        }
    }

    fn with_those_above(&self, site: SiteId) -> BTreeSet<SiteId> {
        let parent = |site: &SiteId| self.sites.iter().find(|row| row.id == *site).and_then(|row| row.parent);
        std::iter::successors(Some(site), parent).collect()
    }

    /// Returns the organization of a recipient.
    pub fn organization_of(&self, recipient: Recipient) -> Option<OrganizationId> {
        let of_subject =
            |id: SubjectId| self.subjects.iter().find(|subject| subject.id == id).map(|subject| subject.organization);
        match recipient {
            Recipient::User(id) => of_subject(SubjectId::Membership(id)),
            Recipient::ServiceUser(id) => of_subject(SubjectId::ServiceUser(id)),
            Recipient::Group(id) => self.groups.iter().find(|group| group.id == id).map(|group| group.organization),
            Recipient::Site(id) => self.sites.iter().find(|site| site.id == id).map(|site| site.organization),
            Recipient::Organization(id) => Some(id),
        }
    }
}
