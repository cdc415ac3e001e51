//! The moving parts of the app/env page, each on its own slice of the board.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::Marker;

use crate::{
    live::{env, live, now, slice},
    parts::{
        actions, changes, event_row, instances, links::link, receipt_card::receipt_card,
        release_table::release_table, wait_card::wait_card,
    },
    ui::{
        banner::panel,
        id_chip::id_chip,
        text::{clamp, outside, outside_long, visible},
        time,
    },
};

/// What can be done. Nothing can be while the page does not know how things are.
#[island]
pub fn EnvActions(
    /// Why nothing may be done on this page at all: it shows the past.
    blocked: Option<String>,
) -> impl IntoView {
    let fresh = live().fresh;
    let states = slice(|board| env(board).map(|view| view.actions.clone()).unwrap_or_default());
    move || {
        let lost = fresh.get().is_some_and(|fresh| !fresh.allows_action());
        let why = if lost { Some("disconnected: what you see may be old") } else { blocked.as_deref() };
        states.with(|states| actions::actions(states, why))
    }
}

/// Ids, and what the last look of a controller came to.
#[island]
pub fn EnvFacts() -> impl IntoView {
    let facts = slice(|board| {
        env(board).map(|view| {
            let change = view.changes.first().cloned();
            (view.target.clone(), view.last_reconcile_at, view.last_reconcile_error.clone(), change)
        })
    });
    move || {
        facts.with(|facts| {
            facts.as_ref().map(|(target, at, error, change)| {
                let last = match at {
                    Some(at) => view! { {at.clock()} }.erased(),
                    None => view! { <span class="unreported">"not reported"</span> }.erased(),
                };
                let error = error
                    .as_ref()
                    .map(|error| view! { <span class="bad">" · error: "{outside_long(error)}</span> });
                view! {
                    <div class="facts-line">
                        {id_chip(target.app_id.as_str())}
                        {id_chip(target.env_id.as_str())}
                        <div>"last reconcile "{last}{error}</div>
                        <div>"latest change "{latest(change.as_ref())}</div>
                    </div>
                }
            })
        })
    }
}

/// The fourth question, above the fold: what changed last.
fn latest(change: Option<&Marker>) -> AnyView {
    match change {
        Some(change) => view! {
            <span aria-hidden="true">{change.kind.glyph()}" "</span>
            {link(&change.href, "change", view! { <bdi>{visible(&clamp(&change.title, 60))}</bdi> })}
            " by "
            {outside(&change.actor)}
            " "
            {time::ago(change.at, now())}
        }
        .erased(),
        None => view! { "none recorded" }.erased(),
    }
}

/// Receipts and waits that are still open, where the action was taken.
#[island]
pub fn EnvRunning(
    /// For their buttons; empty where nobody may press them.
    token: String,
) -> impl IntoView {
    let running =
        slice(|board| env(board).map(|view| (view.receipts.clone(), view.waits.clone())).unwrap_or_default());
    move || {
        running.with(|(receipts, waits)| {
            let receipts: Vec<_> =
                receipts.iter().map(|receipt| receipt_card(receipt, &token, now())).collect();
            let waits: Vec<_> = waits.iter().map(|wait| wait_card(wait, &token, now())).collect();
            view! { <div class="running">{receipts}{waits}</div> }
        })
    }
}

/// One square each.
#[island]
pub fn Instances() -> impl IntoView {
    let rows = slice(|board| env(board).map(|view| view.instances.clone()).unwrap_or_default());
    move || {
        rows.with(|rows| panel("instances", "Instances", instances::tally(rows), instances::squares(rows)))
    }
}

/// What changed.
#[island]
pub fn EnvChanges() -> impl IntoView {
    let markers = slice(|board| env(board).map(|view| view.changes.clone()).unwrap_or_default());
    move || markers.with(|markers| panel("changes", "What changed", (), changes::list(markers, now())))
}

/// The newest events.
#[island]
pub fn EnvEvents(
    /// The way to all of them.
    all: String,
) -> impl IntoView {
    let events = slice(|board| env(board).map(|view| view.events.clone()).unwrap_or_default());
    move || {
        events.with(|events| panel("events", "Events", (), event_row::short_list(events, all.clone(), now())))
    }
}

/// The newest releases.
#[island]
pub fn EnvReleases(
    /// The way to all of them.
    all: String,
) -> impl IntoView {
    let rows = slice(|board| env(board).map(|view| view.releases.clone()).unwrap_or_default());
    move || {
        let all = all.clone();
        rows.with(|rows| {
            let newest = &rows[..rows.len().min(10)];
            panel(
                "releases",
                "Releases",
                view! { <a href=all>"All releases"</a> },
                release_table(newest, now()),
            )
        })
    }
}
