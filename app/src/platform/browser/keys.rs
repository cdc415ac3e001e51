//! Obeys the list of keys. Nothing here sends anything: keys move, open, close and copy.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, KeyboardEvent};

use super::{after_ms, copy_text, dom, palette};
use crate::keys::{Does, Found, What, find};

/// What counts as a row: the link that opens it.
const ROWS: &str = ".row-name a, .event-time, main tbody th > a, .square > a, .hit";
/// The list that led to the page that is open, for its neighbours.
const LIST: &str = "vt-list";
/// How long the first of two keys waits for the second.
const WINDOW_MS: u64 = 1_000;

thread_local! {
    static BEFORE: RefCell<Option<String>> = const { RefCell::new(None) };
    static TURN: Cell<u32> = const { Cell::new(0) };
}

/// Listens from now on.
pub(super) fn install() {
    if dom::looks("data-keys").as_deref() == Some("off") {
        return;
    }
    let keys = window_event_listener(leptos::ev::keydown, pressed);
    let clicks = window_event_listener(leptos::ev::click, |event| {
        if let Some(link) = dom::around(&event, ROWS) {
            remember(&link);
        }
    });
    std::mem::forget((keys, clicks));
}

fn pressed(event: KeyboardEvent) {
    if event.default_prevented() || event.is_composing() {
        return;
    }
    let key = event.key();
    if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && key.eq_ignore_ascii_case("k") {
        if !is_covered() {
            event.prevent_default();
            palette::open();
        }
        return;
    }
    let within = "input, select, textarea, [contenteditable], dialog";
    if event.ctrl_key()
        || event.meta_key()
        || event.alt_key()
        || dom::around(&event, within).is_some()
        || is_covered()
    {
        return;
    }
    // A space presses buttons and folds; on a link it means nothing by itself.
    if key == " " && dom::around(&event, "button, summary").is_some() {
        return;
    }
    let before = BEFORE.take();
    match find(before.as_deref(), &key) {
        Found::Whole(does) => {
            pending("");
            if obey(does) {
                event.prevent_default();
            }
        }
        Found::Begin => {
            event.prevent_default();
            pending(&key);
            BEFORE.set(Some(key));
        }
        Found::Nothing => pending(""),
    }
}

/// Whether something is open over the page.
fn is_covered() -> bool {
    palette::is_open() || dom::first("dialog[open]").is_some()
}

/// Shows the first of two keys for as long as it waits.
fn pending(key: &str) {
    let turn = TURN.get().wrapping_add(1);
    TURN.set(turn);
    let Some(place) = dom::first("#pending-key") else { return };
    place.set_hidden(key.is_empty());
    place.set_text_content(Some(key));
    if !key.is_empty() {
        after_ms(WINDOW_MS, move || {
            if TURN.get() == turn {
                BEFORE.set(None);
                place.set_hidden(true);
            }
        });
    }
}

/// Whether it did anything.
fn obey(does: Does) -> bool {
    match does {
        Does::Go(path) => dom::go(path),
        Does::Open(selector) => return open(dom::first(selector)),
        Does::Press(selector) => return dom::first(selector).inspect(HtmlElement::click).is_some(),
        Does::Focus(selector) => return dom::first(selector).inspect(|field| drop(field.focus())).is_some(),
        Does::Search => palette::open(),
        Does::Row(by) => return row(by),
        Does::Peek => return peek(),
        Does::Neighbour(by) => return neighbour(by),
        Does::Leave => return leave(),
        Does::Section(nth) => return section(nth as usize),
        Does::Copy(what) => copy(what),
    }
    true
}

fn open(link: Option<HtmlElement>) -> bool {
    link.and_then(|link| dom::href(&link)).inspect(|href| dom::go(href)).is_some()
}

fn focused() -> Option<HtmlElement> {
    dom::document()?.active_element()?.dyn_into().ok()
}

fn row(by: i32) -> bool {
    let mut rows = dom::all(ROWS);
    if by < 0 {
        rows.reverse();
    }
    let here = focused().and_then(|focus| rows.iter().position(|row| row == &focus));
    // Only those on the way are asked whether they can be seen: the question makes the browser lay out a row.
    let next = rows.iter().skip(here.map_or(0, |here| here + 1)).find(|row| row.offset_parent().is_some());
    next.inspect(|row| drop(row.focus())).is_some()
}

fn peek() -> bool {
    let row = focused().and_then(|focus| focus.closest("[data-peek]").ok()?);
    if let Some(path) = row.and_then(|row| row.get_attribute("data-peek")) {
        dom::go(&path);
        return true;
    }
    // The row of an event is opened in the list itself.
    let event = focused().filter(|focus| focus.class_list().contains("event-time"));
    event.inspect(HtmlElement::click).is_some()
}

fn leave() -> bool {
    if open(dom::first(".peek a.close")) {
        return true;
    }
    focused().inspect(|focus| drop(focus.blur())).is_some()
}

/// Keeps the links of the list that this one stands in.
fn remember(link: &web_sys::Element) {
    let parts = [".row-name a", ".event-time", "main tbody th > a", ".square > a", ".hit"];
    let own = parts.into_iter().find(|part| link.matches(part).unwrap_or(false));
    let paths: Vec<_> = dom::all(own.unwrap_or(ROWS)).iter().filter_map(|row| dom::href(row)).collect();
    dom::keep(false, LIST, &paths.join("\n"));
}

fn neighbour(by: i32) -> bool {
    let Some(here) = web_sys::window().and_then(|window| window.location().pathname().ok()) else {
        return false;
    };
    let list = dom::kept(false, LIST);
    let paths: Vec<&str> = list.lines().collect();
    let at = paths.iter().position(|path| path.split(['?', '#']).next() == Some(here.as_str()));
    let next = at.and_then(|at| if by < 0 { at.checked_sub(1) } else { Some(at + 1) });
    next.and_then(|next| paths.get(next)).inspect(|path| dom::go(path)).is_some()
}

fn section(nth: usize) -> bool {
    let sections = dom::all("main section[id]");
    let Some(section) = sections.get(nth) else { return false };
    section.set_tab_index(-1);
    let _ = section.focus();
    section.scroll_into_view();
    true
}

fn copy(what: What) {
    let main = dom::first("main");
    let said = |name: &str| main.as_ref().and_then(|main| main.get_attribute(name));
    let link = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let (words, text) = match what {
        What::Id => ("id", said("data-id")),
        What::Cli => ("command", said("data-cli")),
        What::Link => ("link", Some(link)),
        What::Exact => {
            let exact = said("data-exact").and_then(|path| web_sys::Url::new_with_base(&path, &link).ok());
            ("exact link", Some(exact.map_or(link, |url| url.href())))
        }
        What::Markdown => {
            let sentence = dom::first("h1").and_then(|h1| h1.text_content()).unwrap_or_default();
            ("Markdown", Some(["**", sentence.trim(), "**\n", &link].concat()))
        }
    };
    match text {
        Some(text) => copy_text(&text, words),
        None => dom::say("there is nothing to copy here"),
    }
}

/// Copies the command of the page, for the palette.
pub(super) fn copy_cli() {
    copy(What::Cli);
}
