//! Receipts.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use model::{Checked, Receipt, ReceiptId, Role};
use serde::Deserialize;
use store::AuditEntry;

use super::{
    At, env,
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

/// Which receipts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Of this env only: an id or `app:env`.
    env: Option<String>,
    /// At most so many, up to 1000; 50 where it is absent.
    limit: Option<u32>,
    /// Continue behind this one, as `Link` says it.
    after: Option<String>,
}

/// Receipts, newest first.
#[utoipa::path(get, path = "/receipts", params(Which), responses((status = 200, body = Vec<Receipt>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Listed<Receipt>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let id = match which.env {
        Some(text) => Some(env(&mut reader, &text, &caller.trace).await?.target.env_id),
        None => None,
    };
    let limit = which.limit.unwrap_or(50).clamp(1, list::MOST);
    let after: Option<ReceiptId> = match which.after.as_deref().map(str::parse) {
        None => None,
        Some(Ok(after)) if reader.receipt(&after).await.map_err(&failed)?.is_some() => Some(after),
        Some(_) => return Err(list::no_place(&caller.trace)),
    };
    let receipts = reader.receipts_page(id.as_ref(), after.as_ref(), limit + 1).await.map_err(&failed)?;
    Ok(Listed::of(reader.as_of(), receipts, limit, |receipt| receipt.id.to_string()))
}

/// One receipt.
#[utoipa::path(get, path = "/receipts/{id}", params(("id" = String, Path)), responses((status = 200, body = Receipt)))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<At<Receipt>> {
    let missing = || Problem::not_found("receipt", &caller.trace);
    let id: ReceiptId = id.parse().map_err(|_| missing())?;
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let receipt = reader.receipt(&id).await.map_err(&failed)?.ok_or_else(missing)?;
    Ok(At(reader.as_of(), receipt))
}

/// Says that a person has verified the result. Converged is not correct; this is.
#[utoipa::path(post, path = "/receipts/{id}/check", params(("id" = String, Path)), responses((status = 200, body = Receipt)))]
pub(super) async fn check(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Plain<Receipt> {
    Ok(Json(mark_checked(&state, &caller, &id).await?))
}

/// Marks a receipt as checked by this caller.
///
/// # Errors
/// Below the operator role, for unknown receipts, and where the store does not answer.
pub(in crate::http) async fn mark_checked(
    state: &AppState,
    caller: &Caller,
    id: &str,
) -> Result<Receipt, Problem> {
    caller.at_least(Role::Operator)?;
    let id: ReceiptId = id.parse().map_err(|_| Problem::not_found("receipt", &caller.trace))?;
    let now = state.now();
    let audit = AuditEntry {
        at: now,
        actor: caller.actor.clone(),
        action: "receipt.check".to_owned(),
        target: id.to_string(),
        env: None,
        reason: String::new(),
        outcome: "accepted".to_owned(),
        receipt: Some(id.clone()),
        trace_id: caller.trace.clone(),
    };
    let checked = Checked { by: caller.actor.name.clone(), at: now };
    state.store.receipt_check(&id, checked, audit).await.map_err(failed(&caller.trace))
}
