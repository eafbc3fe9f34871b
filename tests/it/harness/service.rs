//! Actions with the tokens of service users, through the pages.

use super::{Answer, Person, org};

/// The list in Ann's organization.
pub const TOKENS: &str = org!("/integrations/tokens");

impl Person {
    /// Requests a service user's token with these permissions; the answer may be anything.
    pub async fn asks_for_service_token(&self, name: &str, days: &str, permissions: &[&str]) -> Answer {
        let nonce = self.get(&format!("{TOKENS}/new")).await.field("nonce").expect("a form with a nonce");
        let mut fields = vec![("name", name), ("inactivity", days), ("nonce", nonce.as_str())];
        fields.extend(permissions.iter().map(|key| ("permission", *key)));
        self.post(TOKENS, &fields).await
    }

    /// Creates a token that may view templates and expires after 45 days without use, and returns its key.
    pub async fn makes_service_token(&self, name: &str) -> String {
        let answer = self.asks_for_service_token(name, "45", &["templates.view"]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.key().expect("an answer with the key")
    }

    /// Returns the address of the page of the service user's token with this name, from the list.
    pub async fn service_token(&self, name: &str) -> String {
        let id = self.get(TOKENS).await.id_of(&format!("{TOKENS}/"), name);
        format!("{TOKENS}/{id}")
    }

    /// Opens a confirmation, such as `revocation`, and confirms it.
    pub async fn confirms(&self, token: &str, question: &str) -> Answer {
        self.confirms_with(token, question, &[]).await
    }

    /// Confirms with more fields.
    pub async fn confirms_with(&self, token: &str, question: &str, fields: &[(&str, &str)]) -> Answer {
        let path = format!("{token}/{question}");
        let nonce = self.get(&path).await.field("nonce").unwrap_or_default();
        let mut all = vec![("nonce", nonce.as_str())];
        all.extend(fields);
        self.post(&path, &all).await
    }

    /// Changes a part of it, such as `name`, starting from its current value.
    pub async fn changes(&self, token: &str, part: &str, fields: &[(&str, &str)]) -> Answer {
        let path = format!("{token}/{part}");
        let version = self.get(&path).await.field("version").expect("a form with a version");
        let mut all = vec![("version", version.as_str())];
        all.extend(fields);
        self.post(&path, &all).await
    }
}
