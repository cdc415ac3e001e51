//! Makes a release of an app file and deploys it.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use control::commands::{Apply, Submitted};
use model::{ErrorCode, Plan, Receipt, Release, Span, spec::FilePin};
use serde::{Deserialize, Serialize};

use super::{Body, blobs, key};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// An app file and its pinned files.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyRequest {
    /// The text of `vantage.yaml`.
    manifest: String,
    /// Pinned files by path; all of them were sent before.
    #[serde(default)]
    files: BTreeMap<String, FilePin>,
    /// Only plan.
    #[serde(default)]
    dry_run: bool,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Wait for convergence, so many seconds at most.
    wait_s: Option<i64>,
}

/// What applying comes to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApplyAnswer {
    /// The release, with the number that it has or would get.
    release: Release,
    /// What deploying it does.
    plan: Plan,
    /// The receipt; absent for a dry run.
    receipt: Option<Receipt>,
}

/// Makes a release and deploys it, in one transaction. The same file again makes no new release.
#[utoipa::path(post, path = "/apply", request_body = ApplyRequest, responses((status = 200, body = ApplyAnswer), (status = 202, body = ApplyAnswer)))]
pub(super) async fn apply(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(request): Body<ApplyRequest>,
) -> Answer<Response> {
    caller.at_least(model::Role::Operator)?;
    let trace = caller.trace.clone();
    let key = if request.dry_run { String::new() } else { key(&headers, &trace)? };
    let spec = local::manifest::parse(&request.manifest).map_err(|details| {
        let title = details.first().map_or_else(
            || "the app file was refused".to_owned(),
            |first| format!("the app file was refused at {}: {}", first.field, first.message),
        );
        Problem::new(ErrorCode::Invalid, title, &trace).details(details)
    })?;
    let wanted: Vec<String> = request.files.values().map(|pin| pin.sha256.clone()).collect();
    let missing = state.artefacts.missing(&wanted).map_err(|error| blobs::refused(&error, &trace))?;
    if let Some(first) = missing.first() {
        let title = format!("{} pinned files were not sent, {first} first", missing.len());
        return Err(Problem::invalid("files", title, &trace));
    }
    let apply = Apply {
        actor: caller.actor,
        spec,
        files: request.files,
        dry_run: request.dry_run,
        reason: request.reason,
        wait: request.wait_s.map(|seconds| Span::seconds(seconds.clamp(1, 86_400))),
        key,
        trace_id: trace.clone(),
    };
    let applied = state.commands.apply(apply).await.map_err(|error| Problem::command(&error, &trace))?;
    let applied = match applied {
        Ok(applied) => applied,
        Err(refused) => {
            return Err(Problem::refused(&refused, &trace)
                .unwrap_or_else(|| Problem::new(ErrorCode::Internal, "no answer", &trace)));
        }
    };
    let answer =
        |receipt| ApplyAnswer { release: applied.release.clone(), plan: applied.plan.clone(), receipt };
    Ok(match applied.submitted {
        None => Json(answer(None)).into_response(),
        Some(Submitted::Accepted(receipt) | Submitted::Repeated(receipt)) => {
            (StatusCode::ACCEPTED, Json(answer(Some(*receipt)))).into_response()
        }
        Some(other) => match Problem::refused(&other, &trace) {
            Some(problem) => problem.into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    })
}
