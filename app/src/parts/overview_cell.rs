//! One app-env in the grid of the overview: a small place that stays where it is, with what was said of it lately.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Ts, Verdict, ViewState, view::OverviewRow};

use crate::{
    parts::verdict_chip::verdict_since,
    ui::text::{outside, visible},
};

/// A cell, as high as every other one: whatever is said in it, nothing around it moves.
pub fn overview_cell(row: &OverviewRow, page: u32, now: Ts) -> AnyView {
    let peek = ViewState { sel: Some(row.target.env_id.to_string()), ..ViewState::grid(page) }.link("/");
    let verdict = row.judgement.verdict;
    view! {
        <article class="env-cell" data-verdict=verdict.as_str() id=row.target.env_id.to_string() data-peek=peek>
            <h3 class="row-name"><a href=row.target.path()><bdi>{visible(&row.target.title())}</bdi></a></h3>
            {verdict_since(verdict, row.judgement.since, now)}
            <p class="cell-reason">{outside(&row.judgement.sentence)}</p>
            {strip(&row.history)}
        </article>
    }
    .erased()
}

/// Verdicts of the last two hours, ten minutes each: glyph, then colour.
fn strip(history: &[Option<Verdict>]) -> AnyView {
    let word = |verdict: &Option<Verdict>| verdict.map_or("not recorded", Verdict::word);
    let mut words: Vec<&str> = history.iter().map(word).collect();
    words.dedup();
    let label = format!("last 2 h: {}", words.join(", then "));
    let cells: Vec<_> = history
        .iter()
        .map(|verdict| {
            view! { <i data-verdict=verdict.map(Verdict::as_str)>{verdict.map_or("", mark)}</i> }
        })
        .collect();
    view! { <p class="past" role="img" aria-label=label.clone() title=label>{cells}</p> }.erased()
}

/// The sign of a verdict in so small a place. For stuck it is the outline of its shape: many fonts lack its glyph.
const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stuck => "◆",
        other => other.glyph(),
    }
}
