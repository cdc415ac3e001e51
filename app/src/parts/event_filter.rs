//! The filter of the event list: a plain GET form, chips that link to the state without them, facets with counts.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{ViewState, view::EventsView, view_state::Facet};

use crate::ui::{
    form::hidden,
    text::{clamp, count, visible},
};

const RANGES: [(&str, &str); 6] = [
    ("", "all recorded"),
    ("-15m", "last 15 min"),
    ("-30m", "last 30 min"),
    ("-1h", "last hour"),
    ("-6h", "last 6 h"),
    ("-24h", "last 24 h"),
];

/// Form, chips and facets.
pub fn event_filter(view: &EventsView, state: &ViewState) -> AnyView {
    let from = state.from.map(|from| from.to_string()).unwrap_or_default();
    let mut ranges: Vec<_> = RANGES
        .iter()
        .map(|(value, words)| {
            view! { <option value=*value selected=*value == from>{*words}</option> }.erased()
        })
        .collect();
    if !RANGES.iter().any(|(value, _)| *value == from) {
        ranges.push(view! { <option value=from.clone() selected>"since "{from.clone()}</option> }.erased());
    }
    let kept: Vec<_> = state
        .facets
        .iter()
        .map(|(facet, values)| hidden(facet.as_str(), model::view_state::join(values)))
        .collect();
    let to = state.to.map(|to| hidden("to", to.to_string()));
    view! {
        <form method="get" action="/events" class="filter" role="search" aria-label="Filter events">
            <label class="grow">
                <span class="sr">"Text in events"</span>
                <input type="search" name="q" value=state.q.clone().unwrap_or_default() placeholder="text in message, reason, object" maxlength="200"/>
            </label>
            <label>"Range "<select name="from">{ranges}</select></label>
            <label>
                "Repeats "
                <select name="group">
                    <option value="1" selected=!state.ungrouped>"folded"</option>
                    <option value="0" selected=state.ungrouped>"each"</option>
                </select>
            </label>
            {kept}
            {to}
            <button type="submit" class="button">"Filter"</button>
        </form>
        {chips(state)}
        {facets(view, state)}
    }
    .erased()
}

/// The filters that are set; each × leads to the list without it.
pub fn chips(state: &ViewState) -> Option<AnyView> {
    if state.n_filters() == 0 {
        return None;
    }
    let chip = |text: String, href: String| {
        let name = format!("remove filter {text}");
        view! { <a class="filter-chip" href=href aria-label=name><bdi>{text.clone()}</bdi>" ×"</a> }.erased()
    };
    let mut chips: Vec<AnyView> = Vec::new();
    for (facet, values) in &state.facets {
        for value in values {
            let not = if value.not { "not " } else { "" };
            let text = format!("{}: {not}{}", facet.as_str(), visible(&clamp(&value.value, 60)));
            chips.push(chip(text, state.without(*facet, value).link("/events")));
        }
    }
    if let Some(q) = &state.q {
        let rest = ViewState { q: None, before: None, ..state.clone() };
        chips.push(chip(format!("text: {}", visible(&clamp(q, 60))), rest.link("/events")));
    }
    Some(view! { <p class="row chips">{chips}<a href="/events">"Clear all"</a></p> }.erased())
}

fn facets(view: &EventsView, state: &ViewState) -> Option<AnyView> {
    let groups: Vec<_> = [Facet::Outcome, Facet::Controller, Facet::Reason, Facet::Kind, Facet::App]
        .into_iter()
        .filter_map(|facet| {
            let values = view.facets.get(facet.as_str()).filter(|values| !values.is_empty())?;
            let values: Vec<_> = values
                .iter()
                .take(10)
                .map(|value| {
                    let shown = visible(&clamp(&value.value, 40));
                    // The store leaves out reasons only: no other facet offers what would change nothing.
                    let out = (facet == Facet::Reason).then(|| {
                        let without = format!("without {shown}");
                        let href = state.with(facet, &value.value, true).link("/events");
                        view! { <a class="exclude" href=href aria-label=without>"−"</a> }
                    });
                    view! {
                        <li>
                            <a href=state.with(facet, &value.value, false).link("/events")><bdi>{shown}</bdi>" ("{count(value.n)}")"</a>
                            {out}
                        </li>
                    }
                })
                .collect();
            Some(view! { <div class="facet"><h2>{facet.as_str()}</h2><ul>{values}</ul></div> })
        })
        .collect();
    (!groups.is_empty()).then(|| {
        view! { <details class="facets" open><summary>"Facets"</summary><div class="facet-groups">{groups}</div></details> }.erased()
    })
}
