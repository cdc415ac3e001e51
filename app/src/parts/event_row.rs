//! One event, or several that say the same: which controller, on what, what it tried, what came of it, why.

use leptos::prelude::*;
use model::{Event, Outcome, Ts, view::EventGroup};

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
pub enum Cells {
    /// They do.
    Filter,
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

/// A row. Its link opens the detail below it.
pub fn event_row(group: &EventGroup, cells: Cells, chosen: bool, href: String, now: Ts) -> AnyView {
    let event = &group.event;
    let why = if event.message.is_empty() && event.reason.is_empty() {
        view! { <span class="muted">"–"</span> }.into_any()
    } else {
        view! {
            {(!event.reason.is_empty()).then(|| view! { <b>{cell("reason", &event.reason, cells)}</b>" " })}
            <span class="clamp">{outside(&clamp(&event.message, 260))}</span>
        }
        .into_any()
    };
    let repeats = (group.n > 1).then(|| {
        view! {
            <span class="repeats">"×"{group.n}</span>
            " since "
            <time datetime=group.first_at.to_string()>{group.first_at.clock()}</time>
            {cadence(group)}
        }
    });
    let attempt = event.attempt.map(|n| view! { <span class="muted">" attempt "{n}</span> });
    view! {
        <article class="event" class:chosen=chosen data-outcome=event.outcome.as_str() id=event.id().to_string()>
            <a class="event-time" href=href>{time::clock(event.at, now)}</a>
            <span class="event-controller">{cell("controller", &event.controller, cells)}</span>
            <span class="event-object">{object_link(&event.object, event.object.id(), None)}</span>
            <span class="event-tried">{outside(&event.action)}{attempt}</span>
            <span class="event-outcome">
                <span aria-hidden="true">{event.outcome.glyph()}</span>
                " "
                {outcome_word(event.outcome)}
            </span>
            <span class="event-why">{why}</span>
            <span class="event-repeats">{repeats}</span>
        </article>
    }
    .into_any()
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
        view! { <span class="muted">{text}</span> }.into_any()
    })
}

fn cell(key: &'static str, value: &str, cells: Cells) -> AnyView {
    match cells {
        Cells::Plain => outside(value).into_any(),
        Cells::Filter => {
            let href = format!("/events?{key}={}", model::view_state::encode(value));
            view! { <a class="cell" href=href>{outside(value)}</a> }.into_any()
        }
    }
}

/// Everything about one event, in the flow below its row.
pub fn event_detail(event: &Event, close: String) -> AnyView {
    let around = |key: &str, value: &str| {
        let value = model::view_state::encode(value);
        format!("/events?{key}={value}&sel={}#{}", event.id(), event.id())
    };
    let minutes = model::Span::minutes(2);
    let near = format!(
        "/events?from={}&to={}&sel={}",
        model::view_state::encode(&(event.at - minutes).to_string()),
        model::view_state::encode(&(event.at + minutes).to_string()),
        event.id()
    );
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
                <a href=around("controller", &event.controller)>"This controller"</a>
                <a href=around("object", &event.object.to_string())>"This object"</a>
                <a href=near>"±2 min around"</a>
                {copy_button(&markdown, "copy as Markdown", "")}
            </p>
            <details class="fold">
                <summary>"Raw JSON"</summary>
                <pre class="code"><bdi>{visible_lines(&json)}</bdi></pre>
            </details>
        </section>
    }
    .into_any()
}

/// Keeps line breaks, shows everything else that would act.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// A short list of the newest events, and the way to all of them.
pub fn short_list(events: &[Event], all: String, now: Ts) -> AnyView {
    if events.is_empty() {
        return view! { <p class="muted">"No event is recorded here yet."</p> }.into_any();
    }
    let groups = model::view::group(events.to_vec(), true);
    let n = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let rows: Vec<_> = groups
        .iter()
        .take(12)
        .map(|group| event_row(group, Cells::Plain, false, group.event.path(), now))
        .collect();
    view! {
        <div class="events short">{rows}</div>
        <p><a href=all>"All events"</a>" "<span class="muted">{format!("{} newest shown, folded", plural(n, "event"))}</span></p>
    }
    .into_any()
}
