//! How much we know: another axis than the verdict, and it never looks like one.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Freshness, Ts};

use crate::ui::time;

const fn word(fresh: Freshness) -> &'static str {
    match fresh {
        Freshness::Live => "live",
        Freshness::Delayed { .. } => "delayed",
        Freshness::Disconnected { .. } => "disconnected",
        Freshness::Stale { .. } => "stale",
        Freshness::Paused { .. } => "paused",
        Freshness::AsOf { .. } => "as-of",
    }
}

/// A dot and words. `None` is a page that nobody keeps current: it says when it was made.
pub fn freshness_chip(fresh: Option<Freshness>, made_at: Ts) -> AnyView {
    let state = fresh.map_or("made", word);
    let words = fresh.map_or_else(|| "As of".to_owned(), Freshness::words);
    view! {
        <span class="fresh" data-fresh=state>
            <span class="dot" aria-hidden="true"></span>
            <span class="fresh-words">{words}</span>
            " "
            <time class="fresh-time" datetime=made_at.to_string()>{made_at.clock()}</time>
        </span>
    }
    .erased()
}

/// The mark on things whose source fell silent while we are connected.
pub fn stale_chip(since: Ts, now: Ts) -> AnyView {
    view! {
        <span class="fresh" data-fresh="stale">
            <span class="dot" aria-hidden="true"></span>
            <span>"as of "{since.clock()}" ("{time::relative(time::Rel::For, since, now)}")"</span>
        </span>
    }
    .erased()
}
