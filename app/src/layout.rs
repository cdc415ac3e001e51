//! The frame around every page: top bar, notes about the page itself, main, foot.
//!
//! The board comes first in the body, so that the first island finds it. The frame knows no page.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{ViewState, live::Board};

use crate::{
    api::{Chrome, Page, Viewer},
    islands,
    live::{BOARD, Live},
    shell::{AssetNames, Theme, json_script},
    ui::{
        banner::{Level, banner},
        form::hidden,
        text::{clamp, visible},
    },
};

/// How close things are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Density {
    /// Rows of 40 pixels.
    #[default]
    Comfortable,
    /// Rows of 28 pixels.
    Compact,
}

impl Density {
    /// The wire form: the cookie, and the value of `data-density`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Comfortable => "comfortable",
            Self::Compact => "compact",
        }
    }
}

/// What differs between two responses with the same page: the reader's looks and this response's keys.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The nonce of this response's policy.
    pub nonce: &'a str,
    /// The files that the page loads.
    pub assets: &'a AssetNames,
    /// Colours, from the cookie.
    pub theme: Theme,
    /// Density, from the cookie.
    pub density: Density,
    /// Proves that a form came from a page of ours.
    pub form_token: &'a str,
    /// Makes the confirm form of this page work once.
    pub idempotency_key: &'a str,
    /// Path and query of the request: where settings and sign-in return to.
    pub path: &'a str,
}

/// The keys that writing forms of a page carry. Empty for readers who may not write.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Proves that the form came from a page of ours.
    pub token: String,
    /// Makes the confirm form work once.
    pub idempotency: String,
}

/// What the frame says about the page itself, whoever reads it.
#[derive(Debug, Clone, Default)]
pub struct Around {
    chrome: Chrome,
    unknown_keys: Vec<String>,
    at: Option<String>,
    /// The query of the same page without its instant.
    now: ViewState,
}

impl Around {
    /// What there is to say about a page.
    #[must_use]
    pub fn of<T>(page: &Page<T>, state: &ViewState) -> Self {
        Self {
            chrome: page.chrome,
            unknown_keys: page.unknown_keys.clone(),
            at: state.at.map(|at| at.to_string()),
            now: ViewState { at: None, ..state.clone() },
        }
    }
}

/// What the frame shows, apart from the page itself.
#[derive(Debug, Clone)]
pub struct Frame {
    viewer: Option<Viewer>,
    around: Around,
    back_to_now: String,
    density: Density,
    theme: Theme,
    token: String,
    path: String,
}

impl Frame {
    /// The frame of a page.
    #[must_use]
    pub fn of(around: &Around, viewer: &Viewer, look: &Look<'_>) -> Self {
        let path = look.path.split('?').next().unwrap_or("/");
        Self {
            viewer: Some(viewer.clone()),
            back_to_now: around.now.link(path),
            around: around.clone(),
            ..Self::bare(look)
        }
    }

    /// A frame without a page: errors and signing in.
    #[must_use]
    pub fn bare(look: &Look<'_>) -> Self {
        Self {
            viewer: None,
            around: Around::default(),
            back_to_now: "/".to_owned(),
            density: look.density,
            theme: look.theme,
            token: look.form_token.to_owned(),
            path: look.path.to_owned(),
        }
    }
}

/// The body of a document.
pub fn frame(frame: Frame, board: Board, main: impl FnOnce() -> AnyView) -> AnyView {
    let script = json_script(BOARD, &board);
    frame_with(frame, board, script, main)
}

/// The same with a script of its own; `board` is what the islands of the frame itself read.
pub fn frame_with(frame: Frame, board: Board, script: AnyView, main: impl FnOnce() -> AnyView) -> AnyView {
    let at = frame.around.at.clone();
    let (as_of, bar) = (at.clone(), at.map(|at| as_of_bar(at, frame.back_to_now.clone())));
    provide_context(Live::new(board));
    let main = main();
    view! {
        {script}
        <div class="page" data-density=frame.density.as_str() data-as-of=as_of>
            <a class="skip" href="#main">"Skip to content"</a>
            {top(&frame)}
            {bar}
            {unknown(&frame.around.unknown_keys)}
            <main id="main" tabindex="-1">{main}</main>
            {foot(&frame)}
        </div>
    }
    .erased()
}

fn top(frame: &Frame) -> AnyView {
    let count = |n: u32| (n > 0).then(|| view! { <span class="count">{n}</span> });
    let here = frame.path.split('?').next().unwrap_or("/").to_owned();
    let current = |path: &str| (here == path).then_some("page");
    let silent = (frame.around.chrome.silent_sources > 0).then(|| {
        let n = frame.around.chrome.silent_sources;
        let words = if n == 1 { "1 source silent".to_owned() } else { format!("{n} sources silent") };
        view! { <a class="silent" href="/#sources">"! "{words}</a> }
    });
    let name = frame.viewer.as_ref().filter(|viewer| viewer.signed_in).map(|viewer| {
        view! {
            <span class="who">
                <bdi>{visible(&clamp(&viewer.name, 40))}</bdi>
                " "
                <small>{viewer.role.as_str()}</small>
            </span>
        }
    });
    // Errors have no viewer; a form token is only given to somebody who signed in.
    let signed_in = match &frame.viewer {
        Some(viewer) => viewer.signed_in,
        None => !frame.token.is_empty(),
    };
    let who = if signed_in {
        view! {
            <form method="post" action="/sign-out" class="inline">
                {hidden("form_token", frame.token.clone())}
                {name}
                <button type="submit" class="button quiet">"Sign out"</button>
            </form>
        }
        .erased()
    } else {
        view! { <a class="button quiet" href="/sign-in">"Sign in"</a> }.erased()
    };
    view! {
        <header class="top">
            <a class="brand" href="/"><span aria-hidden="true">"◆ "</span>"Vantage"</a>
            <nav aria-label="Main">
                <a href="/" aria-current=current("/")>"Overview"</a>
                <a href="/events" aria-current=current("/events")>"Events"</a>
                <a href="/waits" aria-current=current("/waits")>"Waits"{count(frame.around.chrome.open_waits)}</a>
                <a href="/receipts" aria-current=current("/receipts")>"Receipts"{count(frame.around.chrome.open_receipts)}</a>
                {silent}
            </nav>
            <div class="top-aside">
                <islands::LiveStatus/>
                {who}
            </div>
        </header>
    }
    .erased()
}

fn as_of_bar(at: String, now: String) -> AnyView {
    view! {
        <aside class="as-of-bar" aria-label="Time travel">
            <strong>"As of "<time datetime=at.clone()>{at.clone()}</time></strong>
            <span>"Every relative time on this page is relative to this moment. Actions are off."</span>
            <a class="button" href=now>"Return to now to act"</a>
        </aside>
    }
    .erased()
}

fn unknown(keys: &[String]) -> Option<AnyView> {
    if keys.is_empty() {
        return None;
    }
    let n = keys.len();
    let filters = if n == 1 {
        "1 filter in this link was".to_owned()
    } else {
        format!("{n} filters in this link were")
    };
    let keys = keys.iter().map(|key| visible(&clamp(key, 80))).collect::<Vec<_>>().join(", ");
    let content = view! { {filters}" not understood: "<code><bdi>{keys}</bdi></code> };
    Some(
        view! { <aside class="note-bar" aria-label="About this link">{banner(Level::Note, content)}</aside> }
            .erased(),
    )
}

fn foot(frame: &Frame) -> AnyView {
    let theme = match frame.theme {
        Theme::System => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let density = frame.density.as_str();
    let options = |all: &'static [&'static str], chosen: &'static str| {
        all.iter()
            .map(|value| view! { <option value=*value selected=*value == chosen>{*value}</option> })
            .collect::<Vec<_>>()
    };
    view! {
        <footer class="foot">
            <form method="post" action="/settings" class="inline">
                {hidden("form_token", frame.token.clone())}
                {hidden("return_to", frame.path.clone())}
                <label>"Theme "<select name="theme">{options(&["system", "light", "dark"], theme)}</select></label>
                <label>"Density "<select name="density">{options(&["comfortable", "compact"], density)}</select></label>
                <button type="submit" class="button quiet">"Save"</button>
            </form>
            <noscript>
                "Live updates need JavaScript. Everything else works without it; load the page again to see what is new."
            </noscript>
        </footer>
    }
    .erased()
}

/// One step of the path to a page.
pub struct Crumb {
    /// Its words.
    pub name: String,
    /// Where it leads; `None` for the page itself.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that leads somewhere.
    #[must_use]
    pub fn to(name: impl Into<String>, href: impl Into<String>) -> Self {
        Self { name: name.into(), href: Some(href.into()) }
    }

    /// The page itself.
    #[must_use]
    pub fn here(name: impl Into<String>) -> Self {
        Self { name: name.into(), href: None }
    }
}

/// Where we are, the sentence, and what can be done, in the same place on every page.
pub fn head(crumbs: Vec<Crumb>, sentence: impl IntoView, actions: impl IntoView) -> impl IntoView {
    let crumbs: Vec<_> = crumbs
        .into_iter()
        .map(|crumb| {
            let name = visible(&clamp(&crumb.name, 60));
            match crumb.href {
                Some(href) => view! { <li><a href=href><bdi>{name}</bdi></a></li> }.erased(),
                None => view! { <li aria-current="page"><bdi>{name}</bdi></li> }.erased(),
            }
        })
        .collect();
    view! {
        <div class="head">
            <div class="head-row">
                <nav class="crumbs" aria-label="Breadcrumb"><ol>{crumbs}</ol></nav>
                <div class="actions">{actions}</div>
            </div>
            {sentence}
        </div>
    }
}
