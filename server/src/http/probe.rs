//! A page that browser tests use to see that islands wake up and that broken ones are noticed.
//!
//! Debug builds only.

use std::sync::Arc;

use app::islands::{Probe, ProbeFault};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use leptos::prelude::*;

use super::assets::Site;
use super::page::page;

/// `GET /probe`, `/probe?mismatch`, `/probe?panic`
pub(super) async fn show(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let fault = match query.as_deref() {
        Some("mismatch") => ProbeFault::Mismatch,
        Some("panic") => ProbeFault::Panic,
        _ => ProbeFault::None,
    };
    page(&site, "Probe".to_owned(), move || {
        view! {
            <main>
                <h1>"Probe"</h1>
                <section id="first"><Probe start=0 fault/></section>
                <section id="second"><Probe start=10 fault=ProbeFault::None/></section>
            </main>
        }
    })
}
