//! One event, or several that say the same: which controller, on what, what it tried, what came of it, why.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Event, Outcome, Ts, ViewState,
    view::{EventGroup, Silence},
    view_state::{Facet, When},
};

use crate::{
    parts::links::object_link,
    ui::{
        id_chip::{copy_button, id_chip},
        text::{clamp, outside, outside_long, plural, visible},
        time,
    },
};

/// Whether cells lead to the event list filtered by their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells<'a> {
    /// They do, beside what this state asks already.
    Filter(&'a ViewState),
    /// Plain text, for short lists.
    Plain,
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Started => "started",
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Info => "info",
    }
}

/// A row. Its link opens the detail below it. `flaps` is how often its action changes between failure and success.
pub fn event_row(
    group: &EventGroup,
    cells: Cells<'_>,
    flaps: Option<u32>,
    chosen: bool,
    href: String,
    now: Ts,
) -> AnyView {
    let event = &group.event;
    let why = if event.message.is_empty() && event.reason.is_empty() {
        view! { <span class="muted">"–"</span> }.erased()
    } else {
        view! {
            {(!event.reason.is_empty()).then(|| view! { <b>{cell(Facet::Reason, &event.reason, cells)}</b>" " })}
            <span class="clamp">{outside(&clamp(&event.message, 260))}</span>
        }
        .erased()
    };
    let repeats = (group.n > 1).then(|| {
        view! {
            <span class="repeats">"×"{group.n}</span>
            " since "
            <time datetime=group.first_at.to_string()>{group.first_at.clock()}</time>
            {cadence(group)}
        }
    });
    let flaps =
        flaps.map(|n| view! { <span class="repeats">{format!(" flapping ✓/✖ {n}× in 10 min")}</span> });
    let attempt = event.attempt.map(|n| view! { <span class="muted">" attempt "{n}</span> });
    view! {
        <article class="event" class:chosen=chosen data-outcome=event.outcome.as_str() id=event.id().to_string()>
            <a class="event-time" href=href>{time::clock(event.at, now)}</a>
            <span class="event-controller">{cell(Facet::Controller, &event.controller, cells)}</span>
            <span class="event-object">{object_link(&event.object, event.object.id(), None)}</span>
            <span class="event-tried">{outside(&event.action)}{attempt}</span>
            <span class="event-outcome">
                <span aria-hidden="true">{event.outcome.glyph()}</span>
                " "
                {outcome_word(event.outcome)}
            </span>
            <span class="event-why">{why}</span>
            <span class="event-repeats">{repeats}{flaps}</span>
        </article>
    }
    .erased()
}

/// `every ~30 s`, where there is enough to say so.
fn cadence(group: &EventGroup) -> Option<AnyView> {
    let steps = i64::from(group.n) - 1;
    let span = group.event.at - group.first_at;
    (steps >= 2 && span.0 > 0).then(|| {
        let every = model::Span(span.0 / steps);
        let text = match every.as_millis() {
            ms @ 0..1000 => format!(", every ~{ms} ms"),
            _ => format!(", every ~{}", every.words()),
        };
        view! { <span class="muted">{text}</span> }.erased()
    })
}

fn cell(facet: Facet, value: &str, cells: Cells<'_>) -> AnyView {
    match cells {
        Cells::Plain => outside(value).erased(),
        Cells::Filter(state) => {
            let href = state.with(facet, value, false).link("/events");
            view! { <a class="cell" href=href>{outside(value)}</a> }.erased()
        }
    }
}

/// Everything about one event, in the flow below its row.
pub fn event_detail(event: &Event, close: String) -> AnyView {
    let chosen = |state: ViewState| {
        let link = ViewState { sel: Some(event.id().to_string()), ..state }.link("/events");
        format!("{link}#{}", event.id())
    };
    let around = |facet, value: &str| chosen(ViewState::only(&[(facet, value)]));
    let minutes = model::Span::minutes(2);
    let (from, to) = (When::At(event.at - minutes), When::At(event.at + minutes));
    let near = chosen(ViewState::default().within(Some(from), Some(to)));
    let trace = event.trace_id.as_ref().map(|trace| {
        view! { <div><dt>"Trace"</dt><dd>{id_chip(trace.as_str())}</dd></div> }
    });
    let mut shown = event.clone();
    crate::ui::text::tame(&mut shown.message);
    let json = serde_json::to_string_pretty(&shown).unwrap_or_default();
    let markdown = format!(
        "`{}` {} {} {}: {} {}",
        event.at, event.controller, event.action, event.object, event.outcome, event.reason
    );
    let attempt = event.attempt.map(|n| format!(", attempt {n}")).unwrap_or_default();
    view! {
        <section class="detail event-detail" data-outcome=event.outcome.as_str() aria-label="Selected event">
            <div class="panel-head">
                <h2>{outside(&event.action)}" "{event.outcome.glyph()}" "{outcome_word(event.outcome)}{attempt}</h2>
                <a href=close>"close"</a>
            </div>
            <dl class="pairs">
                <div><dt>"Event"</dt><dd>{id_chip(&event.id().to_string())}</dd></div>
                <div><dt>"Controller"</dt><dd>{outside(&event.controller)}</dd></div>
                <div><dt>"Object"</dt><dd>{object_link(&event.object, event.object.id(), None)}</dd></div>
                <div><dt>"Why"</dt><dd>{outside(if event.reason.is_empty() { "–" } else { &event.reason })}</dd></div>
                <div><dt>"Message"</dt><dd>{outside_long(&event.message)}</dd></div>
                <div><dt>"Happened"</dt><dd>{time::precise(event.at)}</dd></div>
                <div><dt>"Recorded"</dt><dd>{time::precise(event.recorded_at)}</dd></div>
                <div><dt>"Source"</dt><dd><code>{event.source.to_string()}</code></dd></div>
                {trace}
            </dl>
            <p class="row">
                <a href=around(Facet::Controller, &event.controller)>"This controller"</a>
                <a href=around(Facet::Object, &event.object.to_string())>"This object"</a>
                <a href=near>"±2 min around"</a>
                {copy_button(&markdown, "copy as Markdown", "")}
            </p>
            <details class="fold">
                <summary>"Raw JSON"</summary>
                <pre class="code"><bdi>{visible_lines(&json)}</bdi></pre>
            </details>
        </section>
    }
    .erased()
}

/// Time that nobody watched, between the rows around it: never closed over.
pub fn silence_row(silence: &Silence) -> AnyView {
    view! {
        <p class="silence-row">
            "no recording "
            <time datetime=silence.from.to_string()>{silence.from.clock()}</time>
            "–"
            <time datetime=silence.to.to_string()>{silence.to.clock()}</time>
            ": source "
            {outside(&silence.source)}
            ", "
            {outside(&silence.reason)}
        </p>
    }
    .erased()
}

/// Keeps line breaks, shows everything else that would act.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// A short list of the newest events, and the way to all of them.
pub fn short_list(events: &[Event], all: String, now: Ts) -> AnyView {
    if events.is_empty() {
        return view! { <p class="muted">"No event is recorded here yet."</p> }.erased();
    }
    let groups = model::view::group(events.to_vec(), true);
    let n = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let rows: Vec<_> = groups
        .iter()
        .take(12)
        .map(|group| event_row(group, Cells::Plain, None, false, group.event.path(), now))
        .collect();
    view! {
        <div class="events short">{rows}</div>
        <p><a href=all>"All events"</a>" "<span class="muted">{format!("{} newest shown, folded", plural(n, "event"))}</span></p>
    }
    .erased()
}
