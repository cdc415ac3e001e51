//! Who may speak to us at all: a known `Host`, and on writes an `Origin` of our own.
//!
//! `Host` keeps DNS rebinding out: a page of another site that resolves to our address still names its own host.
//! `Origin` keeps foreign forms and sockets out. Also gives every request its trace id.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{ErrorCode, TraceId};

use super::error::{self, Problem};
use crate::state::AppState;

/// Where the server is reached.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Allowed values of `Host`, lower case.
    pub hosts: Vec<String>,
    /// The origin that people see, `https://vantage.example`; `None` where any allowed host will do.
    pub public_origin: Option<String>,
}

impl Places {
    /// The hosts of a listener on this address, and those of the public URL.
    #[must_use]
    pub fn of(address: std::net::SocketAddr, public_url: Option<&str>) -> Self {
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            for name in ["localhost", "127.0.0.1", "[::1]"] {
                hosts.push(format!("{name}:{port}"));
            }
        }
        let public_origin = public_url.map(|url| url.trim_end_matches('/').to_lowercase());
        if let Some(host) =
            public_origin.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host)
        {
            hosts.push(host.to_owned());
        }
        Self { hosts, public_origin }
    }

    /// Whether cookies must be marked `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }

    fn knows_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether a request comes from a page of ours. A missing `Origin` is nobody's page.
    #[must_use]
    pub fn is_ours(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else {
            return false;
        };
        match &self.public_origin {
            Some(public) => public.eq_ignore_ascii_case(origin),
            None => self.hosts.iter().any(|host| origin.eq_ignore_ascii_case(&format!("http://{host}"))),
        }
    }
}

/// The request's trace id, for handlers.
#[derive(Debug, Clone)]
pub struct Trace(pub TraceId);

/// Gives every request its trace id, and turns away those that name a foreign host or come from a foreign page.
pub async fn guard(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let trace = TraceId::mint(state.random());
    request.extensions_mut().insert(Trace(trace.clone()));
    let for_programs = request.uri().path().starts_with("/api/");
    let mut response = match refuse(&state, &request, &trace) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    if for_programs {
        response = error::in_one_form(response, &trace).await;
    }
    if let Ok(value) = HeaderValue::from_str(trace.as_str()) {
        response.headers_mut().insert("x-trace-id", value);
    }
    response
}

fn refuse(state: &AppState, request: &Request, trace: &TraceId) -> Option<Problem> {
    let headers = request.headers();
    if !state.places.knows_host(headers) {
        return Some(
            Problem::new(ErrorCode::ForeignOrigin, "this server does not answer to that host name", trace)
                .hint("start it with --public-url to add a name"),
        );
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Programs with a token send no Origin; a browser always does when it writes. A token in a header cannot be
    // sent by a foreign page, a cookie can.
    let by_token = headers.contains_key(header::AUTHORIZATION);
    let foreign = headers.contains_key(header::ORIGIN) && !state.places.is_ours(headers);
    if !reads && (foreign || (!by_token && !state.places.is_ours(headers))) {
        return Some(Problem::new(
            ErrorCode::ForeignOrigin,
            "this request does not come from a page of ours",
            trace,
        ));
    }
    None
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Trace {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        // Every route lies behind `guard`; a fixed id shows that one does not.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(TraceId::mint(0))))
    }
}
