//! Actions with the people of Ann's organization.

use super::{
    Answer, Person,
    answer::{css, text_of},
    org,
};

/// The address of the list.
pub const USERS: &str = org!("/users");

impl Person {
    /// Returns the address of the page of somebody in the organization, from the list.
    pub async fn page_of(&self, name: &str) -> String {
        let list = self.get(&format!("{USERS}?q={name}")).await;
        format!("{USERS}/{}", list.id_of(&format!("{USERS}/"), name))
    }

    /// Returns the number of the permission set with this name, from the form of an invitation.
    pub async fn set_number(&self, name: &str) -> String {
        let form = self.get(&format!("{USERS}/invite")).await;
        let number = form.first("label:has([name=permission_set])", |label| {
            let number = label.select(&css("input")).next()?.attr("value")?;
            text_of(label).starts_with(name).then(|| number.to_owned())
        });
        number.expect("a permission set")
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

    /// Performs an action on somebody: the last part of the address names the action.
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

    /// Opens an invitation as somebody without an account, and joins.
    pub async fn joins(&self, link: &str) -> Answer {
        self.post(link, &[("name", &self.name), ("new_password", super::PASSWORD)]).await
    }
}
