//! From a view to a response: the document, its nonce and its policy belong together.
//!
//! Chooses no page and loads no data; handlers do that before they come here.

use app::{
    looks::Looks,
    shell::{Document, render},
};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use leptos::IntoView;

use super::assets::Site;
use super::csp::Nonce;

/// Renders `view` as a whole page. The status is 200; set another one on the response.
pub fn page<V: IntoView + 'static>(site: &Site, title: String, view: impl FnOnce() -> V) -> Response {
    let nonce = Nonce::new();
    let assets = site.names();
    let html =
        render(&Document { title, looks: Looks::default(), nonce: nonce.as_str(), assets: &assets }, view);
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, nonce.policy());
    // Pages show live state and carry form tokens; `no-cache` still allows prefetching and
    // the back-forward cache, `no-store` would not.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
