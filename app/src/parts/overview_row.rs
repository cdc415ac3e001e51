//! One app-env on the overview: the reason is on the row, zero clicks away.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Ts,
    view::{Group, OverviewRow},
};

use crate::{
    parts::{freshness_chip::stale_chip, links, verdict_chip::verdict_chip},
    ui::{
        text::{clamp, outside, visible},
        time,
    },
};

/// The heading of a group.
#[must_use]
pub const fn title(group: Group) -> &'static str {
    match group {
        Group::Attention => "Needs attention",
        Group::Motion => "In motion",
        Group::Quiet => "Quiet",
    }
}

/// A row, as high as its neighbours are: in the quiet group it takes one line, also while a row that has
/// become loud is held there, because nothing below it may move.
pub fn overview_row(row: &OverviewRow, group: Group, now: Ts) -> AnyView {
    let quiet = group == Group::Quiet;
    let peek = format!("/?sel={}", row.target.env_id);
    let second = (!quiet).then(|| {
        let change = row.last_change.as_ref().map(|change| {
            view! {
                <span class="row-change">
                    <span aria-hidden="true">{change.kind.glyph()}</span>
                    " "
                    {links::link(&change.href, "change", view! { <bdi>{visible(&clamp(&change.title, 60))}</bdi> })}
                    " "
                    {time::clock(change.at, now)}
                </span>
            }
        });
        view! {
            <p class="row-second">
                <span>"desired "<b>{outside(&row.desired)}</b></span>
                <span>"current "<b>{outside(&row.current)}</b></span>
                {change}
                <a href=peek.clone() aria-label=format!("look at {}", visible(&row.target.title()))>"look"</a>
            </p>
        }
    });
    view! {
        <article class="env-row" data-verdict=row.judgement.verdict.as_str() id=row.target.env_id.to_string() data-peek=peek>
            <span class="row-verdict">{verdict_chip(row.judgement.verdict)}</span>
            <h3 class="row-name"><a href=row.target.path()><bdi>{visible(&row.target.title())}</bdi></a></h3>
            <p class="row-reason">
                {outside(&row.judgement.sentence)}
                {row.stale_since.map(|since| view! { " " {stale_chip(since, now)} })}
            </p>
            <span class="row-age">{time::relative(time::Rel::For, row.judgement.since, now)}</span>
            {second}
        </article>
    }
    .erased()
}
