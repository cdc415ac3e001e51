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
mod metrics;
pub mod page;
mod pages;
#[cfg(debug_assertions)]
mod probe;
mod routes;
pub mod session;

pub use api_v1::observations::Reports;
pub use routes::Route;

use routes::Routes;

use std::sync::LazyLock;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
};

use crate::state::AppState;

/// The largest body of anything but a pinned file.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Every route of the server.
pub fn router(state: AppState) -> Router {
    let (routes, _) = register().done();
    routes
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(state.clone(), api_v1::reads::common))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(from_fn(csp::security_headers))
        .with_state(state)
}

/// What can be asked for, sorted by path.
#[must_use]
pub fn routes() -> Vec<Route> {
    register().done().1
}

/// What describes the API, made once.
pub(crate) fn document() -> &'static serde_json::Value {
    static DOCUMENT: LazyLock<serde_json::Value> = LazyLock::new(|| api_v1::published(&api_v1::router().1));
    &DOCUMENT
}

fn register() -> Routes {
    let (api, openapi) = api_v1::router();
    let routes = Routes::default().documented((api, &openapi));
    let routes = routes
        .get("/", pages::overview)
        .get("/a/{app}/{env}", pages::env)
        .get("/a/{app}/{env}/releases", pages::releases)
        .get("/o/{kind}/{id}", pages::object)
        .get("/events", pages::events)
        .get("/receipts", pages::receipts)
        .get("/receipts/{id}", pages::receipt)
        .post("/receipts/{id}/check", actions::check)
        .get("/waits", pages::waits)
        .get("/waits/{id}", pages::wait)
        .post("/waits/{id}/stop", actions::stop_wait)
        .post("/waits/{id}/extend", actions::extend_wait)
        .get("/actions/{verb}/plan", pages::plan)
        .post("/actions/{verb}", actions::submit)
        .get("/sign-in", actions::sign_in_page)
        .post("/sign-in", actions::sign_in)
        .post("/sign-out", actions::sign_out)
        .get("/sources", pages::sources)
        .get("/sources/{id}", pages::source)
        .get("/audit", audit::page)
        .get("/audit.csv", audit::csv)
        .get("/audit.json", audit::json)
        .get("/search", pages::search)
        .get("/codes", pages::codes)
        .get("/api", pages::reference)
        .get("/help/keys", pages::keys)
        .get("/doctor", pages::doctor)
        .get("/settings", pages::settings)
        .post("/settings", actions::settings)
        .get("/healthz", health::alive)
        .get("/readyz", health::ready)
        .get("/metrics", metrics::show)
        .get("/live", live::upgrade)
        .get("/api/v1/openapi.json", async |_: session::Caller| Json(document()))
        .get("/api/v1/schemas/vantage.yaml.json", async || Json(local::manifest::json_schema()))
        .get("/assets/{name}", assets::serve);
    #[cfg(debug_assertions)]
    let routes = routes.get("/probe", probe::show);
    routes
}
