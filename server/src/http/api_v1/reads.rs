//! What all reads of the API have in common: `at=`, the journal position they were read at, and the next page.
//!
//! History is recorded and cannot be read back yet. So `at` is taken where the answer of now is the answer of then,
//! because nothing was recorded in between, and refused with that edge everywhere else. It is never ignored.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{Span, TraceId, Ts, view_state::decode};

use crate::{
    http::{error::Problem, guard::Trace, session::identify},
    state::AppState,
};

/// What counts as now: clocks differ, and a question takes a moment to arrive.
const PRESENT: Span = Span::seconds(5);

/// The cursor of the next page, from a handler to this module.
#[derive(Debug, Clone)]
pub(super) struct Cursor(pub(super) String);

/// Takes `at` out of the query of a read, and adds to its answer what every read has.
pub(in crate::http) async fn common(
    State(state): State<AppState>,
    Trace(trace): Trace,
    mut request: Request,
    next: Next,
) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path().to_owned();
    // The schema of app files is for everybody, and says nothing about this store.
    if !is_read || !path.starts_with("/api/v1/") || path.starts_with("/api/v1/schemas/") {
        return next.run(request).await;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (ats, rest): (Vec<&str>, Vec<&str>) =
        query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| is_key(pair, "at"));
    let rest = rest.join("&");
    if !ats.is_empty() {
        // Who may not read is told nothing about when something was recorded.
        if let Err(problem) = identify(request.headers(), &state, &trace).await {
            return problem.into_response();
        }
        if let Err(problem) = check(&state, &ats, &rest, &trace).await {
            return problem.into_response();
        }
        if let Some(uri) = with_query(request.uri(), &rest) {
            *request.uri_mut() = uri;
        }
    }
    // At least this much is in what is read from now on; a handler that reads from one snapshot says it exactly.
    let head = state.store.head();
    let mut response = next.run(request).await;
    if response.status().is_success() {
        response.headers_mut().entry("x-journal-seq").or_insert(HeaderValue::from(head.0));
    }
    if let Some(Cursor(cursor)) = response.extensions_mut().remove::<Cursor>() {
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_key(pair, "after"));
        let kept: String = kept.map(|pair| format!("{pair}&")).collect();
        let link = format!("<{path}?{kept}after={}>; rel=\"next\"", model::view_state::encode(&cursor));
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

fn is_key(pair: &str, key: &str) -> bool {
    pair.split_once('=').map_or(pair, |(key, _)| key) == key
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let path = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether the answer of now is the answer of then.
async fn check(state: &AppState, ats: &[&str], rest: &str, trace: &TraceId) -> Result<(), Problem> {
    let follows = |pair: &str| is_key(pair, "follow") && !matches!(pair, "follow=false" | "follow=0");
    if rest.split('&').any(follows) {
        return Err(Problem::invalid("at", "a stream has no end, so it is as of no instant", trace));
    }
    let at = match ats {
        [one] => {
            one.split_once('=').and_then(|(_, value)| decode(value)).and_then(|text| text.parse::<Ts>().ok())
        }
        _ => None,
    };
    let Some(at) = at else {
        return Err(Problem::invalid("at", "expected one instant like 2026-02-18T12:00:00Z", trace));
    };
    let reader = state.store.read().await.map_err(super::failed(trace))?;
    let (edge, now) = (reader.recorded_at(), reader.now());
    if at > now + PRESENT {
        return Err(Problem::invalid("at", format!("{at} has not come yet; it is {now}"), trace));
    }
    if at < edge.min(now - PRESENT) {
        let why = format!(
            "{at} lies before {edge}, when something was recorded last; \
             what was before cannot be read back yet, so nothing older can be asked for"
        );
        return Err(Problem::invalid("at", why, trace)
            .hint("leave at out to read the present, or ask /api/v1/events with from and to"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_is_a_key_of_its_own_and_not_a_part_of_others() {
        for (pair, is) in [("at=x", true), ("at", true), ("attempt=1", false), ("q=at", false), ("", false)] {
            assert_eq!(is_key(pair, "at"), is, "{pair}");
        }
    }

    #[test]
    fn the_rest_of_a_query_stays() {
        let uri: Uri = "/api/v1/events?at=x&q=a%20b".parse().unwrap();
        assert_eq!(with_query(&uri, "q=a%20b").unwrap().to_string(), "/api/v1/events?q=a%20b");
        assert_eq!(with_query(&uri, "").unwrap().to_string(), "/api/v1/events");
    }
}
