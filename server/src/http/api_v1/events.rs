//! The event list, and the same as a stream that never ends.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use control::views;
use futures::{Stream, stream};
use model::{Event, EventFilter, EventId, Seq, ViewState, live::stream_filter, view::EventsView};

use super::{At, failed, reads::Cursor};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// A blank line this often keeps a quiet stream open, and tells its reader that we are alive.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Events that one read of the store takes.
const CHUNK: u32 = 500;

/// What the query asks beside the filter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) limit: Option<u32>,
    pub(super) after: Option<i64>,
    pub(super) follow: bool,
    /// A key whose value is none.
    pub(super) wrong: Option<&'static str>,
}

/// Splits `limit`, `after` and `follow` off a query.
pub(super) fn split(query: &str) -> (String, Extra) {
    let mut extra = Extra::default();
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("limit", n) => match n.parse() {
                Ok(n) => extra.limit = Some(n),
                Err(_) => extra.wrong = Some("limit"),
            },
            ("after", n) => match n.parse() {
                Ok(n) => extra.after = Some(n),
                Err(_) => extra.wrong = Some("after"),
            },
            ("follow", value) => extra.follow = value != "false" && value != "0",
            _ => rest.push(pair),
        }
    }
    (rest.join("&"), extra)
}

/// Events, newest first, from behind `after` on. With `follow=true`: every event after `after`, oldest first, one JSON object a line,
/// without end; blank lines are signs of life.
#[utoipa::path(get, path = "/events", params(
    ("q" = Option<String>, Query), ("app" = Option<String>, Query), ("env" = Option<String>, Query),
    ("kind" = Option<String>, Query), ("object" = Option<String>, Query), ("controller" = Option<String>, Query),
    ("reason" = Option<String>, Query), ("outcome" = Option<String>, Query), ("from" = Option<String>, Query),
    ("to" = Option<String>, Query), ("group" = Option<String>, Query), ("before" = Option<String>, Query),
    ("limit" = Option<u32>, Query), ("follow" = Option<bool>, Query), ("after" = Option<i64>, Query),
), responses((status = 200, body = EventsView)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let (query, extra) = split(&query.unwrap_or_default());
    let (view, strange) = ViewState::parse(&query);
    if let Some(key) = extra.wrong {
        return Err(Problem::invalid(key, "not a number", &caller.trace));
    }
    if let Some(strange) = strange.first() {
        return Err(Problem::invalid("query", format!("not understood: {}", strange.0), &caller.trace));
    }
    if extra.follow {
        let after = extra.after.map_or_else(|| state.store.head(), Seq);
        let filter = stream_filter(&query, state.now());
        return Ok(ndjson(follow(state, filter, after)));
    }
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let limit = extra.limit.unwrap_or(views::events::PAGE);
    let before = extra.after.map(|seq| EventId(Seq(seq))).or(view.before);
    let view = ViewState { before, ..view };
    let events = views::events::load(&mut reader, &view, limit, state.now()).await.map_err(&failed)?;
    let older = events.older;
    let mut response = At(reader.as_of(), events).into_response();
    if let Some(older) = older {
        response.extensions_mut().insert(Cursor(older.0.to_string()));
    }
    Ok(response)
}

/// A response of lines.
pub(super) fn ndjson(lines: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    // Proxies that buffer would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Following {
    state: AppState,
    filter: EventFilter,
    at: Seq,
    journal: tokio::sync::watch::Receiver<Seq>,
}

fn follow(state: AppState, filter: EventFilter, after: Seq) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let journal = state.store.watch();
    stream::unfold(Following { state, filter, at: after, journal }, |mut following| async move {
        let lines = following.next().await?;
        Some((Ok(lines), following))
    })
}

impl Following {
    /// The next lines; `None` when the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        let deadline = tokio::time::Instant::now() + KEEP_ALIVE;
        loop {
            // Subscribed before reading: what comes in between wakes the next round.
            self.journal.borrow_and_update();
            match self.read().await {
                Ok(lines) if !lines.is_empty() => return Some(lines.into()),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(error = %control::chain(&error), "an event stream waits for the store")
                }
            }
            tokio::select! {
                () = self.state.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(deadline) => return Some(Bytes::from_static(b"\n")),
                moved = self.journal.changed() => if moved.is_err() { return None },
            }
        }
    }

    async fn read(&mut self) -> Result<String, store::StoreError> {
        let mut reader = self.state.store.read().await?;
        let head = reader.as_of();
        let mut lines = String::new();
        while self.at < head && lines.len() < 256 * 1024 {
            let events = reader.events_between(self.at, head, CHUNK).await?;
            let full = events.len() == CHUNK as usize;
            self.at = events.last().map_or(head, |event| if full { event.seq } else { head });
            for event in events.iter().filter(|event| self.filter.matches(event)) {
                push_line(&mut lines, event);
            }
        }
        Ok(lines)
    }
}

fn push_line(lines: &mut String, event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        lines.push_str(&line);
        lines.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_own_keys_are_taken_out_of_the_filter() {
        let (rest, extra) = split("app=web&follow=true&after=12&limit=5&reason=-X");
        assert_eq!(rest, "app=web&reason=-X");
        assert_eq!(extra, Extra { limit: Some(5), after: Some(12), follow: true, wrong: None });
        assert_eq!(split("after=soon").1.wrong, Some("after"));
    }
}
