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
mod audit;
mod doctor;
mod error;
mod events;
mod frames;
mod object;
mod overview;
mod plan;
mod receipts;
mod reference;
mod releases;
mod search;
mod settings;
mod sign_in;
mod sources;
mod tame;
mod waits;

use leptos::prelude::*;
use model::{
    Seq, Ts, ViewState,
    live::{Board, State, Topic},
    stream::EventList,
};

pub use error::{error_title, render_error};
pub use frames::{Frames, whole};
pub use sign_in::render_sign_in;

use crate::{
    api::Page,
    layout::{Around, Keys, Look},
    live,
    looks::Looks,
    shell::{self, Document},
};

/// Pages that have a place of their own, for the search.
pub const PLACES: [(&str, &str); 11] = [
    ("Overview", "/"),
    ("Events", "/events"),
    ("Waits", "/waits"),
    ("Receipts", "/receipts"),
    ("Sources", "/sources"),
    ("Audit", "/audit"),
    ("Doctor", "/doctor"),
    ("Settings", "/settings"),
    ("Keys", "/help/keys"),
    ("Error codes", "/codes"),
    ("API", "/api"),
];

/// What the keys that copy take from a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The id of what it is about.
    pub id: Option<String>,
    /// The command that shows the same.
    pub cli: Option<String>,
}

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

    /// What it is about, for whoever copies it.
    fn subject(&self) -> Subject {
        Subject::default()
    }

    /// What islands get.
    fn follow(&self, state: &ViewState) -> Follow;

    /// Everything in `<main>`.
    fn view(page: Page<Self>, state: ViewState, keys: Keys) -> AnyView;
}

/// A page without what belongs to one response: the dear part, which readers without special rights may share.
#[derive(Debug, Clone)]
pub struct Body {
    title: String,
    /// The board as its script.
    script: String,
    /// What is in `<main>`.
    main: String,
    /// The board without its contents, for the islands of the frame.
    board: Board,
    around: Around,
}

impl Body {
    /// Up to where in the journal it is complete.
    #[must_use]
    pub fn as_of(&self) -> Seq {
        self.board.as_of
    }

    /// From when it is.
    #[must_use]
    pub fn made_at(&self) -> Ts {
        self.board.now
    }
}

/// Renders what a page is about. Nothing in it depends on who reads, but on whether they may act, and on `keys`,
/// which are empty for those who may not. `looks` are for the page that sets them.
#[must_use]
pub fn body<T: Screen>(mut page: Page<T>, state: ViewState, keys: Keys, looks: Looks) -> Body {
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
    let keys = if writes { keys } else { Keys { token: String::new(), ..keys } };
    let around = Around::of(&page, &state);
    let script = shell::json_script_html(live::BOARD, &board);
    let light =
        Board { state: None, list: EventList::default(), topic: board.topic.clone(), ..still_of(&board) };
    let main = shell::render_part(move || {
        provide_context(live::Live::new(board));
        provide_context(looks);
        T::view(page, state, keys)
    });
    Body { title, script, main, board: light, around }
}

/// A page as a whole document.
#[must_use]
pub fn render<T: Screen>(page: Page<T>, state: ViewState, look: &Look<'_>) -> String {
    let viewer = page.viewer.clone();
    let keys = Keys { token: look.form_token.to_owned(), idempotency: look.idempotency_key.to_owned() };
    whole(&body(page, state, keys, look.looks), &viewer, look)
}

fn still_of(board: &Board) -> Board {
    Board { store_id: board.store_id.clone(), as_of: board.as_of, ..still(board.now, &board.build_id) }
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
    let document = Document { title, looks: look.looks, nonce: look.nonce, assets: look.assets };
    shell::render(&document, body)
}
