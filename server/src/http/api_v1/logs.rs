//! What workloads printed.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, stream};
use model::{ObjectKey, Span, view::LogLine};
use serde::Deserialize;
use store::LogFilter;

use super::{At, events::ndjson, failed, reads::Cursor};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Which lines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// App, by name.
    app: Option<String>,
    /// Env, by name.
    env: Option<String>,
    /// One object, `instance:ins_…`.
    object: Option<String>,
    /// Not older than this: `30m`.
    since: Option<String>,
    /// After the line with this id.
    after: Option<i64>,
    /// At most so many.
    limit: Option<u32>,
    /// Never end.
    follow: Option<bool>,
}

/// Log lines, oldest first. With `follow=true`: what is printed from now on, one JSON object a line.
#[utoipa::path(get, path = "/logs", params(Which), responses((status = 200, body = Vec<LogLine>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Response> {
    let invalid = |field: &str, text: &str| Problem::invalid(field, text.to_owned(), &caller.trace);
    let object: Option<ObjectKey> = match which.object.as_deref().map(str::parse) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(_)) => return Err(invalid("object", "expected kind:id")),
    };
    let since = match which.since.as_deref().map(str::parse::<Span>) {
        None => None,
        Some(Ok(span)) => Some(state.now() - span),
        Some(Err(_)) => return Err(invalid("since", "expected a duration like 90s, 30m or 1h30m")),
    };
    let limit = which.limit.unwrap_or(200).clamp(1, 10_000);
    let filter = LogFilter { app: which.app, env: which.env, object, since, after: which.after, limit };
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    if which.follow == Some(true) {
        // Without a place to continue from, the stream begins behind the newest line.
        let newest = LogFilter { limit: 1, after: None, ..filter.clone() };
        let after = match which.after {
            Some(after) => after,
            None => reader.logs(&newest).await.map_err(&failed)?.last().map_or(0, |line| line.id),
        };
        drop(reader);
        return Ok(ndjson(follow(state, LogFilter { limit: 1000, after: Some(after), ..filter })));
    }
    let lines = reader.logs(&filter).await.map_err(&failed)?;
    // There may always be more: it is printed while we speak.
    let last = lines.last().map(|line| Cursor(line.id.to_string()));
    let mut response = At(reader.as_of(), lines).into_response();
    if let Some(last) = last {
        response.extensions_mut().insert(last);
    }
    Ok(response)
}

fn follow(state: AppState, filter: LogFilter) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let printed = state.store.watch_logs();
    stream::unfold((state, filter, printed), |(state, mut filter, mut printed)| async move {
        let deadline = tokio::time::Instant::now() + KEEP_ALIVE;
        loop {
            printed.borrow_and_update();
            let lines = match state.store.read().await {
                Ok(mut reader) => reader.logs(&filter).await.unwrap_or_default(),
                Err(_) => vec![],
            };
            if let Some(last) = lines.last() {
                filter.after = Some(last.id);
                let text: String = lines
                    .iter()
                    .filter_map(|line| serde_json::to_string(line).ok())
                    .map(|line| line + "\n")
                    .collect();
                return Some((Ok(Bytes::from(text)), (state, filter, printed)));
            }
            tokio::select! {
                () = state.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(deadline) => {
                    return Some((Ok(Bytes::from_static(b"\n")), (state, filter, printed)));
                }
                more = printed.changed() => if more.is_err() { return None },
            }
        }
    })
}
