//! What a page says about the action that led to it. The address of the page names it, as in
//! `?notice=revoked&of=k7m2q9xd4t`: the handler of the action redirects with [`see`], and the handler of the page takes
//! an `Option<Notice>` and puts it into words.

use super::{errors::WebError, page, revocations::Line, routes::path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};
use serde::{Deserialize, Serialize};
use std::future::{Ready, ready};

/// What has just been done, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "notice", content = "of", rename_all = "kebab-case")]
pub enum Notice {
    /// Something was added to the list on this page.
    Added,
    /// The subject of this page was created.
    Created,
    /// What was typed on this page was saved.
    Saved,
    /// The name was saved.
    NameSaved,
    /// The inactivity expiry was saved.
    ExpirySaved,
    /// The permissions were saved.
    PermissionsSaved,
    /// The external id was saved.
    ExternalIdSaved,
    /// The subject of this page was moved.
    Moved,
    /// So many people were added.
    PeopleAdded(usize),
    /// So many people were taken out.
    PeopleRemoved(usize),
    /// The user was given another permission set.
    SetGiven,
    /// Everything was already as it should be.
    Unchanged,
    /// The item of this page was archived.
    Archived,
    /// The item of this page was taken out of the archive.
    Unarchived,
    /// The fields of the kind of this page were saved.
    FieldsSaved,
    /// The item of this page has another owner.
    Given,
    /// The inspection of this page was finished.
    Finished,
    /// The inspection of this page was made a draft again.
    Reopened,
    /// The item of this page was shared.
    Shared,
    /// A share was ended.
    ShareEnded,
    /// What an organization shares is refused.
    Refused,
    /// It is accepted again.
    Accepted,
    /// Something was deleted.
    Deleted,
    /// The user with this number was removed.
    Removed(i64),
    /// The user was deactivated.
    Deactivated,
    /// The user was reactivated.
    Reactivated,
    /// An invitation was withdrawn.
    Withdrawn,
    /// The token with this public id was revoked.
    Revoked(String),
    /// The token with this public id had already ended.
    HadEnded(String),
    /// So many tokens were revoked.
    RevokedMany(usize),
    /// The old key of a rotation was ended.
    OldKeyEnded,
    /// So many sessions were ended.
    SessionsEnded(usize),
    /// The user has signed out.
    SignedOut,
    /// A form was sent after its session had ended, and was not processed.
    SignInAgain,
    /// A link for a new password was requested.
    LinkRequested,
    /// A new password was set.
    PasswordSet,
    /// A new e-mail address was confirmed.
    EmailConfirmed,
    /// The change of the e-mail address was cancelled.
    EmailCancelled,
    /// No token has the API key that was searched for.
    UnknownKey,
}

/// Redirects the browser with GET (303) to a page that says this.
pub fn see(page: &str, notice: &Notice) -> HttpResponse {
    page::see(&notice.at(page))
}

impl Notice {
    /// Returns the address of a page that says this.
    pub fn at(&self, page: &str) -> String {
        serde_html_form::to_string(self).map_or_else(|_| page.to_owned(), |query| path::extended(page, &query))
    }
}

impl FromRequest for Notice {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let notice = serde_html_form::from_str(request.query_string());
        ready(notice.map_err(|error| WebError::BrokenForm(error.to_string())))
    }
}

/// A notice in words.
pub struct Message {
    /// How it ended.
    pub tone: Tone,
    /// The sentence.
    pub words: String,
    /// Since when the token that was just revoked is refused.
    pub refused: Option<Line>,
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It was done.
    Done,
    /// It was not done, and nothing was wrong with it.
    Undone,
    /// It failed.
    Failed,
}

impl Message {
    /// It was done.
    pub fn done(words: impl Into<String>) -> Self {
        Self { tone: Tone::Done, words: words.into(), refused: None }
    }

    /// It was not done.
    pub fn undone(words: impl Into<String>) -> Self {
        Self { tone: Tone::Undone, ..Self::done(words) }
    }

    /// It failed.
    pub fn failed(words: impl Into<String>) -> Self {
        Self { tone: Tone::Failed, ..Self::done(words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    async fn read(uri: &str) -> Option<Notice> {
        let (request, mut payload) = TestRequest::with_uri(uri).to_http_parts();
        Option::<Notice>::from_request(&request, &mut payload).await.unwrap()
    }

    #[actix_web::test]
    async fn a_notice_is_read_as_it_is_written() {
        let of = Notice::Revoked("k7m2q9xd4t".into());
        assert_eq!(of.at("/x"), "/x?notice=revoked&of=k7m2q9xd4t");
        assert_eq!(Notice::NameSaved.at("/x?y=1"), "/x?y=1&notice=name-saved");
        for notice in
            [of, Notice::NameSaved, Notice::Removed(7), Notice::RevokedMany(0), Notice::HadEnded("& ?".into())]
        {
            for page in ["/x", "/x?y=1&z"] {
                assert_eq!(read(&notice.at(page)).await, Some(notice.clone()));
                assert_eq!(read(&format!("{}&lang=fr", notice.at(page))).await, Some(notice.clone()));
            }
        }
    }

    #[actix_web::test]
    async fn a_page_says_nothing_that_it_does_not_understand() {
        for query in
            ["", "?", "?notice", "?notice=", "?notice=burnt", "?notice=removed", "?notice=removed&of=x", "?of=1"]
        {
            assert_eq!(read(&format!("/x{query}")).await, None, "{query}");
        }
    }
}
