//! The only place that knows of paths, headers and status codes.

mod actions;
mod api_v1;
pub mod assets;
mod audit;
pub mod csp;
pub mod error;
pub mod guard;
mod health;
pub mod live;
pub mod page;
mod pages;
#[cfg(debug_assertions)]
mod probe;
pub mod session;

pub use api_v1::observations::Reports;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::state::AppState;

/// The largest body of anything but a pinned file.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Every route of the server.
pub fn router(state: AppState) -> Router {
    let (api, openapi) = api_v1::router();
    let openapi = Arc::new(openapi);
    let pages = Router::new()
        .route("/", get(pages::overview))
        .route("/a/{app}/{env}", get(pages::env))
        .route("/a/{app}/{env}/releases", get(pages::releases))
        .route("/o/{kind}/{id}", get(pages::object))
        .route("/events", get(pages::events))
        .route("/receipts", get(pages::receipts))
        .route("/receipts/{id}", get(pages::receipt))
        .route("/receipts/{id}/check", post(actions::check))
        .route("/waits", get(pages::waits))
        .route("/waits/{id}", get(pages::wait))
        .route("/waits/{id}/stop", post(actions::stop_wait))
        .route("/waits/{id}/extend", post(actions::extend_wait))
        .route("/actions/{verb}/plan", get(pages::plan))
        .route("/actions/{verb}", post(actions::submit))
        .route("/sign-in", get(actions::sign_in_page).post(actions::sign_in))
        .route("/sign-out", post(actions::sign_out))
        .route("/sources", get(pages::sources))
        .route("/sources/{id}", get(pages::source))
        .route("/audit", get(audit::page))
        .route("/audit.csv", get(audit::csv))
        .route("/audit.json", get(audit::json))
        .route("/search", get(pages::search))
        .route("/codes", get(pages::codes))
        .route("/help/keys", get(pages::keys))
        .route("/doctor", get(pages::doctor))
        .route("/settings", get(pages::settings).post(actions::settings));
    let machinery = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/live", get(live::upgrade))
        .route("/api/v1/openapi.json", get(async move |_: session::Caller| Json((*openapi).clone())))
        .route("/api/v1/schemas/vantage.yaml.json", get(async || Json(local::manifest::json_schema())))
        .route("/assets/{name}", get(assets::serve).with_state(Arc::clone(&state.site)));
    #[cfg(debug_assertions)]
    let machinery = machinery.route("/probe", get(probe::show).with_state(Arc::clone(&state.site)));
    pages
        .merge(machinery)
        .merge(api)
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(from_fn(csp::security_headers))
        .with_state(state)
}
