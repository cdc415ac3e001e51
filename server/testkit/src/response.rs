//! What came back. It has to be looked at, and every look that fails tells the whole answer.

use std::marker::PhantomData;

use bytes::Bytes;
use model::{ApiError, ErrorCode};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

/// One answer; `T` is what it holds when it is a good one.
#[must_use = "look at the answer: good(), text(), problem(), has_status()"]
pub struct Response<T = serde_json::Value> {
    /// The request, for messages.
    pub asked: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: Bytes,
    holds: PhantomData<T>,
}

impl<T> Response<T> {
    pub(crate) async fn read(asked: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap_or_else(|error| panic!("{asked}: cut off: {error}"));
        Self { asked, status, headers, body, holds: PhantomData }
    }

    /// A header's text; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a list goes on, as `Link` says it.
    #[must_use]
    pub fn next_page(&self) -> Option<String> {
        let (link, _) = self.header("link").split_once("; rel=\"next\"")?;
        Some(link.trim_matches(['<', '>']).to_owned())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or("(not text)")
    }

    /// Insists on a status.
    #[track_caller]
    pub fn has_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text());
        self
    }

    /// Insists on a problem document of this status and code, and on its trace id being the header's.
    #[track_caller]
    #[must_use]
    pub fn problem(self, status: u16, code: ErrorCode) -> ApiError {
        let error = self.any_problem();
        assert_eq!((self.status, error.code), (status, code), "{}: {}", self.asked, self.text());
        error
    }

    /// Insists on a well-formed problem document, whatever it says.
    #[track_caller]
    #[must_use]
    pub fn any_problem(&self) -> ApiError {
        let (asked, text) = (&self.asked, self.text());
        assert!(self.status >= 400, "{asked}: expected a problem, got {}: {text}", self.status);
        let kind = self.header(CONTENT_TYPE.as_str());
        assert_eq!(kind, "application/problem+json", "{asked}: {} {text}", self.status);
        let error: ApiError =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{asked}: {error}: {text}"));
        assert!(!error.title.is_empty(), "{asked}: a problem says what is wrong: {text}");
        assert_eq!(error.trace_id.as_str(), self.header("x-trace-id"), "{asked}: two trace ids: {text}");
        assert_eq!(error.retryable, error.code.retryable(), "{asked}: {text}");
        error
    }
}

impl<T: DeserializeOwned> Response<T> {
    /// Insists on a 2xx with JSON, and answers it.
    #[track_caller]
    #[must_use]
    pub fn good(self) -> T {
        let (asked, text) = (&self.asked, self.text());
        assert!((200..300).contains(&self.status), "{asked}: {} {text}", self.status);
        let kind = self.header(CONTENT_TYPE.as_str());
        assert!(kind.starts_with("application/json"), "{asked}: content type {kind:?}: {text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{asked}: {error}: {text}"))
    }
}
