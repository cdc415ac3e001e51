//! Files that releases pin, by their hash.

use axum::{
    Json,
    body::Body as RawBody,
    extract::{Path, State},
    http::StatusCode,
};
use futures::StreamExt as _;
use local::ArtefactError;
use model::{ErrorCode, Role, TraceId};
use serde::{Deserialize, Serialize};

use super::Body;
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// The largest file that a release may pin.
const MAX_BLOB: usize = 64 * 1024 * 1024;

/// Which files a client has.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Their SHA-256 in lower-case hex.
    sha256: Vec<String>,
}

/// Which of them we lack.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Missing {
    /// Their SHA-256 in lower-case hex.
    missing: Vec<String>,
}

/// Which of these files have to be sent.
#[utoipa::path(post, path = "/blobs/missing", request_body = Wanted, responses((status = 200, body = Missing)))]
pub(super) async fn missing(
    State(state): State<AppState>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Answer<Json<Missing>> {
    caller.at_least(Role::Operator)?;
    if wanted.sha256.len() > 10_000 {
        return Err(Problem::new(ErrorCode::TooLarge, "at most 10,000 files", &caller.trace));
    }
    let artefacts = state.artefacts.clone();
    let missing = blocking(&caller.trace, move || artefacts.missing(&wanted.sha256)).await?;
    Ok(Json(Missing { missing }))
}

/// Sends one file. Its content must have the hash that names it.
#[utoipa::path(put, path = "/blobs/{sha256}", params(("sha256" = String, Path, pattern = "^[0-9a-f]{64}$")), request_body(content = String, content_type = "application/octet-stream"), responses((status = 204)))]
pub(super) async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Path(sha256): Path<String>,
    body: RawBody,
) -> Answer<StatusCode> {
    caller.at_least(Role::Operator)?;
    let trace = caller.trace;
    let artefacts = state.artefacts.clone();
    let mut incoming = Some(blocking(&trace, move || artefacts.receive(&sha256)).await?);
    let (mut pieces, mut size) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        let cut_off = |_| Problem::new(ErrorCode::Invalid, "the body was cut off; nothing was kept", &trace);
        let piece = piece.map_err(cut_off)?;
        size += piece.len();
        if size > MAX_BLOB {
            return Err(Problem::new(ErrorCode::TooLarge, "a pinned file has at most 64 MiB", &trace));
        }
        if let Some(mut file) = incoming.take() {
            incoming = Some(blocking(&trace, move || file.write(&piece).map(|()| file)).await?);
        }
    }
    if let Some(file) = incoming {
        blocking(&trace, move || file.finish()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Runs file work where blocking is allowed.
async fn blocking<T: Send + 'static>(
    trace: &TraceId,
    work: impl FnOnce() -> Result<T, ArtefactError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refused(&error, trace)),
        Err(_) => Err(Problem::new(ErrorCode::Internal, "the file could not be handled", trace)),
    }
}

/// An artefact error as a problem.
pub(super) fn refused(error: &ArtefactError, trace: &TraceId) -> Problem {
    let code = match error {
        ArtefactError::Full(_) => ErrorCode::StoreFull,
        ArtefactError::Io(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
            ErrorCode::StoreUnavailable
        }
        ArtefactError::Io(_) => ErrorCode::Internal,
        _ => ErrorCode::Invalid,
    };
    if code != ErrorCode::Invalid {
        tracing::error!(trace.id = %trace, error = %control::chain(error), "a pinned file could not be handled");
    }
    Problem::new(code, error.to_string(), trace)
}
