//! Who may speak to us at all: a known `Host`, and on writes an `Origin` of our own.
//!
//! `Host` keeps DNS rebinding out: a page of another site that resolves to our address still names its own host.
//! `Origin` keeps foreign forms and sockets out. Also gives every request its trace id.
//!
//! Behind the guard, `X-Forwarded-…` are words of a trusted proxy: what anybody else sent of them is gone.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use model::{ErrorCode, TraceId};
use tracing::Instrument as _;

use super::error::{self, Problem};
use crate::{config::Serve, state::AppState};

/// What proxies say about a request that they pass on.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/// Where the server is reached.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Allowed values of `Host`, lower case.
    pub hosts: Vec<String>,
    /// The origin that people see, `https://vantage.example`; `None` where any allowed host will do.
    pub public_origin: Option<String>,
    /// Whose forwarded headers are believed.
    pub proxies: Vec<IpNet>,
}

impl Places {
    /// The hosts of a listener on this address, those of the public URL, and those that the settings name.
    #[must_use]
    pub fn of(address: SocketAddr, serve: &Serve) -> Self {
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            for name in ["localhost", "127.0.0.1", "[::1]"] {
                hosts.push(format!("{name}:{port}"));
            }
        }
        for name in &serve.allowed_host {
            hosts.push(name.clone());
            // A browser leaves out the port that its scheme stands for, and no other.
            if !name.rsplit(']').next().unwrap_or(name).contains(':') {
                hosts.push(format!("{name}:{port}"));
            }
        }
        let public_origin = serve.public_url.as_ref().map(|url| url.trim_end_matches('/').to_lowercase());
        if let Some(host) =
            public_origin.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host)
        {
            hosts.push(host.to_owned());
        }
        hosts.iter_mut().for_each(|host| host.make_ascii_lowercase());
        Self { hosts, public_origin, proxies: serve.trusted_proxy.clone() }
    }

    /// Whether cookies must be marked `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }

    /// Takes out what nobody trusted has said; answers who asks, as far as that can be known.
    fn asker(&self, peer: Option<IpAddr>, headers: &mut HeaderMap) -> Option<IpAddr> {
        let trusts = |address: &IpAddr| self.proxies.iter().any(|net| net.contains(&address.to_canonical()));
        if !peer.as_ref().is_some_and(trusts) {
            FORWARDED.iter().for_each(|name| drop(headers.remove(*name)));
            return peer;
        }
        // Each proxy appends whom it heard; what lies before the last stranger is hearsay.
        let chain = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<IpAddr> =
            chain.flat_map(|value| value.split(',')).filter_map(|text| text.trim().parse().ok()).collect();
        chain.iter().rev().find(|address| !trusts(address)).copied().or(peer)
    }

    fn knows_host(&self, headers: &HeaderMap) -> bool {
        let host = said(headers, "x-forwarded-host").or_else(|| said(headers, "host")).unwrap_or_default();
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether a request comes from a page of ours. A missing `Origin` is nobody's page, and browsers write theirs in
    /// lower case, so nothing but the exact text will do.
    #[must_use]
    pub fn is_ours(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else {
            return false;
        };
        match &self.public_origin {
            Some(public) => public == origin,
            None => {
                let scheme = said(headers, "x-forwarded-proto").filter(|scheme| *scheme == "https");
                let scheme = scheme.unwrap_or("http");
                let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
                host.is_some_and(|host| self.hosts.iter().any(|known| known == host))
            }
        }
    }
}

fn said<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The request's trace id, for handlers.
#[derive(Debug, Clone)]
pub struct Trace(pub TraceId);

/// Gives every request its trace id, and turns away those that name a foreign host or come from a foreign page.
pub async fn guard(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let trace = TraceId::mint(state.random());
    request.extensions_mut().insert(Trace(trace.clone()));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
    let asker = state.places.asker(peer, request.headers_mut());
    let for_programs = request.uri().path().starts_with("/api/");
    // Every line that is logged on behalf of this request names it.
    let span = tracing::error_span!("request", trace.id = %trace);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let mut response = match refuse(&state, &request, &trace) {
        Some(problem) => problem.into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    let status = response.status().as_u16();
    state.metrics.answered(&method, route.as_deref(), status);
    tracing::debug!(parent: &span, http.method = %method, http.path = %path, http.status = status,
        client.address = asker.map(tracing::field::display), "answered");
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
                .hint("start it with --public-url or --allowed-host to add a name"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn places(change: impl FnOnce(&mut Serve)) -> Places {
        let mut serve = Serve::default();
        change(&mut serve);
        Places::of(SocketAddr::from(([127, 0, 0, 1], 7070)), &serve)
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_asks_and_for_which_host() {
        let places = places(|serve| {
            serve.trusted_proxy = vec!["10.0.0.0/8".parse().expect("a network")];
            serve.allowed_host = vec!["vantage.example".to_owned()];
        });
        let sent = [
            ("host", "inner:7070"),
            ("x-forwarded-host", "vantage.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.2"),
            ("origin", "https://vantage.example"),
        ];
        let stranger: IpAddr = "192.0.2.9".parse().expect("an address");
        let mut from_stranger = headers(&sent);
        assert_eq!(places.asker(Some(stranger), &mut from_stranger), Some(stranger));
        assert!(!places.knows_host(&from_stranger) && !places.is_ours(&from_stranger));
        assert!(FORWARDED.iter().all(|name| !from_stranger.contains_key(*name)));
        let mut from_proxy = headers(&sent);
        let asker = places.asker("10.0.0.1".parse().ok(), &mut from_proxy);
        assert_eq!(asker.map(|address| address.to_string()).as_deref(), Some("192.0.2.7"));
        assert!(places.knows_host(&from_proxy) && places.is_ours(&from_proxy));
        assert!(places.asker(None, &mut headers(&sent)).is_none());
    }

    #[test]
    fn an_allowed_host_is_known_with_and_without_the_port_we_listen_on() {
        let places = places(|serve| serve.allowed_host = vec!["a.example".into(), "b.example:81".into()]);
        for (host, known) in [
            ("a.example", true),
            ("A.example:7070", true),
            ("b.example:81", true),
            ("b.example", false),
            ("c", false),
        ] {
            let request = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            assert_eq!(places.knows_host(&request), known, "{host}");
        }
    }
}
