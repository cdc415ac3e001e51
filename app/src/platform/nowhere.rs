//! The same functions where there is no browser. They do nothing.

use model::Ts;

/// Reads the text of the element with this id, for data that the page carries once.
#[must_use]
pub fn text_of(_id: &str) -> Option<String> {
    None
}

/// The server's clock, once it is known.
#[must_use]
pub fn server_now() -> Option<Ts> {
    None
}

/// Starts the clock from a time that the server told.
pub fn set_server_now(_now: Ts) {}

/// Calls `f` once, when every island of the page is awake.
pub fn when_awake(_f: impl FnOnce() + 'static) {}

/// Calls `f` every second, for as long as the page lives.
pub fn every_second(_f: impl Fn() + 'static) {}

/// Calls `f` once, after so many milliseconds.
pub fn after_ms(_ms: u64, _f: impl FnOnce() + 'static) {}

/// Rewrites the text of every relative time on the page.
pub fn tick_times(_now: Ts) {}

/// Sets the title of the tab.
pub fn set_title(_title: &str) {}

/// Wakes what every page has outside of its islands.
pub fn install_frame() {}

/// Loads the page again.
pub fn reload() {}

/// Whether the reader is in the middle of something that a reload would destroy.
#[must_use]
pub fn is_busy() -> bool {
    false
}

/// Tells when somebody starts or stops reading.
pub fn on_reading(_tell: impl Fn(bool) + Clone + 'static) {}

/// Whether somebody pressed a key or a button a moment ago.
#[must_use]
pub fn is_pressing() -> bool {
    false
}

/// Scrolls to the top of the page.
pub fn to_top() {}

/// Replaces the URL without loading, and without a new entry in the history.
pub fn replace_url(_path: &str) {}

/// Whether the focus only moves on inside of what the selector names.
#[must_use]
pub fn stays_within(_event: &leptos::ev::FocusEvent, _place: &str) -> bool {
    false
}

/// Moves the focus to the first element that matches.
pub fn focus(_selector: &str) {}
