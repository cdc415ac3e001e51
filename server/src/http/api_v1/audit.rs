//! Who did what, when, and with what result.

use axum::extract::{Query, State};
use model::{Role, Seq, Ts};
use serde::{Deserialize, Serialize};
use store::AuditRow;

use super::{At, failed};
use crate::{
    http::{error::Answer, session::Caller},
    state::AppState,
};

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// At most so many.
    limit: Option<u32>,
    /// Continue before this row.
    before: Option<i64>,
}

/// One row of the audit log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Row {
    seq: Seq,
    at: Ts,
    actor: String,
    role: Role,
    action: String,
    target: String,
    reason: String,
    outcome: String,
    receipt: Option<String>,
    trace_id: String,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", params(Which), responses((status = 200, body = Vec<Row>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<At<Vec<Row>>> {
    caller.at_least(Role::Operator)?;
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let limit = which.limit.unwrap_or(100).clamp(1, 1000);
    let rows = reader.audit(which.before.map(Seq), limit).await.map_err(&failed)?;
    let rows = rows.into_iter().map(row).collect();
    Ok(At(reader.as_of(), rows))
}

fn row(row: AuditRow) -> Row {
    // `recorded_at` is left out: readers want to know when it was done; the env is in the target's name.
    let AuditRow { seq, recorded_at: _, entry } = row;
    let store::AuditEntry { at, actor, action, target, env: _, reason, outcome, receipt, trace_id } = entry;
    Row {
        seq,
        at,
        actor: actor.name,
        role: actor.role,
        action,
        target,
        reason,
        outcome,
        receipt: receipt.map(|id| id.to_string()),
        trace_id: trace_id.to_string(),
    }
}
