//! The event list: newest first, live at its top, and still while somebody reads it.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState,
    stream::{EventList as List, RATE_LIMIT},
    view::{EventGroup, Silence},
};

use crate::{
    live::{live, now, slice},
    parts::event_row::{Cells, event_detail, event_row, silence_row},
    platform,
    ui::{rows::Rows, text::plural},
};

/// What arrives is shown together after this long: a list that moves more often cannot be read.
const BATCH_MS: u64 = 500;
/// So often it waits once more because somebody types: what a press does is painted first.
const PATIENCE: u8 = 2;

/// What stands in one line of the list, by its place in what it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Line {
    Group {
        nth: usize,
        flaps: Option<u32>,
    },
    /// Nobody watched between the rows around it.
    Silence(usize),
}

/// Says when a line has to be drawn again.
type Key = (i64, u32, u32);

/// The lines of a list, with every silence where it lies in time.
fn lines(list: &List, silences: &[Silence]) -> Vec<(Key, Line)> {
    let flapping = list.flapping();
    let silence = |nth: usize| ((-silences[nth].from.0, 0, 0), Line::Silence(nth));
    let mut told = 0;
    let mut lines = Vec::with_capacity(list.groups.len() + silences.len());
    for (nth, group) in list.groups.iter().enumerate() {
        while silences.get(told).is_some_and(|silence| silence.from >= group.event.at) {
            lines.push(silence(told));
            told += 1;
        }
        let seq = group.event.seq;
        let flaps = flapping.get(&seq).copied();
        lines.push(((seq.0, group.n, flaps.unwrap_or(0)), Line::Group { nth, flaps }));
    }
    lines.extend((told..silences.len()).map(silence));
    lines
}

/// What the list shows, and what keeps it still.
#[derive(Clone, Copy)]
struct Shown {
    list: RwSignal<List>,
    rate: RwSignal<u32>,
    hovered: RwSignal<bool>,
    focused: RwSignal<bool>,
    reading: RwSignal<bool>,
    chosen: bool,
    armed: StoredValue<bool>,
    /// Whether something arrived that the reader has to ask for.
    waits: RwSignal<bool>,
}

impl Shown {
    fn held(self) -> bool {
        // Every signal is read each time: one that is not would never end the hold.
        let (hovered, focused, reading) = (self.hovered.get(), self.focused.get(), self.reading.get());
        hovered || focused || reading || self.chosen
    }

    fn show(self) {
        self.waits.set(false);
        let board = live().board;
        let board = board.read_untracked();
        if self.list.with_untracked(|shown| shown.arrived != board.list.arrived) {
            self.list.set(board.list.clone());
        }
    }

    /// Shows what has arrived, a little later; goes on by itself until the stream is quiet again.
    fn arm(self) {
        if !self.armed.get_value() {
            self.armed.set_value(true);
            self.after_a_batch(PATIENCE);
        }
    }

    fn after_a_batch(self, patience: u8) {
        platform::after_ms(BATCH_MS, move || {
            if patience > 0 && platform::is_pressing() {
                return self.after_a_batch(patience - 1);
            }
            self.armed.set_value(false);
            if untrack(move || self.held()) {
                self.waits.set(true);
            } else {
                self.show();
            }
            let rate = live().board.read_untracked().list.rate(now());
            self.rate.set(rate);
            if rate > 0 {
                self.arm();
            }
        });
    }
}

/// Rows with a link each; the selected one is followed by its detail.
#[island]
pub fn EventList(
    /// The page's own query.
    query: String,
    /// When nobody watched, newest first.
    silences: Vec<Silence>,
) -> impl IntoView {
    let (state, _) = ViewState::parse(&query);
    let arrived = slice(|board| (board.list.arrived, board.list.failed));
    let shown = Shown {
        list: RwSignal::new(live().board.read_untracked().list.clone()),
        rate: RwSignal::new(0),
        hovered: RwSignal::new(false),
        focused: RwSignal::new(false),
        reading: RwSignal::new(false),
        chosen: state.sel.is_some(),
        armed: StoredValue::new(false),
        waits: RwSignal::new(false),
    };
    Effect::new(move |before: Option<()>| {
        arrived.track();
        shown.held();
        if before.is_some() {
            shown.arm();
        }
    });
    Effect::new(move |_| platform::on_reading(move |now| shown.reading.set(now)));
    let pill = move || {
        let (n, failed) = arrived.get();
        let (n, failed) = shown.list.with(|shown| (n - shown.arrived, failed - shown.failed));
        (n > 0 && shown.waits.get()).then(|| {
            let failed = if failed > 0 { format!(" ({failed} failed)") } else { String::new() };
            let words = format!("↑ {}{failed}", plural(i64::from(n), "new event"));
            view! {
                <button
                    type="button"
                    class="pill"
                    on:click=move |_| {
                        // The button goes away with what it counted, and the focus with it.
                        shown.focused.set(false);
                        shown.show();
                        platform::to_top();
                    }
                >
                    {words}
                </button>
            }
        })
    };
    let rate = move || {
        let rate = shown.rate.get();
        (rate > RATE_LIMIT).then(|| {
            view! { <p class="rate">{rate}" events/s: showing groups only, counts are exact"</p> }
        })
    };
    let follows = live().board.read_untracked().topic.is_some();
    let silences = StoredValue::new(silences);
    let state = StoredValue::new(state);
    let rows = move || {
        let lines = shown.list.with(|list| silences.with_value(|silences| lines(list, silences)));
        Rows::new(lines, move |at| match at {
            Line::Silence(nth) => silences.with_value(|silences| silence_row(&silences[nth])),
            Line::Group { nth, flaps } => shown
                .list
                .with_untracked(|list| state.with_value(|state| group_row(&list.groups[nth], flaps, state))),
        })
    };
    view! {
        <div
            class="event-list"
            on:focusin=move |_| shown.focused.set(true)
            on:focusout=move |event| shown.focused.set(platform::stays_within(&event, ".event-list"))
        >
            <div class="pill-place">{pill}</div>
            <div class="rate-place">{rate}</div>
            <div
                class="events"
                data-follows=follows.to_string()
                on:pointerenter=move |_| shown.hovered.set(true)
                on:pointerleave=move |_| shown.hovered.set(false)
            >
                {rows}
            </div>
        </div>
    }
}

fn group_row(group: &EventGroup, flaps: Option<u32>, state: &ViewState) -> AnyView {
    let id = group.event.id().to_string();
    let chosen = state.sel.as_ref() == Some(&id);
    let to = ViewState { sel: (!chosen).then(|| id.clone()), ..state.clone() };
    let href = format!("{}#{id}", to.link("/events"));
    let detail = chosen.then(|| {
        let close = ViewState { sel: None, ..state.clone() }.link("/events");
        event_detail(&group.event, close)
    });
    view! {
        {event_row(group, Cells::Filter(state), flaps, chosen, href, now())}
        {detail}
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Span, Ts, fixtures};

    fn group(seq: i64) -> EventGroup {
        let event = fixtures::event(seq);
        EventGroup { n: 1, first_at: event.at, event }
    }

    #[test]
    fn a_silence_stands_between_the_rows_around_it() {
        let list = List::new(vec![group(20), group(10)], false);
        let silence = |from: Ts| Silence {
            source: "local".into(),
            from,
            to: from + Span::seconds(2),
            reason: "the server was down".into(),
        };
        let places = |silence| {
            let lines = lines(&list, &[silence]);
            lines.iter().map(|(_, line)| matches!(line, Line::Silence(_))).collect::<Vec<_>>()
        };
        let between = silence(fixtures::event(10).at + Span::seconds(1));
        assert_eq!(places(between), [false, true, false]);
        let before = silence(fixtures::event(10).at - Span::minutes(1));
        assert_eq!(places(before), [false, false, true]);
        let after = silence(fixtures::event(20).at + Span::minutes(1));
        assert_eq!(places(after), [true, false, false]);
    }
}
