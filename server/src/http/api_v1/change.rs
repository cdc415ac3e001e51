//! Plans and actions on an app-env.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use control::commands::{Submit, Submitted};
use model::{EnvId, ErrorCode, Plan, Receipt, Span, TraceId, Verb, plan::Ask};
use serde::Deserialize;

use super::{Body, env, failed, key};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// What a command would do. Reading a plan needs no more than the viewer role; it says what the role forbids.
#[utoipa::path(post, path = "/envs/{env}/plans/{verb}", params(("env" = String, Path), ("verb" = Verb, Path)), request_body = Ask, responses((status = 200, body = Plan)))]
pub(super) async fn plan(
    State(state): State<AppState>,
    caller: Caller,
    Path((text, verb)): Path<(String, String)>,
    Body(ask): Body<Ask>,
) -> Answer<Json<Plan>> {
    let (id, verb) = target(&state, &caller.trace, &text, &verb).await?;
    let planned = state.commands.plan(&caller.actor, &id, verb, &ask).await;
    match planned.map_err(|error| Problem::command(&error, &caller.trace))? {
        Some(Ok(plan)) => Ok(Json(plan)),
        Some(Err(refusal)) => Err(Problem::new(ErrorCode::Invalid, refusal.to_string(), &caller.trace)),
        None => Err(Problem::not_found("env", &caller.trace)),
    }
}

/// A confirmed plan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActRequest {
    /// What was asked of the plan.
    #[serde(default)]
    ask: Ask,
    /// The generation that the plan was made for.
    generation: i64,
    /// The plan's hash.
    plan_hash: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Wait for convergence, so many seconds at most.
    wait_s: Option<i64>,
}

/// Records a confirmed plan. 202: accepted is not done.
#[utoipa::path(post, path = "/envs/{env}/actions/{verb}", params(("env" = String, Path), ("verb" = Verb, Path)), request_body = ActRequest, responses((status = 202, body = Receipt)))]
pub(super) async fn act(
    State(state): State<AppState>,
    caller: Caller,
    Path((text, verb)): Path<(String, String)>,
    headers: HeaderMap,
    Body(request): Body<ActRequest>,
) -> Answer<Response> {
    let trace = caller.trace.clone();
    let key = key(&headers, &trace)?;
    let (env, verb) = target(&state, &trace, &text, &verb).await?;
    let submit = Submit {
        actor: caller.actor,
        env,
        verb,
        ask: request.ask,
        generation: request.generation,
        plan_hash: request.plan_hash,
        reason: request.reason,
        wait: request.wait_s.map(|seconds| Span::seconds(seconds.clamp(1, 86_400))),
        key,
        trace_id: trace.clone(),
    };
    let submitted = state.commands.submit(submit).await.map_err(|error| Problem::command(&error, &trace))?;
    Ok(match submitted {
        Submitted::Accepted(receipt) | Submitted::Repeated(receipt) => {
            (StatusCode::ACCEPTED, Json(*receipt)).into_response()
        }
        other => match Problem::refused(&other, &trace) {
            Some(problem) => problem.into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    })
}

async fn target(state: &AppState, trace: &TraceId, text: &str, verb: &str) -> Result<(EnvId, Verb), Problem> {
    let verb = Verb::parse(verb).ok_or_else(|| Problem::not_found("action", trace))?;
    let mut reader = state.store.read().await.map_err(failed(trace))?;
    Ok((env(&mut reader, text, trace).await?.target.env_id, verb))
}
