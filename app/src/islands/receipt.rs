//! A receipt whose lamps advance.

use leptos::prelude::*;
use model::live::State;

use crate::{
    live::{now, slice},
    parts::receipt_card::receipt_card,
};

/// The receipt that the page is about.
#[island]
pub fn ReceiptCard(
    /// For the "I checked it" button; empty where nobody may press it.
    token: String,
) -> impl IntoView {
    let receipt = slice(|board| match &board.state {
        Some(State::Receipt { view }) => Some(view.clone()),
        _ => None,
    });
    move || receipt.with(|receipt| receipt.as_ref().map(|receipt| receipt_card(receipt, &token, now())))
}
