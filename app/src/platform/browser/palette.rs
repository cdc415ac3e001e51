//! The command palette: a combobox over a list, in one dialog, after the pattern of the ARIA practices.
//!
//! It finds and opens; it never acts. Actions among its items lead to their plan. Without script, the same form
//! leads to `/search`.
//!
//! It is a popover and not a modal window of the browser: that one makes everything behind it inert, for which the
//! browser computes the style of the whole page anew, at opening and at closing. Its one field keeps the focus.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

use super::{after_ms, dom, keys};

/// Pages that were open last, the newest first: a title and a path a line.
const RECENT: &str = "vt-recent";
/// How many of them are kept.
const MAX_RECENT: usize = 8;
/// Typing faster than this asks once.
const PAUSE_MS: u64 = 120;

#[derive(Clone)]
struct Item {
    group: String,
    title: String,
    detail: String,
    /// Empty for the one item that copies.
    href: String,
}

/// How the question stands.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// The server was asked.
    Awaited,
    /// What is listed is all that there is.
    Whole,
    /// The server gave no answer: nothing is known about what is not listed.
    Lost,
}

thread_local! {
    static ITEMS: RefCell<Vec<Item>> = const { RefCell::new(Vec::new()) };
    static CHOSEN: Cell<usize> = const { Cell::new(0) };
    /// Which question is the newest; older answers come too late.
    static TURN: Cell<u32> = const { Cell::new(0) };
    static ANSWER: Cell<Answer> = const { Cell::new(Answer::Whole) };
    /// Enter was pressed before the answer came.
    static GO: Cell<bool> = const { Cell::new(false) };
}

fn palette() -> Option<HtmlElement> {
    dom::first("#palette")
}

/// Whether it is open.
pub(super) fn is_open() -> bool {
    dom::first("#palette:popover-open").is_some()
}

fn field() -> Option<HtmlInputElement> {
    dom::first("#palette input")?.dyn_into().ok()
}

/// Listens from now on, and notes that this page was open.
pub(super) fn install() {
    note_page();
    if palette().is_none() {
        return;
    }
    let typed = window_event_listener(leptos::ev::input, |event| {
        if dom::around(&event, "#palette").is_some() {
            ask();
        }
    });
    let pressed = window_event_listener(leptos::ev::keydown, |event| {
        if dom::around(&event, "#palette").is_some() {
            key(&event);
        }
    });
    let clicked = window_event_listener(leptos::ev::click, |event| {
        if let Some(option) = dom::around(&event, "#palette [role=option]") {
            let nth = option.id().strip_prefix("option-").and_then(|nth| nth.parse().ok());
            CHOSEN.set(nth.unwrap_or(0));
            take();
        }
    });
    std::mem::forget((typed, pressed, clicked));
}

/// Opens it with what was open last.
pub(super) fn open() {
    let (Some(palette), Some(field)) = (palette(), field()) else { return };
    if is_open() {
        return;
    }
    field.set_value("");
    // A browser that has no popovers gets the page that is for those without script.
    if palette.show_popover().is_err() {
        dom::go("/search");
        return;
    }
    let _ = field.focus();
    ask();
}

fn note_page() {
    let Some(location) = web_sys::window().map(|window| window.location()) else { return };
    let path = location.pathname().unwrap_or_default();
    if !["/a/", "/o/", "/receipts/", "/waits/", "/sources/"].iter().any(|start| path.starts_with(start)) {
        return;
    }
    let title = dom::document().map(|document| document.title()).unwrap_or_default();
    let title = title.strip_suffix(" · Vantage").unwrap_or(&title).replace(['\t', '\n'], " ");
    let old = dom::kept(true, RECENT);
    let mut lines = vec![[title.as_str(), "\t", &path].concat()];
    lines.extend(
        old.lines().filter(|line| line.rsplit('\t').next() != Some(path.as_str())).map(ToOwned::to_owned),
    );
    lines.truncate(MAX_RECENT);
    dom::keep(true, RECENT, &lines.join("\n"));
}

/// What this page offers by itself: what was open last, its actions, its command, other pages.
fn own(q: &str) -> Vec<Item> {
    let item = |group: &str, title: &str, detail: &str, href: &str| Item {
        group: group.to_owned(),
        title: title.trim().to_owned(),
        detail: detail.to_owned(),
        href: href.to_owned(),
    };
    let mut items = Vec::new();
    if q.is_empty() {
        for line in dom::kept(true, RECENT).lines() {
            if let Some((title, path)) = line.split_once('\t').filter(|(_, path)| path.starts_with('/')) {
                items.push(item("Recent", title, path, path));
            }
        }
    }
    for (group, detail, links) in
        [("Actions", "opens the plan", ".action a[href]"), ("Pages", "", ".top nav a, .foot a")]
    {
        // The server finds pages by itself.
        if group == "Pages" && !q.is_empty() {
            continue;
        }
        for link in dom::all(links) {
            if let Some(href) = dom::href(&link) {
                items.push(item(group, &link.text_content().unwrap_or_default(), detail, &href));
            }
        }
    }
    if let Some(cli) = dom::first("main").and_then(|main| main.get_attribute("data-cli")) {
        items.push(item("Actions", "Copy the command for this page", &cli, ""));
    }
    let q = q.to_lowercase();
    items.retain(|item| q.is_empty() || item.title.to_lowercase().contains(&q));
    items
}

fn ask() {
    let Some(q) = field().map(|field| field.value().trim().to_owned()) else { return };
    let turn = TURN.get().wrapping_add(1);
    TURN.set(turn);
    GO.set(false);
    ANSWER.set(if q.is_empty() { Answer::Whole } else { Answer::Awaited });
    show(own(&q));
    if q.is_empty() {
        return;
    }
    after_ms(PAUSE_MS, move || {
        if TURN.get() == turn {
            wasm_bindgen_futures::spawn_local(async move {
                let found = answer(&q).await;
                if TURN.get() != turn {
                    return;
                }
                ANSWER.set(if found.is_some() { Answer::Whole } else { Answer::Lost });
                let mut items = found.unwrap_or_default();
                items.extend(own(&q));
                show(items);
                if GO.replace(false) {
                    take();
                }
            });
        }
    });
}

async fn answer(q: &str) -> Option<Vec<Item>> {
    let q = String::from(js_sys::encode_uri_component(q));
    let window = web_sys::window()?;
    let asked = window.fetch_with_str(&["/api/v1/search?q=", &q].concat());
    let response: web_sys::Response =
        wasm_bindgen_futures::JsFuture::from(asked).await.ok()?.dyn_into().ok()?;
    let found = wasm_bindgen_futures::JsFuture::from(response.json().ok()?).await.ok()?;
    let hits: js_sys::Array = member(&found, "hits")?.dyn_into().ok()?;
    let item = |hit: JsValue| {
        let text = |name| member(&hit, name)?.as_string();
        Some(Item {
            group: text("group")?,
            title: text("title")?,
            detail: text("detail")?,
            href: text("href")?,
        })
    };
    Some(hits.iter().filter_map(item).filter(|item| item.href.starts_with('/')).collect())
}

fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(of, &JsValue::from_str(name)).ok()
}

/// Draws the list. Every text goes in as text.
fn show(items: Vec<Item>) {
    let Some(list) = dom::first("#palette-list") else { return };
    list.set_text_content(None);
    for (n, item) in items.iter().enumerate() {
        let Some(option) = option(n, item) else { continue };
        let _ = list.append_child(&option);
    }
    let words = match (ANSWER.get(), items.len()) {
        (Answer::Lost, _) => "The server does not answer. What you look for may be there.",
        (Answer::Whole, 0) => "Nothing has this name or id that you may see.",
        (Answer::Awaited, 0) => "Searching…",
        _ => "",
    };
    if let Some(note) = dom::first("#palette-note") {
        note.set_text_content(Some(words));
    }
    ITEMS.set(items);
    choose(0);
}

fn option(n: usize, item: &Item) -> Option<Element> {
    let option = dom::made("li", "", "")?;
    let _ = option.set_attribute("role", "option");
    option.set_id(&["option-", &n.to_string()].concat());
    for (class, text) in [("muted", &item.group), ("", &item.title), ("muted", &item.detail)] {
        let shown = dom::made("bdi", class, &crate::ui::text::visible(text))?;
        let _ = option.append_child(&shown);
    }
    Some(option)
}

fn choose(nth: usize) {
    CHOSEN.set(nth);
    let options = dom::all("#palette-list > li");
    for (n, option) in options.iter().enumerate() {
        let _ = option.set_attribute("aria-selected", if n == nth { "true" } else { "false" });
    }
    let (Some(field), Some(chosen)) = (field(), options.get(nth)) else {
        if let Some(field) = field() {
            let _ = field.set_attribute("aria-expanded", "false");
            let _ = field.remove_attribute("aria-activedescendant");
        }
        return;
    };
    let _ = field.set_attribute("aria-expanded", "true");
    let _ = field.set_attribute("aria-activedescendant", &chosen.id());
    chosen.scroll_into_view_with_bool(false);
}

fn key(event: &KeyboardEvent) {
    let n = ITEMS.with_borrow(Vec::len);
    let chosen = CHOSEN.get();
    match event.key().as_str() {
        "ArrowDown" if n > 0 => choose((chosen + 1) % n),
        "ArrowUp" if n > 0 => choose((chosen + n - 1) % n),
        "Enter" if ANSWER.get() != Answer::Awaited => take(),
        "Enter" => GO.set(true),
        // A search field would only empty itself.
        "Escape" => close(),
        // Nothing behind it is to be reached before it is closed.
        "Tab" => {}
        _ => return,
    }
    event.prevent_default();
}

fn close() {
    if let Some(palette) = palette() {
        let _ = palette.hide_popover();
    }
}

/// Opens what is chosen; actions open their plan.
fn take() {
    let Some(item) = ITEMS.with_borrow(|items| items.get(CHOSEN.get()).cloned()) else { return };
    close();
    if item.href.is_empty() {
        keys::copy_cli();
    } else {
        dom::go(&item.href);
    }
}
