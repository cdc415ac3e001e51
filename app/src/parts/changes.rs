//! What changed: the fourth question, as a list and as a strip over time.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Marker, Ts};

use crate::{
    parts::{links, timeline::percent},
    ui::{text::visible, time},
};

/// Changes as they come, newest first.
pub fn list(markers: &[Marker], now: Ts) -> AnyView {
    if markers.is_empty() {
        return view! { <p class="muted">"No change is recorded here yet."</p> }.erased();
    }
    let items: Vec<_> = markers
        .iter()
        .map(|marker| {
            view! {
                <li>
                    {time::clock(marker.at, now)}
                    <span class="glyph" aria-hidden="true">{marker.kind.glyph()}</span>
                    {links::link(&marker.href, "change", view! { <bdi>{visible(&marker.title)}</bdi> })}
                    <span class="muted">"by "<bdi>{visible(&marker.actor)}</bdi></span>
                </li>
            }
        })
        .collect();
    view! { <ul class="changes">{items}</ul> }.erased()
}

/// Changes of a range of time as marks on a line, with the same list as text below.
pub fn strip(markers: &[Marker], from: Ts, now: Ts) -> AnyView {
    if markers.is_empty() {
        return view! { <p class="muted">"No change in the last two hours."</p> }.erased();
    }
    let marks: Vec<_> = markers
        .iter()
        .map(|marker| {
            let title = format!("{} {} by {}", marker.at.clock(), visible(&marker.title), visible(&marker.actor));
            view! {
                <g class="mark">
                    <title>{title}</title>
                    <text x=percent(marker.at, from, now) y="19" text-anchor="middle">{marker.kind.glyph()}</text>
                </g>
            }
        })
        .collect();
    let newest: Vec<Marker> = markers.iter().rev().take(12).cloned().collect();
    view! {
        <div class="strip">
            <time datetime=from.to_string()>{from.clock()}</time>
            <svg class="strip-line" width="100%" height="28" aria-hidden="true" focusable="false">
                <line x1="0" x2="100%" y1="23.5" y2="23.5"></line>
                {marks}
            </svg>
            <span>"now"</span>
        </div>
        <p class="legend muted" aria-hidden="true">"▲ deploy  ◆ change  ↶ rollback  ⟳ restart  ● human"</p>
        {list(&newest, now)}
    }
    .erased()
}
