//! Choosing the range of a timeline without dragging: links and two fields, all of them `from` and `to` of the URL.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Span, Ts, ViewState, view_state::When};

/// `-1h`, and what people call it.
const PRESETS: [(Span, &str); 4] = [
    (Span::minutes(15), "15 min"),
    (Span::minutes(60), "1 h"),
    (Span::minutes(360), "6 h"),
    (Span::minutes(1440), "24 h"),
];

/// The shortest range that zooming in leads to.
const SHORTEST: Span = Span::seconds(10);

/// Buttons and fields for the range that is shown now.
pub fn zoom(from: Ts, to: Ts, now: Ts, state: &ViewState, path: &str) -> AnyView {
    let link = |from, to| ViewState { open: None, ..state.within(from, to) }.link(path) + "#timeline";
    let length = to - from;
    let around = |half: i64| {
        let middle = Ts(i64::midpoint(from.0, to.0));
        let (from, to) = (middle - Span(half), (middle + Span(half)).min(now));
        link(Some(When::At(from)), Some(When::At(to)))
    };
    let presets: Vec<_> = PRESETS
        .iter()
        .map(|(span, words)| {
            let chosen = state.from == Some(When::Ago(*span)) && state.to.is_none();
            view! { <a class="button quiet" href=link(Some(When::Ago(*span)), None) aria-current=chosen.then_some("true")>{*words}</a> }
        })
        .collect();
    let chosen = state.from.is_some() || state.to.is_some();
    let reset = chosen.then(|| view! { <a class="button quiet" href=link(None, None)>"Reset"</a> });
    let closer = (length > SHORTEST)
        .then(|| view! { <a class="button quiet" href=around((length.0 / 4).max(SHORTEST.0 / 2)) aria-label="Zoom in">"+"</a> });
    let field = |at: Ts| at.to_string().chars().take(19).collect::<String>();
    view! {
        <form method="get" action=format!("{path}#timeline") class="zoom" aria-label="Range of the timeline">
            <a class="button quiet" href=around(length.0) aria-label="Zoom out">"−"</a>
            {closer}
            {presets}
            {reset}
            <label>"From "<input type="datetime-local" name="from" step="1" value=field(from)/></label>
            <label>"to "<input type="datetime-local" name="to" step="1" value=field(to)/></label>
            <span class="muted">"UTC"</span>
            <button type="submit" class="button">"Show"</button>
        </form>
    }
    .erased()
}
