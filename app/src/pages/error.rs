//! What is shown instead of a page: what happened, in words, and what to do.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::Ts;

use super::{document, render_sign_in, still};
use crate::{
    api::PageError,
    layout::{Crumb, Frame, Look, frame, head},
    ui::{
        id_chip::{command, id_chip},
        text::outside,
    },
};

/// The text of the title.
#[must_use]
pub const fn error_title(error: &PageError) -> &'static str {
    match error {
        PageError::NotFound { .. } => "Not found",
        PageError::Unauthenticated { .. } => "Sign in",
        PageError::Forbidden { .. } => "Not allowed",
        PageError::Invalid { .. } => "Not understood",
        PageError::Unavailable { .. } => "Not available",
    }
}

/// A whole document; the status of the response is [`PageError::status`].
#[must_use]
pub fn render_error(error: &PageError, now: Ts, look: &Look<'_>) -> String {
    if let PageError::Unauthenticated { return_to, expired } = error {
        let message = expired.then_some("Your session has ended, or its token was revoked. Sign in again; you will come back to where you were.");
        return render_sign_in(return_to, None, message, now, look);
    }
    let board = still(now, &look.assets.build_id);
    let around = Frame::bare(look);
    let title = error_title(error);
    let path = look.path.to_owned();
    let error = error.clone();
    document(format!("{title} · Vantage"), look, move || {
        frame(around, board, move || {
            let (sentence, rest) = words(&error, &path);
            view! {
                {head(vec![Crumb::to("Overview", "/"), Crumb::here(title)], view! { <h1 class="sentence"><span class="sentence-text">{outside(&sentence)}</span></h1> }, ())}
                <section class="panel narrow">{rest}</section>
            }
            .erased()
        })
    })
}

fn words(error: &PageError, path: &str) -> (String, AnyView) {
    match error {
        PageError::NotFound { what } => (
            format!("{what} does not exist."),
            view! {
                <p>"Nothing has this name or id that you may see. Ids are more reliable than names: check the link, or start from the overview."</p>
                <p class="row"><a class="button" href="/">"Overview"</a><a class="button" href="/events">"Events"</a></p>
            }
            .erased(),
        ),
        PageError::Forbidden { what, needs, holders } => (
            format!("You may not see or do this: {what}"),
            view! {
                <p>"It needs the role "<code>{needs.as_str()}</code>". Whoever runs this server can give you a token with it: "{command(&format!("vt token create NAME --role {}", needs.as_str()))}</p>
                {(!holders.is_empty()).then(|| view! { <p>"These have it: "{outside(&holders.join(", "))}"."</p> })}
                <p class="row"><a class="button" href="/">"Overview"</a></p>
            }
            .erased(),
        ),
        PageError::Invalid { what } => (
            "This request was not understood.".to_owned(),
            view! { <p>{outside(what)}</p><p>"Nothing was changed."</p><p class="row"><a class="button" href="/">"Overview"</a></p> }.erased(),
        ),
        PageError::Unavailable { what, trace_id } => (
            what.clone(),
            view! {
                <p>"Nothing was written. What you saw before may still be true; this page cannot tell."</p>
                <p>"Trace "{id_chip(trace_id.as_str())}</p>
                <p class="row"><a class="button primary" href=path.to_owned()>"Try again"</a></p>
            }
            .erased(),
        ),
        PageError::Unauthenticated { .. } => (String::new(), ().erased()),
    }
}
