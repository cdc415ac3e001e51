//! Pages: what the server calls to turn data into a document.
//!
//! ```text
//! let page = backend.env(&viewer, &app, &env, &state).await?;      // in an axum handler
//! let html = app::pages::render(page, state, &look);               // a whole document
//! ```
//!
//! A page chooses nothing and loads nothing. [`Screen`] is implemented by the data of each page; errors
//! have [`render_error`], signing in has [`render_sign_in`].

mod app_env;
mod error;
mod events;
mod object;
mod overview;
mod plan;
mod receipts;
mod releases;
mod sign_in;
mod tame;
mod waits;

use leptos::prelude::*;
use model::{
    Seq, Ts, ViewState,
    live::{Board, State, Topic},
    stream::EventList,
};

pub use error::{error_title, render_error};
pub use sign_in::render_sign_in;

use crate::{
    api::Page,
    layout::{Frame, Keys, Look, frame},
    live,
    shell::{self, Document},
};

/// What a page follows on the socket, and what islands start from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Follow {
    /// The topic; `None` for a page that does not move.
    pub topic: Option<Topic>,
    /// What it is about.
    pub state: Option<State>,
    /// Its events, for pages that are about them.
    pub list: EventList,
}

/// Data that has a page.
pub trait Screen: Sized + 'static {
    /// The text of the title; the part before `· Vantage` says the verdict, where there is one.
    fn title(&self) -> String;

    /// Cuts texts from outside that are too long to be sent.
    fn tame(&mut self) {}

    /// What islands get.
    fn follow(&self, state: &ViewState) -> Follow;

    /// Everything in `<main>`.
    fn view(page: Page<Self>, state: ViewState, keys: Keys) -> AnyView;
}

/// A page as a whole document.
#[must_use]
pub fn render<T: Screen>(mut page: Page<T>, state: ViewState, look: &Look<'_>) -> String {
    page.data.tame();
    let mut follow = page.data.follow(&state);
    if state.at.is_some() || state.paused {
        follow.topic = None;
    }
    let board = Board {
        build_id: page.build_id.clone(),
        store_id: page.store_id.clone(),
        as_of: page.as_of,
        now: state.at.unwrap_or(page.now),
        topic: follow.topic,
        state: follow.state,
        list: follow.list,
    };
    page.now = board.now;
    let title = board.state.as_ref().map_or_else(|| page.data.title(), live::title);
    let writes = page.viewer.may_act() && state.at.is_none();
    let keys = Keys {
        token: if writes { look.form_token.to_owned() } else { String::new() },
        idempotency: look.idempotency_key.to_owned(),
    };
    let around = Frame::of(&page, &state, look);
    document(title, look, move || frame(around, board, move || T::view(page, state, keys)))
}

/// A board for pages that are about nothing that moves.
fn still(now: Ts, build_id: &str) -> Board {
    Board {
        build_id: build_id.to_owned(),
        store_id: String::new(),
        as_of: Seq(0),
        now,
        topic: None,
        state: None,
        list: EventList::default(),
    }
}

fn document(title: String, look: &Look<'_>, body: impl FnOnce() -> AnyView) -> String {
    let document = Document { title, theme: look.theme, nonce: look.nonce, assets: look.assets };
    shell::render(&document, body)
}
