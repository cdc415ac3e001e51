//! `/events`: what is the control plane doing, and why did it fail?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{EventId, ViewState, live::Topic, stream, view::EventsView};

use super::{Follow, Screen, tame};
use crate::{
    api::Page,
    islands::EventList,
    layout::{Crumb, Keys, head},
    parts::{
        event_filter::{chips, event_filter},
        event_row::event_detail,
        histogram::histogram,
    },
    ui::{
        banner::empty,
        text::{count, plural},
        time,
    },
};

/// Counting stops there.
const MAX_COUNTED: i64 = 10_000;

impl Screen for EventsView {
    fn title(&self) -> String {
        match self.failed {
            0 => "Events · Vantage".to_owned(),
            n => format!("{n} failed · Events · Vantage"),
        }
    }

    fn tame(&mut self) {
        tame::events(self);
    }

    fn follow(&self, state: &ViewState) -> Follow {
        // Older pages and closed ranges do not move.
        let moves = state.before.is_none() && state.to.is_none();
        let filter = ViewState { sel: None, open: None, ..state.clone() };
        Follow {
            topic: moves.then(|| Topic::Events { query: filter.to_query() }),
            state: None,
            list: stream::EventList::new(self.groups.clone(), state.ungrouped),
        }
    }

    fn view(page: Page<Self>, state: ViewState, _keys: Keys) -> AnyView {
        let view = page.data;
        let selected = view
            .selected
            .as_ref()
            .filter(|selected| !view.groups.iter().any(|group| group.event.seq == selected.seq));
        let selected = selected.map(|event| {
            let close = ViewState { sel: None, ..state.clone() }.link("/events");
            event_detail(event, close)
        });
        let older = view.older.map(|before| {
            let href =
                ViewState { before: Some(EventId(before)), sel: None, ..state.clone() }.link("/events");
            view! { <a class="button" rel="next" href=href>"Older events"</a> }
        });
        let newest = state.before.is_some().then(|| {
            let href = ViewState { before: None, sel: None, ..state.clone() }.link("/events");
            view! { <a class="button" href=href>"Newest events"</a> }
        });
        let end = view.older.is_none().then(|| {
            view! { <p class="edge muted">"Not recorded before "{time::precise(view.recorded_since)}"."</p> }
        });
        let nothing = view.groups.is_empty().then(|| nothing(&view, &state, page.now));
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Events")], sentence(&view), ())}
            {event_filter(&view, &state)}
            {histogram(&view.bars, &state)}
            {selected}
            <EventList query=state.to_query() silences=view.silences.clone()/>
            {nothing}
            {end}
            <p class="row">{newest}{older}</p>
        }
        .erased()
    }
}

fn sentence(view: &EventsView) -> AnyView {
    let total = if view.total >= MAX_COUNTED {
        format!("≥ {} events", count(MAX_COUNTED))
    } else {
        plural(view.total, "event")
    };
    let groups = plural(i64::try_from(view.groups.len()).unwrap_or(i64::MAX), "row");
    let text = format!("{total} · {} failed · {groups} shown", count(view.failed));
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }.erased()
}

/// Three empty states that never share a text: no match, quiet, and not recorded.
fn nothing(view: &EventsView, state: &ViewState, now: model::Ts) -> AnyView {
    let n = state.n_filters();
    let from = state.from.map(|from| from.resolve(now));
    if n > 0 {
        let s = if n == 1 { "" } else { "s" };
        let wider = ViewState {
            from: Some(model::view_state::When::Ago(model::Span::minutes(24 * 60))),
            to: None,
            ..state.clone()
        };
        return empty(
            format!("No events match {n} filter{s}."),
            view! { {chips(state)}<p><a class="button" href=wider.link("/events")>"Widen to 24 h"</a></p> },
        )
        .erased();
    }
    if from.is_some_and(|from| from < view.recorded_since) {
        return empty(
            "Not recorded.",
            view! { <p>"Nothing is recorded before "{time::precise(view.recorded_since)}"."</p> },
        )
        .erased();
    }
    match view.last_at {
        Some(at) => empty("Quiet.", view! { <p>"The last event was "{time::ago(at, now)}"."</p> }).erased(),
        None => {
            empty("No event yet.", view! { <p>"Recorded since "{time::precise(view.recorded_since)}"."</p> })
                .erased()
        }
    }
}
