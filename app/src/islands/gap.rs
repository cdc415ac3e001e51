//! Desired, current and why, kept current.

use leptos::prelude::*;
use model::live::State;

use crate::{
    live::{now, slice},
    parts::gap_panel::gap_panel,
};

/// The gap of the app-env or the object that the page is about.
#[island]
pub fn GapPanel() -> impl IntoView {
    let gap = slice(|board| match &board.state {
        Some(State::Env { view }) => Some((view.gap.clone(), view.target.title(), view.judgement.since)),
        Some(State::Object { view }) => {
            Some((view.gap.clone(), view.object.name.clone(), view.judgement.since))
        }
        _ => None,
    });
    move || {
        gap.with(|gap| gap.as_ref().map(|(gap, title, since)| gap_panel(gap, title, *since, now(), now())))
    }
}
