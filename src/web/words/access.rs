//! Who has access, and kinds of items.

use crate::texts::Texts;
use domain::{
    access::RecipientKind,
    item::ItemKind,
    kind::Kind,
    permission::PermissionGroup,
};

impl Texts {
    /// Who has access: what sort of recipient.
    pub fn recipient_kind(self, kind: RecipientKind) -> &'static str {
        match kind {
            RecipientKind::User => self.access_recipient_user(),
            RecipientKind::ServiceUser => self.access_recipient_service_user(),
            RecipientKind::Group => self.access_recipient_group(),
            RecipientKind::Site => self.access_recipient_site(),
            RecipientKind::Organization => self.access_recipient_organization(),
        }
    }

    /// The name of several items of a kind, in an organization with these kinds of its own; the key of one that it does
    /// not have any more.
    pub fn item_kind(self, kinds: &[Kind], kind: &ItemKind) -> String {
        let own = kinds.iter().find(|own| own.key.as_str() == kind.key());
        match (PermissionGroup::from_key(kind.key()), own) {
            (Some(group), _) => self.permission_group(group).to_owned(),
            (None, Some(own)) => own.plural.clone(),
            (None, None) => kind.key().to_owned(),
        }
    }
}
