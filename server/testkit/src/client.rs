//! Clients as values: the same server, asked with different rights.

use std::time::Duration;

use model::{ErrorCode, TokenId};
use reqwest::{Method, RequestBuilder};
use serde::{Serialize, de::DeserializeOwned};

use crate::Response;

/// No answer takes longer than this, except long polls of 25 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who asks the server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// `http://127.0.0.1:1234`
    pub origin: String,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<String>,
    /// Sent as `Cookie: vt_session=…`, together with an `Origin` of our own on writes, as a browser does.
    pub session: Option<String>,
    /// What forms of the session carry.
    pub form_token: String,
}

impl Client {
    pub(crate) fn new(origin: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .no_proxy()
            .build()
            .expect("a plain client can always be made");
        Self { http, origin, token: None, session: None, form_token: String::new() }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), session: None, form_token: String::new(), ..self.clone() }
    }

    /// The same with a session's cookie instead of a token.
    #[must_use]
    pub fn with_session(&self, session: &str) -> Self {
        Self { token: None, session: Some(session.to_owned()), form_token: String::new(), ..self.clone() }
    }

    /// A fresh key for a write.
    #[must_use]
    pub fn key() -> String {
        format!("test-{:016x}", getrandom::u64().expect("the operating system gives randomness"))
    }

    /// A request with this client's rights and nothing else.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(session) = &self.session {
            request = request.header("cookie", format!("vt_session={session}"));
        }
        request
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send<T>(&self, request: RequestBuilder) -> Response<T> {
        let request = request.build().expect("tests send well-formed requests");
        let asked = format!("{} {}", request.method(), request.url());
        let response = self.http.execute(request).await;
        Response::read(asked.clone(), response.unwrap_or_else(|error| panic!("{asked}: no answer: {error}")))
            .await
    }

    /// `GET path`
    pub async fn get<T>(&self, path: &str) -> Response<T> {
        self.send(self.request(Method::GET, path)).await
    }

    /// A write: with a fresh key, and with our own `Origin`, as the console sends it.
    pub async fn write<T>(&self, method: Method, path: &str, body: &impl Serialize) -> Response<T> {
        self.keyed(method, path, &Self::key(), body).await
    }

    /// `POST path` with a fresh key.
    pub async fn post<T>(&self, path: &str, body: &impl Serialize) -> Response<T> {
        self.write(Method::POST, path, body).await
    }

    /// A write with this key.
    pub async fn keyed<T>(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Response<T> {
        let request =
            self.request(method, path).header("origin", &self.origin).header("idempotency-key", key);
        self.send(request.json(body)).await
    }

    /// A plain form of ours.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.form_from(path, Some(&self.origin.clone()), fields).await
    }

    /// A form that a page of this origin sends.
    pub async fn form_from(&self, path: &str, origin: Option<&str>, fields: &[(&str, &str)]) -> Response {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let mut request = self.request(Method::POST, path).body(body.join("&"));
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.send(request).await
    }

    /// Revokes a token.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn revoke(&self, id: &TokenId) {
        let path = format!("/api/v1/tokens/{id}");
        assert!(self.write::<bool>(Method::DELETE, &path, &serde_json::json!({})).await.good());
    }

    /// Insists that reading is not allowed any more.
    ///
    /// # Panics
    /// When it is.
    pub async fn is_turned_away(&self) {
        let answer: Response = self.get("/api/v1/overview").await;
        let _ = answer.problem(401, ErrorCode::Unauthenticated);
    }

    /// `GET path` as JSON that has to be good.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> T {
        self.get(path).await.good()
    }

    /// `GET path` as a list, to the end of its last page.
    ///
    /// # Panics
    /// Where a page is no list.
    pub async fn read_all<T: DeserializeOwned>(&self, path: &str) -> Vec<T> {
        let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let answer: Response<Vec<T>> = self.get(&path).await;
            next = answer.next_page();
            all.extend(answer.good());
        }
        all
    }
}

/// Percent-encodes everything that is not plainly itself.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
