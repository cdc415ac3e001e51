//! The verdict: shape, word, then colour.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Judgement, Ts, Verdict};

use crate::ui::{text::outside, time};

/// The shape of a verdict. Its meaning is in the word beside it, so it is hidden from screen readers.
pub fn verdict_icon(verdict: Verdict) -> AnyView {
    // Outline, then what is inside of it.
    let (outline, inside) = match verdict {
        Verdict::Failed => ("M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5z", "M5.5 5.5l5 5M10.5 5.5l-5 5"),
        Verdict::Stuck => ("M8 .8 15.2 8 8 15.2.8 8z", "M5.8 4.9h4.4L5.8 11h4.4z"),
        Verdict::Unknown => (
            "M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2z",
            "M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.6.3-.8.6-.8 1.2M8 11.3v.4",
        ),
        Verdict::Degraded => ("M8 1.4 15.2 14H.8z", "M8 5.8v3.9M8 11.6v.4"),
        Verdict::Waiting => (
            "M3.5 1.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2z",
            "M6.2 5v6M9.8 5v6",
        ),
        Verdict::Converging => ("M13.9 10.5A6.4 6.4 0 1 1 8 1.6", "M8 1.6l3.2-.9M8 1.6l2 2.7"),
        Verdict::Converged => ("M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2z", "M4.9 8.2l2.2 2.2 4-4.6"),
        Verdict::Idle => ("M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2z", "M5 8h6"),
    };
    view! {
        <svg class="shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path class="shape-outline" d=outline></path>
            <path class="shape-inside" d=inside></path>
        </svg>
    }
    .erased()
}

/// Shape and word.
pub fn verdict_chip(verdict: Verdict) -> AnyView {
    view! {
        <span class="chip" data-verdict=verdict.as_str()>
            {verdict_icon(verdict)}
            <span>{verdict.word()}</span>
        </span>
    }
    .erased()
}

/// Shape, word and how long it has held.
pub fn verdict_since(verdict: Verdict, since: Ts, now: Ts) -> AnyView {
    view! {
        <span class="chip" data-verdict=verdict.as_str()>
            {verdict_icon(verdict)}
            <span>{verdict.word()}</span>
            {time::relative(time::Rel::For, since, now)}
        </span>
    }
    .erased()
}

/// The sentence of a page, with its verdict in front: what a person could paste into chat.
pub fn headline(name: &str, judgement: &Judgement, stale_since: Option<Ts>, now: Ts) -> AnyView {
    let last_known = stale_since.map(|since| {
        view! { <span class="last-known">"Last known "{time::ago(since, now)}": "</span> }
    });
    view! {
        <h1 class="sentence" data-verdict=judgement.verdict.as_str()>
            {verdict_since(judgement.verdict, judgement.since, now)}
            " "
            {last_known}
            <span class="sentence-text">{outside(name)}": "{outside(&judgement.sentence)}</span>
        </h1>
    }
    .erased()
}

/// Why this verdict: the rules that spoke.
pub fn because(judgement: &Judgement) -> Option<AnyView> {
    if judgement.because.is_empty() {
        return None;
    }
    let rules = judgement.because.iter().map(|because| {
        view! {
            <li>
                <code>{crate::ui::text::visible(&because.rule)}</code>
                " "
                {outside(&because.text)}
            </li>
        }
    });
    let rules = rules.collect::<Vec<_>>();
    Some(
        view! {
            <details class="because">
                <summary>"Why this verdict?"</summary>
                <ul>{rules}</ul>
            </details>
        }
        .erased(),
    )
}
