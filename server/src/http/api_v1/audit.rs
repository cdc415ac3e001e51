//! Who did what, when, and with what result.

use axum::extract::{Query, State};
use model::{
    Role, Seq,
    audit::{AuditFilter, AuditLine},
};
use serde::Deserialize;

use super::{
    failed,
    list::{self, Listed},
};
use crate::{
    backend::audit::line,
    http::{error::Answer, session::Caller},
    state::AppState,
};

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// At most so many.
    limit: Option<u32>,
    /// Continue behind this row, as `Link` says it.
    after: Option<i64>,
    /// The same: the row before which to continue.
    before: Option<i64>,
    /// Only what this actor did.
    actor: Option<String>,
    /// Only this verb: `deploy`, `wait.stop`, `token.create`.
    verb: Option<String>,
    /// Only what was done to this: `checkout/prod`.
    target: Option<String>,
    /// Only results that begin like this: `accepted`, `refused`.
    result: Option<String>,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", params(Which), responses((status = 200, body = Vec<AuditLine>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Listed<AuditLine>> {
    caller.at_least(Role::Operator)?;
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let Which { limit, after, before, actor, verb, target, result } = which;
    let text = Option::unwrap_or_default;
    let filter =
        AuditFilter { actor: text(actor), verb: text(verb), target: text(target), result: text(result) };
    let limit = limit.unwrap_or(100).clamp(1, list::MOST);
    let rows = reader.audit(&filter, after.or(before).map(Seq), limit + 1).await.map_err(&failed)?;
    let rows = rows.into_iter().map(line).collect();
    Ok(Listed::of(reader.as_of(), rows, limit, |row: &AuditLine| row.seq.to_string()))
}
