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

/// A dot and words, and at most one time: since when nothing was heard, or, for a page that nobody keeps current
/// (`None`), when it was made. The other words say by themselves how old the page is.
pub fn freshness_chip(fresh: Option<Freshness>, made_at: Ts) -> AnyView {
    let state = fresh.map_or("made", word);
    let (words, time) = match fresh {
        None => ("As of".to_owned(), Some(made_at)),
        Some(Freshness::Disconnected { since }) => ("Disconnected since".to_owned(), Some(since)),
        Some(fresh) => (fresh.words(), None),
    };
    view! {
        <span class="fresh" data-fresh=state>
            <span class="dot" aria-hidden="true"></span>
            <span class="fresh-words">{words}</span>
            {time.map(|at| view! { " " <time class="fresh-time" datetime=at.to_string()>{at.clock()}</time> })}
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

#[cfg(test)]
mod tests {
    use model::{Span, fixtures::NOON};

    use super::*;
    use crate::shell::render_part;

    #[test]
    fn the_chip_of_a_page_says_one_time_at_most() {
        let times = |fresh| render_part(move || freshness_chip(fresh, NOON)).matches("<time").count();
        let older = NOON - Span::minutes(1);
        assert_eq!([None, Some(Freshness::Disconnected { since: older })].map(times), [1, 1]);
        let age = Span::seconds(34);
        assert_eq!([Freshness::Live, Freshness::Delayed { age }].map(|fresh| times(Some(fresh))), [0, 0]);
        let lost = render_part(move || freshness_chip(Some(Freshness::Disconnected { since: older }), NOON));
        assert!(lost.contains(">11:59:00Z</time>") && !lost.contains("12:00:00Z"), "{lost}");
    }
}
