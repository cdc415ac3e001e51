//! Condition lanes (`ux.md` 2.2): height and pattern say how bad, text says the literal status, and time
//! that nobody watched has no bar.
//!
//! One SVG without a view box: every position is a percentage from integer arithmetic, so that server and
//! browser print the same string, the lanes are fluid, and no inline style is needed.

mod lanes;
mod twin;

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Ts, ViewState,
    timeline::Timeline,
    view_state::{Facet, When},
};

use crate::ui::{
    text::{outside, outside_long, plural},
    time,
};

/// A position between two instants, `12.34%`.
#[must_use]
pub fn percent(at: Ts, from: Ts, to: Ts) -> String {
    hundredths(place(at, from, to))
}

/// Ten-thousandths of the way, clamped to the range.
fn place(at: Ts, from: Ts, to: Ts) -> i64 {
    let whole = i128::from((to - from).0.max(1));
    let part = i128::from((at - from).0).clamp(0, whole);
    i64::try_from(part * 10_000 / whole).unwrap_or(10_000)
}

fn hundredths(n: i64) -> String {
    format!("{}.{:02}%", n / 100, n % 100)
}

/// The lanes, the selected segment, and the same as a table. `base` is the page's path for `sel` links.
pub fn timeline(timeline: &Timeline, selected: Option<&str>, base: &str, now: Ts) -> AnyView {
    let body = if timeline.lanes.is_empty() {
        view! {
            <p class="muted">
                "No transitions are recorded in this range. Recorded since "
                {time::clock(timeline.recorded_since, now)}"."
            </p>
        }
        .erased()
    } else {
        view! {
            {lanes::lanes(timeline, selected, base)}
            {detail(timeline, selected, now)}
            {twin::table(timeline, base)}
        }
        .erased()
    };
    view! {
        <section class="panel timeline" id="timeline" aria-labelledby="timeline-title">
            <div class="panel-head">
                <h2 id="timeline-title">"Timeline"</h2>
                <div class="panel-aside">
                    <time datetime=timeline.from.to_string()>{timeline.from.clock()}</time>
                    " → "
                    <time datetime=timeline.to.to_string()>{timeline.to.clock()}</time>
                </div>
            </div>
            {body}
        </section>
    }
    .erased()
}

/// The selected segment, in the flow of the page and not floating over it.
fn detail(timeline: &Timeline, selected: Option<&str>, now: Ts) -> Option<AnyView> {
    let id = selected?;
    let (lane, segment) = timeline.lanes.iter().find_map(|lane| {
        lane.segments.iter().find(|segment| segment.id == id).map(|segment| (lane, segment))
    })?;
    let end = segment.to.unwrap_or(timeline.to);
    let events = ViewState::only(&[(Facet::Object, &lane.object.to_string())])
        .within(Some(When::At(segment.from)), Some(When::At(end)))
        .link("/events");
    Some(
        view! {
            <div class="detail" id="segment" data-tone=segment.tone.as_str()>
                <h3>{outside(&lane.name)}" · "{outside(&lane.condition)}" = "{segment.status.word()}</h3>
                <dl class="pairs">
                    <div><dt>"Reason"</dt><dd>{outside(if segment.reason.is_empty() { "–" } else { &segment.reason })}</dd></div>
                    <div><dt>"Message"</dt><dd>{outside_long(if segment.message.is_empty() { "–" } else { &segment.message })}</dd></div>
                    <div>
                        <dt>"From – to"</dt>
                        <dd>
                            {time::precise(segment.from)}
                            " – "
                            {match segment.to {
                                Some(to) => time::precise(to).erased(),
                                None => view! { "now" }.erased(),
                            }}
                        </dd>
                    </div>
                    <div>
                        <dt>"Duration"</dt>
                        <dd>
                            {match segment.to {
                                Some(to) => (to - segment.from).exact().erased(),
                                None => time::relative(time::Rel::For, segment.from, now).erased(),
                            }}
                        </dd>
                    </div>
                    <div><dt>"Generation"</dt><dd>{segment.generation.map_or_else(|| "not reported".to_owned(), |n| n.to_string())}</dd></div>
                </dl>
                <a href=events>"Events in this window"</a>
            </div>
        }
        .erased(),
    )
}

/// `7 changes`, for a block of segments that are too short to be drawn.
fn flap_words(n: usize) -> String {
    plural(i64::try_from(n).unwrap_or(i64::MAX), "change")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Span;

    #[test]
    fn positions_are_integers_and_stay_inside() {
        let from = Ts(0);
        let to = from + Span::minutes(60);
        assert_eq!(percent(from, from, to), "0.00%");
        assert_eq!(percent(from + Span::minutes(15), from, to), "25.00%");
        assert_eq!(percent(from + Span::minutes(1), from, to), "1.66%");
        assert_eq!(percent(to + Span::minutes(5), from, to), "100.00%");
        assert_eq!(percent(from - Span::minutes(5), from, to), "0.00%");
        assert_eq!(percent(from, from, from), "0.00%");
    }
}
