//! A server's answer, and what a reader finds on its page.

use scraper::{ElementRef, Html, Selector};

/// A server's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    pub(super) async fn of(response: reqwest::Response) -> Answer {
        Answer::whole(response).await.expect("a text")
    }

    /// Reads the whole answer, unless it is aborted.
    pub(super) async fn whole(response: reqwest::Response) -> reqwest::Result<Answer> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    }

    /// Returns a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Returns the text that a reader sees, with white space collapsed.
    pub fn text(&self) -> String {
        if self.header("content-type").starts_with("text/html") {
            text_of(Html::parse_document(&self.body).root_element())
        } else {
            folded(&self.body)
        }
    }

    /// Fails unless a reader sees `text`.
    pub fn shows(&self, text: &str) -> &Self {
        let page = self.text();
        assert!(page.contains(text), "{text:?} is not in: {page}");
        self
    }

    /// Returns the first result of `read` among the elements that the selector finds.
    pub fn first<T>(&self, selector: &str, read: impl Fn(ElementRef) -> Option<T>) -> Option<T> {
        let page = Html::parse_document(&self.body);
        page.select(&css(selector)).find_map(read)
    }

    /// Returns the value of the first field with this name.
    pub fn field(&self, name: &str) -> Option<String> {
        self.first(&format!("input[name=\"{name}\"]"), |input| input.attr("value").map(Into::into))
    }

    /// Returns the text that can be copied from the element with this id.
    pub fn code(&self, id: &str) -> String {
        let code = self.first(&format!("code[id=\"{id}\"]"), |code| Some(code.text().collect()));
        code.unwrap_or_else(|| panic!("no {id} in {}", self.text()))
    }

    /// Returns the API key that the page shows.
    pub fn key(&self) -> Option<String> {
        self.first("output#key", |output| Some(text_of(output)))
    }

    /// Returns the path, if it has this prefix, of the link that the page shows to be passed on.
    pub fn link(&self, path: &str) -> Option<String> {
        let link = self.first("output#link", |output| Some(text_of(output)))?;
        link.find(path).map(|start| link[start..].to_owned())
    }

    /// Returns what comes after `path` in the address of the link with this text; fails if there is none.
    pub fn id_of(&self, path: &str, text: &str) -> String {
        let id = |link: ElementRef| {
            let id = link.attr("href")?.strip_prefix(path)?.split(['/', '?', '#']).next()?;
            (text_of(link) == text).then(|| id.to_owned())
        };
        self.first("a[href]", id).unwrap_or_else(|| panic!("no {text} on {}", self.text()))
    }
}

/// A selector of elements.
pub fn css(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"))
}

/// Returns the text of an element, as if each element in it were surrounded by spaces.
pub fn text_of(element: ElementRef) -> String {
    folded(&element.text().collect::<Vec<_>>().join(" "))
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
