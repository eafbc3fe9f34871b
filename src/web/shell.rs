//! What every page carries round its content: language, theme, who is signed in, and where they are.

use super::{routes::path, texts::Texts};
use domain::{
    membership::Membership,
    permission::{Permission, Permissions},
    user::{Language, Theme},
};

/// The frame of a page; templates reach it as `shell`, and its texts as `shell.t`.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// The texts in the reader's language.
    pub t: Texts,
    /// The reader's choice of colours.
    pub theme: Theme,
    /// Who is signed in, if anybody.
    pub user: Option<ShellUser>,
    /// The organization that this page is about, or the one that they work in.
    pub organization: Option<ShellOrganization>,
    /// All organizations that they are active in, by slug and name.
    pub organizations: Vec<(String, String)>,
    /// The entry of the navigation that this page belongs to.
    pub nav: Nav,
    /// Whether links to the same page in other languages stand below it.
    pub has_languages: bool,
    /// Whether this server shows demonstration data.
    pub demo: bool,
    /// The form token of this session; empty where there is no session.
    pub csrf: String,
    /// Whether to say that nothing has been done yet with the form that is shown, since its session had ended.
    pub came_back: bool,
    /// The query of this address without its language, ready to be followed by `lang=`.
    pub query: String,
}

impl Shell {
    /// The frame for somebody who is not signed in, or of whom that is not known.
    pub fn outside(t: Texts, theme: Theme, demo: bool) -> Self {
        Self { t, theme, demo, has_languages: true, ..Self::default() }
    }

    /// Whether to say in the language menu that this language is the current one.
    pub fn speaks(&self, language: &Language) -> bool {
        self.t.0 == *language
    }

    /// The entries of the organization's navigation that its permissions open.
    pub fn sections(&self) -> Vec<Section> {
        let Some(ShellOrganization { slug, permissions, .. }) = &self.organization else { return Vec::new() };
        let t = self.t;
        let all = [
            (Permission::PlatformUsers, Nav::Users, path::users(slug), t.nav_users()),
            (
                Permission::PlatformPermissionSets,
                Nav::PermissionSets,
                path::permission_sets(slug),
                t.nav_permission_sets(),
            ),
            (Permission::PlatformIntegrations, Nav::Integrations, path::service_tokens(slug), t.nav_integrations()),
            (Permission::PlatformActivity, Nav::Activity, path::activity(slug), t.nav_activity()),
            (Permission::PlatformBilling, Nav::Billing, path::billing(slug), t.nav_billing()),
        ];
        let open = all.into_iter().filter(|(permission, ..)| permissions.contains(*permission));
        let mut sections: Vec<Section> = open.map(|(_, nav, href, label)| Section { nav, href, label }).collect();
        if *permissions == Permissions::all() {
            let href = path::organization_settings(slug);
            sections.push(Section { nav: Nav::Settings, href, label: t.nav_settings() });
        }
        sections
    }

    /// A page of their account, at the organization that this page is about: named in the address where there are
    /// several.
    pub fn here(&self, page: &str) -> String {
        match &self.organization {
            Some(here) if self.organizations.len() > 1 => path::working_in(page, &here.public_id),
            _ => page.to_owned(),
        }
    }

    /// The other organizations that they can switch to, by slug and name.
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
    pub label: &'static str,
}

/// An organization, as the frame of a page names it.
#[derive(Clone, Debug)]
pub struct ShellOrganization {
    /// What programs know it by, for ever.
    pub public_id: String,
    /// Its part of addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What the reader may do there.
    pub permissions: Permissions,
}

impl ShellOrganization {
    /// That of a membership.
    pub fn of(membership: &Membership) -> Self {
        Self {
            public_id: membership.organization_public_id.clone(),
            slug: membership.slug.clone(),
            name: membership.organization_name.clone(),
            permissions: membership.permissions,
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
}

impl ShellUser {
    /// Their initials.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The first letters of the first and of the last word of a name: "AD" for Awa Diallo, "A" for Awa.
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
    /// Organization: people.
    Users,
    /// Organization: permission sets.
    PermissionSets,
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
