//! Sources: who reports, and since when one is silent. Administrators register those that send observations.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use model::{
    ErrorCode, Freshness, Role, SourceId, Span, TraceId,
    observation::{OBSERVED, SourceInfo},
    view::SourceState,
};
use serde::{Deserialize, Serialize};
use store::{Reader, StoreError};

use super::{
    At, Body, audit,
    envs::Plain,
    failed,
    list::{self, Listed},
};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// How often a source is expected to speak, where nobody says how often.
const INTERVAL: Span = Span::seconds(60);

/// A source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SourceRow {
    /// What is known of it.
    #[serde(flatten)]
    source: SourceState,
    /// Whether it talks.
    freshness: Freshness,
}

fn row(source: SourceState, state: &AppState) -> SourceRow {
    let freshness = Freshness::of_source(source.last_seen_at, source.interval, state.now());
    SourceRow { source, freshness }
}

/// A source by its name, or by its id.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub(super) async fn find(reader: &mut Reader, text: &str) -> Result<Option<SourceState>, StoreError> {
    let sources = reader.sources().await?;
    Ok(sources.into_iter().find(|source| source.name == text || source.id.as_str() == text))
}

/// Refuses sources that have an adapter: nobody else speaks for them.
///
/// # Errors
/// [`ErrorCode::Forbidden`] for those.
pub(super) fn takes_observations(source: &SourceState, trace: &TraceId) -> Result<(), Problem> {
    if source.kind == OBSERVED {
        return Ok(());
    }
    let title = format!("{} reports by itself and takes no observations", source.name);
    Err(Problem::new(ErrorCode::Forbidden, title, trace))
}

/// Registers a source that sends observations; one that is registered stays, with another interval where one is given.
///
/// # Errors
/// Where the name cannot be one, belongs to a source with an adapter, or the store does not answer.
pub(super) async fn declare(
    state: &AppState,
    caller: &Caller,
    name: &str,
    interval: Option<Span>,
) -> Result<SourceState, Problem> {
    super::check_name("source", name, &caller.trace)?;
    let failed = failed(&caller.trace);
    let found = async || find(&mut state.store.read().await?, name).await;
    let known = found().await.map_err(&failed)?;
    if let Some(known) = &known {
        takes_observations(known, &caller.trace)?;
        if interval.is_none_or(|interval| interval == known.interval) {
            return Ok(known.clone());
        }
    }
    let info = SourceInfo {
        id: known.map_or_else(|| SourceId::mint(state.random()), |known| known.id),
        name: name.to_owned(),
        kind: OBSERVED.to_owned(),
        interval: interval.unwrap_or(INTERVAL),
    };
    match state.store.source_register(&info).await {
        // Somebody else registered the name at the same time.
        Err(StoreError::Conflict { .. }) => {}
        other => other.map_err(&failed)?,
    }
    audit(state, caller, "source.register", name).await?;
    let missing = || Problem::not_found("source", &caller.trace);
    found().await.map_err(&failed)?.ok_or_else(missing)
}

/// Sources, by name.
#[utoipa::path(get, path = "/sources", params(list::Part), responses((status = 200, body = Vec<SourceRow>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(part): Query<list::Part>,
) -> Answer<Listed<SourceRow>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let sources = reader.sources().await.map_err(&failed)?;
    let rows = sources.into_iter().map(|source| row(source, &state)).collect();
    let id = |row: &SourceRow| row.source.id.to_string();
    Listed::part((reader.as_of(), rows), &part, id, &caller.trace)
}

/// One source, by its name or its id.
#[utoipa::path(get, path = "/sources/{source}", params(("source" = String, Path)), responses((status = 200, body = SourceRow)))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(text): Path<String>,
) -> Answer<At<SourceRow>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let found = find(&mut reader, &text).await.map_err(&failed)?;
    let source = found.ok_or_else(|| Problem::not_found("source", &caller.trace))?;
    Ok(At(reader.as_of(), row(source, &state)))
}

/// How a source will report.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceRequest {
    /// How often it promises to speak, in seconds: silent for three times as long, it is stale. 60 where it is absent.
    #[schema(minimum = 1, maximum = 86400)]
    interval_s: Option<i64>,
}

/// Registers a platform that sends observations. The same again changes nothing.
#[utoipa::path(put, path = "/sources/{source}", params(("source" = String, Path, pattern = "^[a-z0-9-]{1,40}$")), request_body = SourceRequest, responses((status = 200, body = SourceRow)))]
pub(super) async fn register(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Body(request): Body<SourceRequest>,
) -> Plain<SourceRow> {
    caller.at_least(Role::Admin)?;
    if request.interval_s.is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
        return Err(Problem::invalid("interval_s", "1 second to 1 day", &caller.trace));
    }
    let source = declare(&state, &caller, &name, request.interval_s.map(Span::seconds)).await?;
    Ok(Json(row(source, &state)))
}
