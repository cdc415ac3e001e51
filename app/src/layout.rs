//! The frame around every page: top bar, notes about the page itself, main, foot.
//!
//! The board comes first in the body, so that the first island finds it. The frame knows no page.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{ViewState, live::Board, view_state::When};

use crate::{
    api::{Chrome, Page, Viewer},
    islands,
    live::{BOARD, Live},
    looks::{self, Looks},
    pages::{Screen, Subject},
    shell::{AssetNames, json_script},
    ui::{
        banner::{Level, banner},
        form::hidden,
        text::{clamp, visible},
    },
};

/// What differs between two responses with the same page: the reader's looks and this response's keys.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The nonce of this response's policy.
    pub nonce: &'a str,
    /// The files that the page loads.
    pub assets: &'a AssetNames,
    /// What the reader chose, from cookies.
    pub looks: Looks,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    chrome: Chrome,
    unknown_keys: Vec<String>,
    at: Option<String>,
    /// The query of the same page without its instant.
    now: ViewState,
    /// The same query with fixed times, where it has others.
    exact: Option<ViewState>,
    subject: Subject,
}

impl Around {
    /// What there is to say about a page.
    #[must_use]
    pub fn of<T: Screen>(page: &Page<T>, state: &ViewState) -> Self {
        let fixed = |when: Option<When>| when.map(|when| When::At(when.resolve(page.now)));
        let exact = ViewState { from: fixed(state.from), to: fixed(state.to), ..state.clone() };
        Self {
            chrome: page.chrome,
            unknown_keys: page.unknown_keys.clone(),
            at: state.at.map(|at| at.to_string()),
            now: ViewState { at: None, ..state.clone() },
            exact: Some(exact).filter(|exact| exact != state),
            subject: page.data.subject(),
        }
    }
}

/// What the frame shows, apart from the page itself.
#[derive(Debug, Clone)]
pub struct Frame {
    viewer: Option<Viewer>,
    around: Around,
    back_to_now: String,
    looks: Looks,
    token: String,
    path: String,
    exact: Option<String>,
}

impl Frame {
    /// The frame of a page.
    #[must_use]
    pub fn of(around: &Around, viewer: &Viewer, look: &Look<'_>) -> Self {
        let path = look.path.split('?').next().unwrap_or("/");
        Self {
            viewer: Some(viewer.clone()),
            back_to_now: around.now.link(path),
            exact: around.exact.as_ref().map(|exact| exact.link(path)),
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
            looks: look.looks,
            token: look.form_token.to_owned(),
            path: look.path.to_owned(),
            exact: None,
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
    let (subject, exact) = (frame.around.subject.clone(), frame.exact.clone());
    provide_context(Live::new(board));
    let main = main();
    view! {
        {script}
        <div class="page" data-density=frame.looks.get(&looks::DENSITY) data-as-of=as_of>
            <a class="skip" href="#main">"Skip to content"</a>
            {top(&frame)}
            {bar}
            {unknown(&frame.around.unknown_keys)}
            <main id="main" tabindex="-1" data-id=subject.id data-cli=subject.cli data-exact=exact>{main}</main>
            {foot()}
            {palette()}
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
        view! { <span class="count alarm">"!"{n}<span class="sr">" silent"</span></span> }
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
                <a href="/sources" aria-current=current("/sources")>"Sources"{silent}</a>
            </nav>
            <form method="get" action="/search" role="search" class="find">
                <input type="search" name="q" aria-label="Search" placeholder="search  Ctrl K" maxlength="200"/>
            </form>
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

fn foot() -> AnyView {
    view! {
        <footer class="foot">
            <nav aria-label="More" class="row">
                <a href="/audit">"Audit"</a>
                <a href="/doctor">"Doctor"</a>
                <a href="/settings">"Settings"</a>
                <a href="/help/keys">"Keys"</a>
                <a href="/codes">"Error codes"</a>
            </nav>
            <noscript>
                "Live updates need JavaScript. Everything else works without it; load the page again to see what is new."
            </noscript>
        </footer>
    }
    .erased()
}

/// The search over the page, closed, and the place where the first of two keys waits. Script opens both.
fn palette() -> AnyView {
    view! {
        <dialog class="palette" id="palette" popover="auto" aria-modal="true" aria-label="Search">
            <form method="get" action="/search">
                <input
                    type="search" name="q" maxlength="200" autocomplete="off" placeholder="id, trace id, error code, name, page"
                    role="combobox" aria-label="Search" aria-expanded="false" aria-controls="palette-list" aria-autocomplete="list"
                />
            </form>
            <ul id="palette-list" role="listbox" aria-label="Found"></ul>
            <p id="palette-note" class="muted" role="status"></p>
        </dialog>
        <div id="pending-key" class="pill" hidden></div>
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
