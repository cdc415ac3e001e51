//! The lanes as a table: the accessible version, and the one for narrow screens.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Lane, Segment, Ts, timeline::Timeline};

use crate::ui::text::{outside, plural};

/// How many rows are listed; the drawing holds the rest.
const MAX_ROWS: usize = 200;

pub(super) fn table(timeline: &Timeline, base: &str) -> AnyView {
    // Put in order one by one: a sort of the standard library weighs more in the browser than all of this table.
    let mut all: Vec<(&Lane, &Segment)> = Vec::new();
    for lane in &timeline.lanes {
        for segment in &lane.segments {
            let place = all.partition_point(|(_, other)| other.from >= segment.from);
            all.insert(place, (lane, segment));
        }
    }
    let total = all.len();
    all.truncate(MAX_ROWS);
    let rows: Vec<_> = all.into_iter().map(|(lane, segment)| row(lane, segment, timeline.to, base)).collect();
    let summary = format!("Transitions as a table ({total})");
    let caption = format!("{}, newest first", plural(i64::try_from(total).unwrap_or(i64::MAX), "transition"));
    view! {
        <details class="fold twin">
            <summary>{summary}</summary>
            <div class="scroll">
                <table>
                    <caption>{caption}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"From"</th>
                            <th scope="col">"For"</th>
                            <th scope="col">"Lane"</th>
                            <th scope="col">"Status"</th>
                            <th scope="col">"Reason"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
    .erased()
}

fn row(lane: &Lane, segment: &Segment, end: Ts, base: &str) -> AnyView {
    let href = format!("{base}?sel={}#segment", segment.id);
    let length = (segment.to.unwrap_or(end) - segment.from).exact();
    view! {
        <tr data-tone=segment.tone.as_str()>
            <td><a href=href><time datetime=segment.from.to_string()>{segment.from.clock()}</time></a></td>
            <td>{length}</td>
            <td>{outside(&lane.condition)}" "<small>{outside(&lane.name)}</small></td>
            <td><span class="tone-word">{segment.status.word()}</span></td>
            <td>{outside(&segment.reason)}</td>
        </tr>
    }
    .erased()
}
