//! A wait that goes on by itself.

use leptos::prelude::*;
use model::live::State;

use crate::{
    live::{now, slice},
    parts::wait_card::wait_card,
};

/// The wait that the page is about.
#[island]
pub fn WaitCard(
    /// For its buttons; empty where nobody may press them.
    token: String,
) -> impl IntoView {
    let wait = slice(|board| match &board.state {
        Some(State::Wait { view }) => Some(view.clone()),
        _ => None,
    });
    move || wait.with(|wait| wait.as_ref().map(|wait| wait_card(wait, &token, now())))
}
