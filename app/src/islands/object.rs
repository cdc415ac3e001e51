//! The moving parts of the object page.

use leptos::prelude::*;

use crate::{
    live::{now, object, slice},
    parts::{conditions, event_row, facts},
    ui::banner::panel,
};

/// The conditions table.
#[island]
pub fn Conditions() -> impl IntoView {
    let shown = slice(|board| object(board).map(|view| view.object.clone()));
    move || {
        shown.with(|shown| {
            shown
                .as_ref()
                .map(|object| panel("conditions", "Conditions", (), conditions::table(object, now())))
        })
    }
}

/// The card of its kind, and its neighbours.
#[island]
pub fn ObjectFacts() -> impl IntoView {
    let shown = slice(|board| object(board).map(|view| (view.object.clone(), view.related.clone())));
    move || {
        shown.with(|shown| {
            shown.as_ref().map(|(object, related)| {
                view! {
                    {panel("card", "Reported", (), facts::kind_card(object))}
                    {panel("related", "Related", (), facts::related(related))}
                }
            })
        })
    }
}

/// The newest events.
#[island]
pub fn ObjectEvents(
    /// The way to all of them.
    all: String,
) -> impl IntoView {
    let events = slice(|board| object(board).map(|view| view.events.clone()).unwrap_or_default());
    move || {
        events.with(|events| panel("events", "Events", (), event_row::short_list(events, all.clone(), now())))
    }
}
