//! Condition lanes, kept current. Segments are links, so selecting one works without script too.

use leptos::prelude::*;
use model::live::State;

use crate::{
    live::{now, slice},
    parts::timeline::timeline,
};

/// The lanes of the app-env or the object that the page is about.
#[island]
pub fn Timeline(
    /// The selected segment.
    sel: Option<String>,
    /// The page's path.
    base: String,
    /// Whether the reader chose the range: frames show the default one, so it stays as it is.
    still: bool,
) -> impl IntoView {
    let lanes = slice(|board| match &board.state {
        Some(State::Env { view }) => Some(view.timeline.clone()),
        Some(State::Object { view }) => Some(view.timeline.clone()),
        _ => None,
    });
    move || {
        if still {
            lanes.with_untracked(|lanes| {
                lanes.as_ref().map(|lanes| timeline(lanes, sel.as_deref(), &base, now()))
            })
        } else {
            lanes.with(|lanes| lanes.as_ref().map(|lanes| timeline(lanes, sel.as_deref(), &base, now())))
        }
    }
}
