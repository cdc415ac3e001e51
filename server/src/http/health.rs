//! Whether the server lives, and whether it can do its work. Needs no sign-in and tells nothing else.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::state::AppState;

/// `/healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `/readyz`: the store answers and every reconciler has completed a pass.
pub(super) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let store = state.store.ping().await.is_ok();
    let waiting: Vec<&str> = state
        .tasks
        .iter()
        .map(|task| task.borrow())
        .filter(|task| task.passes == 0)
        .map(|task| task.name)
        .collect();
    let ready = store && waiting.is_empty();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "ready": ready, "store": store, "waiting_for": waiting })))
}
