//! The browser's side of the door.

mod doctor;
mod dom;
mod keys;
mod palette;

use std::{cell::Cell, time::Duration};

use leptos::prelude::*;
use model::Ts;
use wasm_bindgen::JsCast as _;

use crate::ui::time::{Rel, words};

thread_local! {
    /// What has to be added to the browser's clock to get the server's, in microseconds.
    static OFFSET: Cell<Option<i64>> = const { Cell::new(None) };
    /// When somebody pressed something last, by the browser's clock.
    static PRESSED: Cell<Ts> = const { Cell::new(Ts(0)) };
}

/// The browser's own clock.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit into 53 bits")]
pub fn local_now() -> Ts {
    Ts(js_sys::Date::now() as i64 * 1000)
}

fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}

/// Reads the text of the element with this id, for data that the page carries once.
#[must_use]
pub fn text_of(id: &str) -> Option<String> {
    document()?.get_element_by_id(id)?.text_content()
}

/// The server's clock, once it is known.
#[must_use]
pub fn server_now() -> Option<Ts> {
    OFFSET.get().map(|offset| Ts(local_now().0 + offset))
}

/// Starts the clock from a time that the server told.
pub fn set_server_now(now: Ts) {
    OFFSET.set(Some(now.0 - local_now().0));
}

/// Calls `f` once, when every island of the page is awake: before that, a change of the board could make
/// the first render of a later island differ from what the server sent.
pub fn when_awake(f: impl FnOnce() + 'static) {
    let awake = document()
        .and_then(|document| document.document_element())
        .is_some_and(|root| root.has_attribute("data-awake"));
    if awake {
        f();
    } else {
        after_ms(20, move || when_awake(f));
    }
}

/// Calls `f` every second, for as long as the page lives.
pub fn every_second(f: impl Fn() + 'static) {
    // The page ends with the document, so nobody has to stop the timer.
    let _ = set_interval_with_handle(f, Duration::from_secs(1));
}

/// Calls `f` once, after so many milliseconds.
pub fn after_ms(ms: u64, f: impl FnOnce() + 'static) {
    set_timeout(f, Duration::from_millis(ms));
}

/// Rewrites the text of every relative time on the page. The text node itself stays, because an island
/// may hold on to it.
pub fn tick_times(now: Ts) {
    add_local_times();
    let Some(times) = document().and_then(|d| d.query_selector_all("time[data-rel]").ok()) else { return };
    for i in 0..times.length() {
        let Some(time) = times.item(i).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) else {
            continue;
        };
        let at = time.get_attribute("datetime").and_then(|at| at.parse::<Ts>().ok());
        let rel = time.get_attribute("data-rel").and_then(|rel| Rel::parse(&rel));
        if let (Some(at), Some(rel), Some(text)) = (at, rel, time.first_child()) {
            let words = words(rel, at, now);
            if text.node_value().as_deref() != Some(&words) {
                text.set_node_value(Some(&words));
            }
        }
    }
}

/// Sets the title of the tab.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Makes every copy button of the page work, also outside of islands.
fn install_copy() {
    let handle = window_event_listener(leptos::ev::click, |event| {
        let button = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("button[data-copy]").ok().flatten());
        let (Some(button), Some(window)) = (button, web_sys::window()) else { return };
        let text = button.get_attribute("data-copy").unwrap_or_default();
        let written = window.navigator().clipboard().write_text(&text);
        wasm_bindgen_futures::spawn_local(async move {
            let done = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
            let Some(label) = button.first_child() else { return };
            let before = label.node_value();
            label.set_node_value(Some(if done { "copied" } else { "select it by hand" }));
            crate::live::live().said.set(if done { "copied".into() } else { "not copied".into() });
            after_ms(1_500, move || label.set_node_value(before.as_deref()));
        });
    });
    std::mem::forget(handle);
}

/// Whether the tab is in the background.
#[must_use]
pub fn is_hidden() -> bool {
    document().is_some_and(|document| document.hidden())
}

/// Copies a text and says so.
fn copy_text(text: &str, what: &'static str) {
    let Some(window) = web_sys::window() else { return };
    let written = window.navigator().clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        let done = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
        dom::say(&[what, if done { " copied" } else { " not copied" }].concat());
    });
}

/// Wakes what every page has outside of its islands: copy buttons, keys, the palette, and the doctor's checks.
pub fn install_frame() {
    listen(&["keydown", "pointerdown"], || PRESSED.set(local_now()));
    install_copy();
    keys::install();
    palette::install();
    doctor::install();
    if let Some(root) = document().and_then(|document| document.document_element()) {
        let _ = root.set_attribute("data-ready", "");
    }
}

/// Writes local time beside UTC, for those who chose it. The style sheet shows the attribute; the text stays.
fn add_local_times() {
    if dom::looks("data-times").as_deref() != Some("local") {
        return;
    }
    for time in dom::all("time[datetime]:not([data-rel]):not([data-local])") {
        let at = time.get_attribute("datetime").unwrap_or_default();
        let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_str(&at));
        // The offset counts westwards.
        let east = -date.get_timezone_offset();
        if date.get_time().is_nan() || east.is_nan() {
            continue;
        }
        let two = |n: u32| if n < 10 { format!("0{n}") } else { n.to_string() };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "minutes of less than a day"
        )]
        let (minutes, sign) = (east.abs() as u32, if east < 0.0 { "−" } else { "+" });
        let parts = [two(date.get_hours()), two(date.get_minutes()), two(date.get_seconds())].join(":");
        let zone = [sign, &two(minutes / 60), ":", &two(minutes % 60)].concat();
        let _ = time.set_attribute("data-local", &[parts.as_str(), " UTC", &zone].concat());
    }
}

/// Loads the page again.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        let _ = window.location().reload();
    }
}

/// Whether the reader is in the middle of something that a reload would destroy.
#[must_use]
pub fn is_busy() -> bool {
    let open = document().is_some_and(|d| {
        d.query_selector("dialog[open], input:focus, select:focus").ok().flatten().is_some()
    });
    open || has_selection()
}

fn has_selection() -> bool {
    web_sys::window()
        .and_then(|w| w.get_selection().ok().flatten())
        .is_some_and(|selection| !selection.is_collapsed())
}

/// Whether the page is scrolled away from its top, text is selected, or nobody looks at the tab.
fn is_reading() -> bool {
    let scrolled = web_sys::window().and_then(|window| window.scroll_y().ok()).is_some_and(|y| y > 40.0);
    scrolled || has_selection() || document().is_some_and(|document| document.hidden())
}

/// Whoever typed or clicked this short a time ago goes on.
const PRESSING: model::Span = model::Span::millis(300);

/// Whether somebody pressed a key or a button a moment ago.
#[must_use]
pub fn is_pressing() -> bool {
    local_now() - PRESSED.get() < PRESSING
}

/// Tells when somebody starts or stops reading, for as long as the page lives.
pub fn on_reading(tell: impl Fn(bool) + Clone + 'static) {
    let was = std::rc::Rc::new(Cell::new(false));
    let look = move || {
        let now = is_reading();
        if was.replace(now) != now {
            tell(now);
        }
    };
    look();
    listen(&["scroll", "selectionchange", "visibilitychange"], look);
}

/// Calls `f` on each of these events, for as long as the page lives.
fn listen(events: &[&str], f: impl Fn() + 'static) {
    let Some(document) = document() else { return };
    let listener = wasm_bindgen::closure::Closure::<dyn Fn()>::new(f);
    for event in events {
        // A listener that cannot be added only leaves a list moving.
        let _ = document.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    }
    listener.forget();
}

/// Scrolls to the top of the page.
pub fn to_top() {
    if let Some(window) = web_sys::window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Replaces the URL without loading, and without a new entry in the history.
pub fn replace_url(path: &str) {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(path));
    }
}

/// Whether the focus only moves on inside of what the selector names: then nobody has let go of it.
#[must_use]
pub fn stays_within(event: &leptos::ev::FocusEvent, place: &str) -> bool {
    let from = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
    let place = from.and_then(|from| from.closest(place).ok().flatten());
    place.zip(to).is_some_and(|(place, to)| place.contains(Some(&to)))
}

/// Moves the focus to the first element that matches.
pub fn focus(selector: &str) {
    let found = document().and_then(|d| d.query_selector(selector).ok().flatten());
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
