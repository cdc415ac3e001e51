//! `/metrics`, for whoever may read: nothing is readable without signing in, so Prometheus gets a viewer's token.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::session::Caller;
use crate::{metrics::Page, state::AppState};

/// `GET /metrics`
pub(super) async fn show(State(state): State<AppState>, _: Caller) -> Response {
    let mut page = Page::default();
    state.metrics.write(&mut page);
    page.family("vantage_sockets_open", "gauge", "Live pages that are connected.");
    page.value(&[], state.sockets.count());
    page.family("vantage_journal_head", "gauge", "The newest row of the journal.");
    page.value(&[], state.store.head().0);
    let (reads, commits) = state.store.timings();
    page.family(
        "vantage_store_seconds",
        "histogram",
        "How long a read waits for its snapshot, and a write takes.",
    );
    page.timed(&[("of", "read")], &reads);
    page.timed(&[("of", "write")], &commits);
    let tasks: Vec<_> = state.tasks.iter().map(|task| task.borrow().clone()).collect();
    page.family("vantage_reconciler_passes_total", "counter", "Passes that were completed.");
    for task in &tasks {
        page.value(&[("reconciler", task.name)], task.passes);
    }
    page.family("vantage_reconciler_last_pass_seconds", "gauge", "How long the last pass took.");
    for task in &tasks {
        page.value(
            &[("reconciler", task.name)],
            format!("{}.{:03}", task.elapsed_ms / 1000, task.elapsed_ms % 1000),
        );
    }
    page.family("vantage_reconciler_last_pass_errors", "gauge", "What went wrong in the last pass.");
    for task in &tasks {
        let errors = task.details.get("errors").and_then(|errors| errors.as_array()).map_or(0, Vec::len);
        page.value(&[("reconciler", task.name)], errors);
    }
    let mut response = page.into_text().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
