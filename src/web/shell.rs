//! What every page has around its content: language, theme, who is signed in, and in which organization.

use super::{routes::path, texts::Texts};
use domain::{
    item::ItemKind,
    kind::{CommonAction, Kind},
    membership::Membership,
    permission::{BuiltInPermission, Permissions},
    user::{Language, Theme},
};
use std::sync::Arc;

/// The frame of a page; templates access it as `shell`, and its texts as `shell.t`.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// The texts in the reader's language.
    pub t: Texts,
    /// The reader's theme.
    pub theme: Theme,
    /// Who is signed in, if anybody.
    pub user: Option<ShellUser>,
    /// The organization that this page is about, or the one that they work in.
    pub organization: Option<ShellOrganization>,
    /// The own kinds of that organization by name, on its pages: their words are the names of permissions.
    pub kinds: Arc<[Kind]>,
    /// All organizations that they are active in, by slug and name.
    pub organizations: Vec<(String, String)>,
    /// The entry of the navigation that this page belongs to.
    pub nav: Nav,
    /// The key of the kind whose items this page is about.
    pub item_kind: String,
    /// Whether links to the same page in other languages are below it.
    pub has_languages: bool,
    /// Whether this server shows demonstration data.
    pub demo: bool,
    /// The form token of this session; empty where there is no session.
    pub csrf: String,
    /// Whether to say that the form on the page has not been processed, because its session had ended.
    pub shows_kept_form: bool,
    /// The query of this address without its language, to which `lang=` can be appended.
    pub query: String,
}

impl Shell {
    /// Creates the frame for somebody who is not signed in, or may not be.
    pub fn outside(t: Texts, theme: Theme, demo: bool) -> Self {
        Self { t, theme, demo, has_languages: true, ..Self::default() }
    }

    /// Returns whether the language menu marks this language as the current one.
    pub fn speaks(&self, language: &Language) -> bool {
        self.t.0 == *language
    }

    /// Returns the entry of the navigation of each kind whose items the user may view, if they reach any.
    pub fn item_sections(&self) -> Vec<Section> {
        let Some(ShellOrganization { slug, permissions, .. }) = &self.organization else { return Vec::new() };
        let own = self.kinds.iter().map(|kind| kind.key.as_str());
        let all = ItemKind::BUILT_IN.into_iter().chain(own).filter_map(ItemKind::parse);
        let may_view = |kind: &ItemKind| {
            kind.permission(CommonAction::View).is_some_and(|permission| permissions.includes(&permission))
        };
        all.filter(may_view)
            .map(|kind| Section {
                nav: Nav::Items,
                href: path::items(slug, kind.key()),
                label: self.t.item_kind(&self.kinds, &kind),
                kind: kind.key().to_owned(),
            })
            .collect()
    }

    /// Returns whether this page belongs to an entry of the navigation.
    pub fn is_at(&self, section: &Section) -> bool {
        section.nav == self.nav && section.kind == self.item_kind
    }

    /// Returns the entries of the organization's navigation that the user's permissions allow.
    pub fn sections(&self) -> Vec<Section> {
        let Some(ShellOrganization { slug, permissions, .. }) = &self.organization else { return Vec::new() };
        let t = self.t;
        let all = [
            (BuiltInPermission::PlatformUsers, Nav::Users, path::users(slug), t.nav_users()),
            (BuiltInPermission::PlatformGroups, Nav::Groups, path::groups(slug), t.nav_groups()),
            (BuiltInPermission::PlatformSites, Nav::Sites, path::sites(slug), t.nav_sites()),
            (
                BuiltInPermission::PlatformPermissionSets,
                Nav::PermissionSets,
                path::permission_sets(slug),
                t.nav_permission_sets(),
            ),
            (BuiltInPermission::PlatformKinds, Nav::Kinds, path::kinds(slug), t.nav_kinds()),
            (BuiltInPermission::PlatformUsers, Nav::AccessRules, path::access_rules(slug), t.nav_access_rules()),
            (
                BuiltInPermission::PlatformIntegrations,
                Nav::Integrations,
                path::service_tokens(slug),
                t.nav_integrations(),
            ),
            (BuiltInPermission::PlatformActivity, Nav::Activity, path::activity(slug), t.nav_activity()),
            (BuiltInPermission::PlatformBilling, Nav::Billing, path::billing(slug), t.nav_billing()),
        ];
        let open = all.into_iter().filter(|(permission, ..)| permissions.contains(*permission));
        let mut sections: Vec<Section> = open.map(|(_, nav, href, label)| Section::of(nav, href, label)).collect();
        let asks = [BuiltInPermission::PlatformUsers, BuiltInPermission::PlatformIntegrations];
        if asks.into_iter().any(|permission| permissions.contains(permission)) {
            sections.push(Section::of(Nav::Explanation, path::explanation(slug), t.nav_explanation()));
        }
        if Permissions::built_in().without(permissions).is_empty() {
            let href = path::organization_settings(slug);
            sections.push(Section::of(Nav::Settings, href, t.nav_organization()));
        }
        sections
    }

    /// Returns the address of a page of the user's account, in the organization of this page. The address names the
    /// organization if the user has several.
    pub fn here(&self, page: &str) -> String {
        match &self.organization {
            Some(here) if self.organizations.len() > 1 => path::working_in(page, &here.public_id),
            _ => page.to_owned(),
        }
    }

    /// Returns the other organizations that the user can switch to, by slug and name.
    pub fn others(&self) -> Vec<&(String, String)> {
        let here = self.organization.as_ref().map(|organization| &organization.slug);
        self.organizations.iter().filter(|(slug, _)| Some(slug) != here).collect()
    }
}

/// A part of an organization's pages.
pub struct Section {
    /// Its entry of the navigation.
    pub nav: Nav,
    /// Its address.
    pub href: String,
    /// Its name.
    pub label: String,
    /// The key of the kind of items that it is; empty for other entries.
    pub kind: String,
}

impl Section {
    fn of(nav: Nav, href: String, label: &str) -> Self {
        Self { nav, href, label: label.to_owned(), kind: String::new() }
    }
}

/// An organization, as the frame of a page names it.
#[derive(Clone, Debug)]
pub struct ShellOrganization {
    /// The public id that programs use, which never changes.
    pub public_id: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What the reader may do there.
    pub permissions: Permissions,
}

impl ShellOrganization {
    /// Returns the organization of a membership.
    pub fn of(membership: &Membership) -> Self {
        Self {
            public_id: membership.organization_public_id.clone(),
            slug: membership.slug.clone(),
            name: membership.organization_name.clone(),
            permissions: membership.permissions.clone(),
        }
    }
}

/// The signed-in user, as the top bar names them.
#[derive(Clone, Debug)]
pub struct ShellUser {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// Whether they administer the installation.
    pub is_installation_admin: bool,
    /// Whether single keys do something in lists.
    pub has_shortcuts: bool,
}

impl ShellUser {
    /// Returns their initials.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// Returns the first letters of the first and the last word of a name: "AD" for Awa Diallo, "A" for Awa.
pub fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = letters.next();
    first.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect()
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nav {
    /// A page outside the navigation.
    #[default]
    None,
    /// Account settings: name, e-mail, language, time zone, theme.
    Profile,
    /// Account settings: the password.
    Security,
    /// Account settings: where the user is signed in.
    Sessions,
    /// Account settings: personal API tokens.
    Tokens,
    /// Organization: items of a kind.
    Items,
    /// Organization: people.
    Users,
    /// Organization: groups of people.
    Groups,
    /// Organization: sites and who is assigned to them.
    Sites,
    /// Organization: permission sets.
    PermissionSets,
    /// Organization: why somebody may do something.
    Explanation,
    /// Organization: kinds.
    Kinds,
    /// Organization: access rules, and what others share with it.
    AccessRules,
    /// Organization: service users' API tokens and the inventory of all tokens.
    Integrations,
    /// Organization: the activity log.
    Activity,
    /// Organization: seats.
    Billing,
    /// Organization: its name and addresses.
    Settings,
    /// Installation: who administers it.
    InstallationAdmins,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        assert_eq!(initials("Awa Diallo"), "AD");
        assert_eq!(initials("  élodie  de la “Tour”"), "ÉT");
        assert_eq!(initials("Awa"), "A");
        assert_eq!(initials("—"), "");
    }
}
