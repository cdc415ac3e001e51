//! The event list: newest first, live at its top, and still while somebody reads it.

use leptos::prelude::*;
use model::{
    Event, Outcome, Seq, Ts, ViewState,
    view::{EventGroup, says_the_same},
};
use serde::{Deserialize, Serialize};

use crate::{
    live::{live, now, slice},
    parts::event_row::{Cells, event_detail, event_row},
    platform,
    ui::text::plural,
};

/// What folding an event stands for; the event itself is on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// The newest event of the fold.
    pub seq: Seq,
    /// How many.
    pub n: u32,
    /// When the first one was.
    pub first_at: Ts,
}

/// Puts the events of the board and the folds that the page came with together.
fn groups(events: &[Event], folds: &[Fold], on: bool) -> Vec<EventGroup> {
    let mut groups: Vec<EventGroup> = Vec::with_capacity(events.len());
    for event in events {
        let fold = folds.iter().find(|fold| fold.seq == event.seq);
        let (n, first_at) = fold.map_or((1, event.at), |fold| (fold.n, fold.first_at));
        match groups.last_mut() {
            Some(last) if on && says_the_same(&last.event, event) => {
                last.n += n;
                last.first_at = last.first_at.min(first_at);
            }
            _ => groups.push(EventGroup { event: event.clone(), n, first_at }),
        }
    }
    groups
}

/// Rows with a link each; the selected one is followed by its detail.
#[island]
pub fn EventList(
    /// Folds that the page came with.
    folds: Vec<Fold>,
    /// The page's own query.
    query: String,
) -> impl IntoView {
    let (state, _) = ViewState::parse(&query);
    let on = !state.ungrouped;
    let newest = slice(|board| board.events.clone());
    // What is shown; it stands still while it is read.
    let shown = RwSignal::new(newest.get_untracked());
    let (hovered, focused, chosen) = (RwSignal::new(false), RwSignal::new(false), state.sel.is_some());
    let show = move || shown.set(newest.get_untracked());
    Effect::new(move |before: Option<()>| {
        newest.track();
        // Every signal is read each time: one that is not would never end the hold.
        let (hovered, focused) = (hovered.get(), focused.get());
        let held = hovered || focused || chosen || platform::is_reading();
        if before.is_some() && !held {
            show();
        }
    });
    let waiting = Memo::new(move |_| {
        let top = shown.with(|shown| shown.first().map_or(Seq(0), |event| event.seq));
        newest.with(|newest| {
            let new = newest.iter().take_while(|event| event.seq > top);
            let failed = new.clone().filter(|event| event.outcome == Outcome::Failed).count();
            (new.count(), failed)
        })
    });
    let pill = move || {
        let (n, failed) = waiting.get();
        (n > 0).then(|| {
            let failed = if failed > 0 { format!(" ({failed} failed)") } else { String::new() };
            let words = format!("↑ {}{failed}", plural(i64::try_from(n).unwrap_or(i64::MAX), "new event"));
            view! {
                <button
                    type="button"
                    class="pill"
                    on:click=move |_| {
                        // The button goes away with what it counted, and the focus with it.
                        focused.set(false);
                        show();
                        platform::to_top();
                    }
                >
                    {words}
                </button>
            }
        })
    };
    let follows = live().board.read_untracked().topic.is_some();
    let rows = move || shown.with(|shown| rows(&groups(shown, &folds, on), &state));
    view! {
        <div
            class="event-list"
            on:focusin=move |_| focused.set(true)
            on:focusout=move |event| focused.set(platform::stays_within(&event, ".event-list"))
        >
            <div class="pill-place">{pill}</div>
            <div
                class="events"
                data-follows=follows.to_string()
                on:pointerenter=move |_| hovered.set(true)
                on:pointerleave=move |_| hovered.set(false)
            >
                {rows}
            </div>
        </div>
    }
}

fn rows(groups: &[EventGroup], state: &ViewState) -> Vec<AnyView> {
    let mut rows = Vec::with_capacity(groups.len() + 1);
    for group in groups {
        let id = group.event.id().to_string();
        let chosen = state.sel.as_ref() == Some(&id);
        let to = ViewState { sel: (!chosen).then(|| id.clone()), ..state.clone() };
        let href = format!("{}#{id}", to.link("/events"));
        rows.push(event_row(group, Cells::Filter, chosen, href, now()));
        if chosen {
            let close = ViewState { sel: None, ..state.clone() }.link("/events");
            rows.push(event_detail(&group.event, close));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::fixtures;

    #[test]
    fn a_live_event_joins_the_fold_that_the_page_came_with() {
        let events = [fixtures::event(9), fixtures::event(8)];
        let folds = [Fold { seq: Seq(8), n: 13, first_at: fixtures::NOON }];
        let folded = groups(&events, &folds, true);
        assert_eq!((folded.len(), folded[0].n, folded[0].first_at), (1, 14, fixtures::NOON));
        assert_eq!(folded[0].event.seq, Seq(9));
        assert_eq!(groups(&events, &folds, false).len(), 2);
    }
}
