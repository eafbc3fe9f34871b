//! The people of Ann's organization, as tests talk about them.

use super::{Answer, Person};

/// The address of the list.
pub const USERS: &str = "/orgs/croix-bleue-sahel/users";

impl Person {
    /// The address of the page of somebody in the organization, from the list.
    pub async fn page_of(&self, name: &str) -> String {
        let list = self.get(&format!("{USERS}?q={name}")).await.body;
        let link = |part: &&str| part.split_once('>').is_some_and(|(_, text)| text.starts_with(&format!("{name}</a>")));
        let part =
            list.split(&format!("href=\"{USERS}/")).find(link).unwrap_or_else(|| panic!("{name} is on the list"));
        format!("{USERS}/{}", part.chars().take_while(char::is_ascii_digit).collect::<String>())
    }

    /// The number of the permission set with this name, from the form of an invitation.
    pub async fn set_number(&self, name: &str) -> String {
        let form = self.get(&format!("{USERS}/invite")).await.body;
        let radio = |part: &&str| part.split_once("<strong>").is_some_and(|(_, text)| text.starts_with(name));
        let part = form.split("name=\"permission_set\" value=\"").skip(1).find(radio);
        part.expect("a permission set").chars().take_while(char::is_ascii_digit).collect()
    }

    /// Sends the form of an invitation; the answer may be anything.
    pub async fn asks_to_invite(&self, email: &str, set: &str) -> Answer {
        let set = self.set_number(set).await;
        self.post(&format!("{USERS}/invite"), &[("email", email), ("permission_set", &set)]).await
    }

    /// Invites somebody, and returns the path of the link.
    pub async fn invites(&self, email: &str, set: &str) -> String {
        let answer = self.asks_to_invite(email, set).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.link("/invitations/").expect("a page with the link")
    }

    /// Does something to somebody: the last part of the address says what.
    pub async fn does(&self, name: &str, what: &str) -> Answer {
        let page = self.page_of(name).await;
        self.post(&format!("{page}/{what}"), &[]).await
    }

    /// Gives somebody another permission set.
    pub async fn gives(&self, name: &str, set: &str) -> Answer {
        let (page, set) = (self.page_of(name).await, self.set_number(set).await);
        let before = self.get(&page).await.field("before").expect("a form");
        self.post(&format!("{page}/permission-set"), &[("permission_set", &set), ("before", &before)]).await
    }

    /// Opens an invitation as somebody who has no account, and joins.
    pub async fn joins(&self, link: &str) -> Answer {
        self.post(link, &[("name", &self.name), ("new_password", super::PASSWORD)]).await
    }
}

impl Answer {
    /// The path of the first address on the page that begins with `path`.
    pub fn link(&self, path: &str) -> Option<String> {
        let start = self.body.find(path)?;
        let code = self.body[start + path.len()..].chars().take_while(char::is_ascii_alphanumeric);
        Some(format!("{path}{}", code.collect::<String>()))
    }
}
