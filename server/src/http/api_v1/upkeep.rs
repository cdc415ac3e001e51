//! The store as a whole: what it is, a copy of it, and another one in its place. Copies are for administrators only:
//! they hold everything.

use std::{io::Write as _, path::Path};

use axum::{
    Json,
    body::Body as RawBody,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use model::{ErrorCode, Role, Seq, TraceId};
use serde::Serialize;
use store::{Backup, Incoming, OpenError, StoreError, StoreUrl};
use tokio_util::io::ReaderStream;

use super::{audit, failed};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// How a store is known.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StoreView {
    /// Cursors of another id are worth nothing here.
    store_id: String,
    /// `sqlite` or `postgres`.
    engine: &'static str,
    /// The newest row of its journal.
    head: Seq,
}

/// The store that is being served.
#[utoipa::path(get, path = "/store", responses((status = 200, body = StoreView)))]
pub(super) async fn show(State(state): State<AppState>, _: Caller) -> Json<StoreView> {
    let engine = match state.upkeep.url {
        StoreUrl::Sqlite(_) => "sqlite",
        StoreUrl::Postgres(_) => "postgres",
    };
    Json(StoreView { store_id: state.store.store_id().to_owned(), engine, head: state.store.head() })
}

/// A consistent copy of the whole store: a SQLite file that `vt restore` takes. Nobody waits for it.
#[utoipa::path(post, path = "/backup", responses((status = 200, body = String, content_type = "application/vnd.sqlite3")))]
pub(super) async fn backup(State(state): State<AppState>, caller: Caller) -> Answer<Response> {
    caller.at_least(Role::Admin)?;
    let trace = &caller.trace;
    let path = state.upkeep.url.outgoing().ok_or_else(|| on_postgres(trace, "pg_dump"))?;
    let Ok(_turn) = state.upkeep.turn.try_lock() else { return Err(busy(trace)) };
    let made = state.store.backup(&path).await.map_err(failed(trace))?;
    let Backup { store_id, head, n_bytes } = made;
    let file = tokio::fs::File::open(&path).await.map_err(|error| disk(&error, trace))?;
    // Only we have it now, and it goes with our handle, however the request ends.
    std::fs::remove_file(&path).map_err(|error| disk(&error, trace))?;
    audit(&state, &caller, "store.backup", &format!("{n_bytes} bytes at {}", head.0)).await?;
    let mut response = RawBody::from_stream(ReaderStream::with_capacity(file, 256 * 1024)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.sqlite3"));
    headers.insert(header::CONTENT_LENGTH, n_bytes.into());
    headers.insert("x-journal-seq", head.0.into());
    if let Ok(id) = HeaderValue::from_str(&store_id) {
        headers.insert("x-store-id", id);
    }
    Ok(response)
}

/// What was restored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Restored {
    /// The id that the store gets.
    store_id: String,
    /// The newest row of its journal.
    head: Seq,
    /// The size of its file.
    n_bytes: u64,
}

/// Puts a backup into the store's place. 202: it was checked; the server now starts again over it. Every workload is
/// started again, and what was recorded since the backup is kept aside.
#[utoipa::path(post, path = "/restore", request_body(content = String, content_type = "application/vnd.sqlite3"), responses((status = 202, body = Restored)))]
pub(super) async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    body: RawBody,
) -> Answer<(StatusCode, Json<Restored>)> {
    caller.at_least(Role::Admin)?;
    let trace = &caller.trace;
    let path = state.upkeep.url.incoming().ok_or_else(|| on_postgres(trace, "pg_restore"))?;
    let Ok(_turn) = state.upkeep.turn.try_lock() else { return Err(busy(trace)) };
    let ready = match receive(&path, body, trace).await {
        Ok(()) => Incoming::prepare(&path).await.map_err(|error| refused(&error, trace)),
        Err(problem) => Err(problem),
    };
    let ready = ready.inspect_err(|_| {
        // What is left of it goes at the next start at the latest.
        let _ = std::fs::remove_file(&path);
    })?;
    let Backup { store_id, head, n_bytes } = ready.backup.clone();
    audit(&state, &caller, "store.restore", &format!("{n_bytes} bytes at {}", head.0)).await?;
    state.upkeep.restore(ready);
    Ok((StatusCode::ACCEPTED, Json(Restored { store_id, head, n_bytes })))
}

async fn receive(path: &Path, body: RawBody, trace: &TraceId) -> Result<(), Problem> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(|error| disk(&error, trace))?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let cut_off =
            |_| Problem::new(ErrorCode::Invalid, "the body was cut off; nothing was changed", trace);
        let piece = piece.map_err(cut_off)?;
        let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file)).await;
        file = written.map_err(std::io::Error::other).flatten().map_err(|error| disk(&error, trace))?;
    }
    file.sync_all().map_err(|error| disk(&error, trace))
}

fn busy(trace: &TraceId) -> Problem {
    Problem::new(ErrorCode::TooMany, "another backup or restore runs", trace)
}

fn on_postgres(trace: &TraceId, tool: &str) -> Problem {
    Problem::new(ErrorCode::Invalid, format!("this store is on PostgreSQL, which has {tool} for this"), trace)
}

fn disk(error: &std::io::Error, trace: &TraceId) -> Problem {
    let (code, title) = match error.kind() {
        std::io::ErrorKind::StorageFull => {
            (ErrorCode::StoreFull, "there is no room for a copy; nothing was changed")
        }
        _ => (ErrorCode::StoreUnavailable, "the copy could not be kept; nothing was changed"),
    };
    tracing::error!(%error, "a copy of the store could not be handled");
    Problem::new(code, title, trace)
}

/// What is said about a file that was sent: never where we keep it.
fn refused(error: &OpenError, trace: &TraceId) -> Problem {
    let title = match error {
        OpenError::NotAStore { .. } => "this is not a backup of a store; nothing was changed".to_owned(),
        OpenError::Damaged { found, .. } => format!("the backup is damaged; nothing was changed: {found}"),
        OpenError::Newer { .. } | OpenError::Altered { .. } => format!("{error}; nothing was changed"),
        OpenError::Store(error @ (StoreError::Full { .. } | StoreError::Unavailable { .. })) => {
            return Problem::store(error, trace);
        }
        _ => {
            tracing::error!(error = %control::chain(error), "a backup could not be checked");
            return Problem::new(
                ErrorCode::Internal,
                "the backup could not be checked; nothing was changed",
                trace,
            );
        }
    };
    Problem::new(ErrorCode::Invalid, title, trace)
}
