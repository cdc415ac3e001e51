//! App-envs and the overview.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use control::views;
use model::{
    EnvRecord,
    view::{EnvView, Group, Overview, ReleaseRow},
};
use serde::Deserialize;

use super::{
    At, env, failed,
    list::{self, Listed},
};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// Which part of the overview.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Only this group.
    show: Option<Group>,
    /// Which page of it, from 1.
    page: Option<u32>,
}

/// The app-envs with their verdicts, the worst first: the begin of every group, or one page of one.
#[utoipa::path(get, path = "/overview", params(Part), responses((status = 200, body = Overview)))]
pub(super) async fn overview(
    State(state): State<AppState>,
    caller: Caller,
    Query(part): Query<Part>,
) -> Answer<At<Overview>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let view = views::overview::load(
        &mut reader,
        part.show.map(|group| (group, part.page.unwrap_or(1))),
        state.now(),
    )
    .await
    .map_err(&failed)?;
    Ok(At(reader.as_of(), view))
}

/// Desired state of every app-env, by name.
#[utoipa::path(get, path = "/envs", params(list::Part), responses((status = 200, body = Vec<EnvRecord>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(part): Query<list::Part>,
) -> Answer<Listed<EnvRecord>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let envs = reader.envs().await.map_err(&failed)?;
    let id = |env: &EnvRecord| env.target.env_id.to_string();
    Listed::part((reader.as_of(), envs), &part, id, &caller.trace)
}

/// One app-env: desired, current, why, and what changed. `env` is an id or `app:env`.
#[utoipa::path(get, path = "/envs/{env}", params(("env" = String, Path)), responses((status = 200, body = EnvView)))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(text): Path<String>,
) -> Answer<At<EnvView>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let id = env(&mut reader, &text, &caller.trace).await?.target.env_id;
    let range = views::env::Range::default();
    let view =
        views::env::load(&mut reader, &id, range, &state.limits, state.now()).await.map_err(&failed)?;
    let view = view.ok_or_else(|| Problem::not_found("env", &caller.trace))?;
    Ok(At(reader.as_of(), view))
}

/// The releases of an app-env, newest first.
#[utoipa::path(get, path = "/envs/{env}/releases", params(("env" = String, Path), list::Part), responses((status = 200, body = Vec<ReleaseRow>)))]
pub(super) async fn releases(
    state: State<AppState>,
    caller: Caller,
    path: Path<String>,
    Query(part): Query<list::Part>,
) -> Answer<Listed<ReleaseRow>> {
    let trace = caller.trace.clone();
    let At(seq, view) = one(state, caller, path).await?;
    Listed::part((seq, view.releases), &part, |row| row.release.id.to_string(), &trace)
}

/// The answer type of handlers that return plain JSON.
pub(super) type Plain<T> = Answer<Json<T>>;
