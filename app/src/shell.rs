//! The HTML document around every page, and the one way to render it.
//!
//! Pages are plain views. An axum handler loads what the page shows, then calls [`render`] with the
//! page's view; the result is a whole document. There is no router, no streaming, no resource
//! and no executor: data is loaded before rendering starts, so rendering is a pure and
//! synchronous function of its arguments.
//!
//! ```
//! use app::{looks::Looks, shell::{AssetNames, Document, render}};
//! use leptos::prelude::*;
//!
//! let assets = AssetNames::default();
//! let document = Document { title: "checkout · prod".into(), looks: Looks::default(), nonce: "n", assets: &assets };
//! let html = render(&document, || view! { <main><h1>"checkout is healthy"</h1></main> });
//! assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\""));
//! ```
//!
//! How islands wake up: `#[island]` writes `<leptos-island data-component data-props>`; the one
//! script of the page is the module that wasm-bindgen wrote with `frontend/boot.js` behind it,
//! which walks these elements and calls the export named by each. Leptos' own
//! `HydrationScripts` is not used: its preload links carry no nonce, and its loader stops at the
//! first island that fails.
//!
//! What this module refuses to do: it never writes text into `<script>`, `<style>`, `<textarea>`
//! or `<noscript>` through `view!` (Leptos does not escape there), and it never uses
//! `leptos_meta`, whose `<Title>` is not escaped either. Data for islands goes through
//! [`json_script`].

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::{prelude::*, tachys::view::Position};
use serde::{Deserialize, Serialize};

use crate::{
    looks::{self, Looks},
    ui::erase::Erase as _,
};

/// File names of the browser half, as `manifest.json` of the built site spells them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetNames {
    /// The JavaScript module that loads everything else.
    pub js: String,
    /// The WebAssembly module.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// Changes whenever one of the files does.
    pub build_id: String,
}

impl Default for AssetNames {
    /// A server without its browser half: no files, and a build that says so.
    fn default() -> Self {
        Self { js: String::new(), wasm: String::new(), css: String::new(), build_id: "unbuilt".to_owned() }
    }
}

/// What differs between documents, apart from the page itself.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Text of the title; escaped here.
    pub title: String,
    /// What the reader chose.
    pub looks: Looks,
    /// The nonce of this response's `Content-Security-Policy`.
    pub nonce: &'a str,
    /// The files that the page loads.
    pub assets: &'a AssetNames,
}

/// Prefetches the link under the pointer. Shared links and sign-in links are used up or logged by
/// a visit, so they are never fetched ahead.
const SPECULATION: &str = r#"{"prefetch":[{"where":{"and":[{"href_matches":"/*"},{"not":{"href_matches":["/s/*","/sign-in*","/sign-out*","/api/*","/assets/*"]}},{"not":{"selector_matches":"[download],[rel~=nofollow]"}}]},"eagerness":"moderate"}]}"#;

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%231c4fd6'/%3E%3Cpath d='M4 4.5 8 12l4-7.5' fill='none' stroke='%23fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/// Renders a whole document: the shell with `page` as its body.
///
/// The view is made and dropped inside of a reactive root of its own, so nothing of one response
/// is left over for the next.
pub fn render<V: IntoView + 'static>(document: &Document<'_>, page: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| shell(document, page().erased()).to_html());
    owner.unset_with_forced_cleanup();
    html
}

/// Room for most parts: one that grows is copied again and again.
const PART: usize = 48 * 1024;

/// Renders a part of a page, for tests and for parts that are cached across responses.
pub fn render_part<V: IntoView + 'static>(part: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| {
        let mut html = String::with_capacity(PART);
        part().into_view().to_html_with_buf(&mut html, &mut Position::FirstChild, true, false, vec![]);
        html
    });
    owner.unset_with_forced_cleanup();
    html
}

/// Data for islands as the text of `<script type="application/json">`.
///
/// Every `<` is written as an escape of JSON, so no value can end the element.
///
/// # Panics
/// If `value` cannot be written as JSON (a map with keys that are not text).
pub fn json_script<T: Serialize>(id: &'static str, value: &T) -> AnyView {
    let text = json_text(value);
    view! { <script type="application/json" id=id>{text}</script> }.erased()
}

/// The same as HTML: what is large is not copied through a view.
///
/// # Panics
/// If `value` cannot be written as JSON.
pub(crate) fn json_script_html<T: Serialize>(id: &'static str, value: &T) -> String {
    let text = json_text(value);
    format!("<script type=\"application/json\" id=\"{id}\">{text}</script>")
}

fn json_text<T: Serialize>(value: &T) -> String {
    let mut text = Vec::with_capacity(PART);
    serde_json::to_writer(&mut text, value).expect("data for islands is plain JSON");
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    if text.contains('<') { text.replace('<', "\\u003c") } else { text }
}

fn shell(document: &Document<'_>, page: AnyView) -> AnyView {
    let (nonce, looks) = (document.nonce.to_owned(), document.looks);
    let asset = |name: &str| format!("/assets/{name}");
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-theme=looks.attribute(&looks::THEME)
            data-times=looks.attribute(&looks::TIMES)
            data-keys=looks.attribute(&looks::SHORTCUTS)
            data-motion=looks.attribute(&looks::MOTION)
            data-build=document.assets.build_id.clone()
        >
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{document.title.clone()}</title>
                <link rel="icon" href=ICON/>
                <link rel="stylesheet" href=asset(&document.assets.css)/>
                <link rel="preload" href=asset(&document.assets.wasm) r#as="fetch" type="application/wasm" crossorigin="anonymous"/>
                <script type="module" nonce=nonce.clone() src=asset(&document.assets.js)></script>
                <script type="speculationrules" nonce=nonce>{SPECULATION}</script>
            </head>
            <body>{page}</body>
        </html>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</title></script><script>alert(1)</script>";

    fn document(assets: &AssetNames) -> Document<'_> {
        let looks = Looks::read(|name| (name == "vt_theme").then(|| "dark".to_owned()));
        Document { title: HOSTILE.into(), looks, nonce: "abc", assets }
    }

    #[test]
    fn hostile_titles_and_texts_are_escaped() {
        let assets = AssetNames::default();
        let html = render(&document(&assets), || view! { <p title=HOSTILE>{HOSTILE}</p> });
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("<title>&lt;/title&gt;"), "{html}");
    }

    #[test]
    fn data_for_islands_is_the_same_as_a_view_and_as_html() {
        let html = json_script_html("page-data", &[HOSTILE]);
        assert_eq!(html, render_part(|| json_script("page-data", &[HOSTILE])));
    }

    #[test]
    fn data_for_islands_cannot_end_its_element() {
        let html = render_part(|| json_script("page-data", &[HOSTILE]));
        assert_eq!(html.matches("</script>").count(), 1, "{html}");
        assert!(html.contains("\\u003cscript>alert"), "{html}");
    }

    #[test]
    fn every_script_carries_the_nonce() {
        let assets = AssetNames { js: "v.js".into(), ..AssetNames::default() };
        let html = render(&document(&assets), || view! { <main></main> });
        assert_eq!(html.matches("<script").count(), html.matches("nonce=\"abc\"").count(), "{html}");
        assert!(html.contains("src=\"/assets/v.js\""), "{html}");
        assert!(html.contains("data-theme=\"dark\""), "{html}");
    }

    #[test]
    fn an_island_carries_its_props_and_its_name() {
        let html = render_part(|| {
            view! { <crate::islands::Probe start=3 fault=crate::islands::ProbeFault::None/> }
        });
        assert!(html.starts_with("<leptos-island data-component=\"Probe_"), "{html}");
        assert!(html.contains("data-props=\"{&quot;start&quot;:3"), "{html}");
    }
}
