//! Waits: made, watched, stopped and extended by anybody who may act.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use model::{ErrorCode, ObjectKey, Role, Span, TraceId, Until, Wait, WaitId, WaitPhase, wait::Seen};
use serde::Deserialize;
use store::{AuditEntry, IdempotencyKey, WaitInserted};

use super::{
    At, Body,
    envs::Plain,
    failed, key,
    list::{self, Listed},
};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// How deep conditions may be composed.
const MAX_DEPTH: u32 = 4;
/// How often a change is tried that loses against those who watch.
const TRIES: u32 = 5;

/// Which waits.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only those that still watch.
    open: Option<bool>,
    /// At most so many, up to 1000; 200 where it is absent.
    limit: Option<u32>,
    /// Continue behind this one, as `Link` says it.
    after: Option<String>,
}

/// Waits, the newest first.
#[utoipa::path(get, path = "/waits", params(Which), responses((status = 200, body = Vec<Wait>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Listed<Wait>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let limit = which.limit.unwrap_or(200).clamp(1, list::MOST);
    let after: Option<WaitId> = match which.after.as_deref().map(str::parse) {
        None => None,
        Some(Ok(after)) if reader.wait(&after).await.map_err(&failed)?.is_some() => Some(after),
        Some(_) => return Err(list::no_place(&caller.trace)),
    };
    let open = which.open.unwrap_or(false);
    let waits = reader.waits_page(open, after.as_ref(), limit + 1).await.map_err(&failed)?;
    Ok(Listed::of(reader.as_of(), waits, limit, |wait| wait.id.to_string()))
}

/// How long to hold the answer back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    /// Seconds to wait for its end, at most 25.
    timeout: Option<u64>,
}

/// One wait. With `timeout` the answer comes when it ends, or after so many seconds.
#[utoipa::path(get, path = "/waits/{id}", params(("id" = String, Path), Hold), responses((status = 200, body = Wait)))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(hold): Query<Hold>,
) -> Answer<At<Wait>> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(hold.timeout.unwrap_or(0).min(25));
    let mut journal = state.store.watch();
    loop {
        journal.borrow_and_update();
        let mut reader = state.store.read().await.map_err(failed(&caller.trace))?;
        let seq = reader.as_of();
        let wait = find(&mut reader, &caller, &id).await?;
        drop(reader);
        if !wait.phase.is_open() || tokio::time::Instant::now() >= deadline {
            return Ok(At(seq, wait));
        }
        tokio::select! {
            _ = journal.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = state.shutdown.cancelled() => return Ok(At(seq, wait)),
        }
    }
}

async fn find(reader: &mut store::Reader, caller: &Caller, id: &str) -> Result<Wait, Problem> {
    let missing = || Problem::not_found("wait", &caller.trace);
    let id: WaitId = id.parse().map_err(|_| missing())?;
    reader.wait(&id).await.map_err(failed(&caller.trace))?.ok_or_else(missing)
}

/// What to wait for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitRequest {
    /// `kind:id`.
    object: ObjectKey,
    /// Until when; absent is "until it converges".
    until: Option<Until>,
    /// How many seconds at most.
    #[schema(minimum = 1, maximum = 86_400)]
    timeout_s: i64,
}

/// Makes a wait.
#[utoipa::path(post, path = "/waits", request_body = WaitRequest, responses((status = 200, body = Wait)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(request): Body<WaitRequest>,
) -> Plain<Wait> {
    caller.at_least(Role::Operator)?;
    let failed = failed(&caller.trace);
    let key = key(&headers, &caller.trace)?;
    let until = request.until.unwrap_or(Until::Converged);
    if until.depth() > MAX_DEPTH {
        return Err(Problem::invalid(
            "until",
            "conditions are composed at most four levels deep",
            &caller.trace,
        ));
    }
    check_seconds("timeout_s", request.timeout_s, &caller.trace)?;
    let request_hash = serde_json::json!([request.object, until, request.timeout_s]).to_string();
    let mut reader = state.store.read().await.map_err(&failed)?;
    let object = reader.object(&request.object).await.map_err(&failed)?;
    let object = object.ok_or_else(|| Problem::not_found("object", &caller.trace))?;
    let target = match (&object.app, &object.env) {
        (Some(app), Some(env)) => reader.env_by_name(app, env).await.map_err(&failed)?.map(|env| env.target),
        _ => None,
    };
    let judgement = reader.judgement(&object.key).await.map_err(&failed)?;
    drop(reader);
    let now = state.now();
    let seen = Seen { object: Some(&object), verdict: judgement.map(|judgement| judgement.verdict) };
    let items = until.items(seen);
    let wait = Wait {
        id: WaitId::mint(state.random()),
        title: match &target {
            Some(target) if object.key != ObjectKey::env(&target.env_id) => {
                format!("{} {}: {}", target.title(), object.name, until.words())
            }
            _ => format!("{}: {}", object.name, until.words()),
        },
        object: request.object,
        target,
        until,
        receipt: None,
        generation: None,
        owner: caller.actor.name.clone(),
        created_at: now,
        deadline: now + Span::seconds(request.timeout_s),
        phase: WaitPhase::Waiting,
        ended_at: None,
        items,
        blind_since: None,
    };
    let audit = audit(&state, &caller, "wait.create", &wait);
    let idempotency = IdempotencyKey { actor: caller.actor.name.clone(), key, request_hash };
    match state.store.wait_insert(&wait, audit, Some(idempotency)).await.map_err(&failed)? {
        WaitInserted::Created => Ok(Json(wait)),
        WaitInserted::Repeated(wait) => Ok(Json(*wait)),
        WaitInserted::KeyReused => Err(Problem::new(
            ErrorCode::KeyReused,
            "this idempotency key was used for another request",
            &caller.trace,
        )),
    }
}

fn audit(state: &AppState, caller: &Caller, action: &str, wait: &Wait) -> AuditEntry {
    AuditEntry {
        at: state.now(),
        actor: caller.actor.clone(),
        action: action.to_owned(),
        target: format!("{} {}", wait.id, wait.title),
        env: wait.target.as_ref().map(|target| target.env_id.clone()),
        reason: String::new(),
        outcome: "accepted".to_owned(),
        receipt: wait.receipt.clone(),
        trace_id: caller.trace.clone(),
    }
}

/// Stops watching. The change itself goes on.
#[utoipa::path(post, path = "/waits/{id}/stop", params(("id" = String, Path)), responses((status = 200, body = Wait)))]
pub(super) async fn stop(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Plain<Wait> {
    Ok(Json(end(&state, &caller, &id).await?))
}

/// How much longer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Longer {
    /// Seconds to add.
    #[schema(minimum = 1, maximum = 86_400)]
    seconds: i64,
}

/// Watches longer.
#[utoipa::path(post, path = "/waits/{id}/extend", params(("id" = String, Path)), request_body = Longer, responses((status = 200, body = Wait)))]
pub(super) async fn extend(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Body(longer): Body<Longer>,
) -> Plain<Wait> {
    Ok(Json(lengthen(&state, &caller, &id, longer.seconds).await?))
}

/// Stops a wait.
///
/// # Errors
/// Below the operator role, for unknown waits, and where the store does not answer.
pub(in crate::http) async fn end(state: &AppState, caller: &Caller, id: &str) -> Result<Wait, Problem> {
    change(state, caller, id, "wait.stop", |wait, now| {
        wait.phase = WaitPhase::Stopped;
        wait.ended_at = Some(now);
    })
    .await
}

/// Gives a wait more time, at most a day at once.
///
/// # Errors
/// For more than a day and less than a second, below the operator role, for unknown waits, and where the store does not
/// answer.
pub(in crate::http) async fn lengthen(
    state: &AppState,
    caller: &Caller,
    id: &str,
    seconds: i64,
) -> Result<Wait, Problem> {
    check_seconds("seconds", seconds, &caller.trace)?;
    let more = Span::seconds(seconds);
    change(state, caller, id, "wait.extend", |wait, _| wait.deadline = wait.deadline + more).await
}

fn check_seconds(field: &str, seconds: i64, trace: &TraceId) -> Result<(), Problem> {
    if !(1..=86_400).contains(&seconds) {
        return Err(Problem::invalid(field, "1 second to 24 hours", trace));
    }
    Ok(())
}

async fn change(
    state: &AppState,
    caller: &Caller,
    id: &str,
    action: &str,
    how: impl Fn(&mut Wait, model::Ts),
) -> Result<Wait, Problem> {
    caller.at_least(Role::Operator)?;
    let failed = failed(&caller.trace);
    // It is watched meanwhile: what was read may have moved, and what has ended is answered as it ended.
    for _ in 0..TRIES {
        let read = find(&mut state.store.read().await.map_err(&failed)?, caller, id).await?;
        if !read.phase.is_open() {
            return Ok(read);
        }
        let mut wait = read.clone();
        how(&mut wait, state.now());
        let entry = audit(state, caller, action, &wait);
        if state.store.wait_update(&read, &wait, Some(entry)).await.map_err(&failed)? {
            return Ok(wait);
        }
    }
    Err(Problem::new(ErrorCode::TooMany, "this wait changes all the time; try again", &caller.trace))
}
