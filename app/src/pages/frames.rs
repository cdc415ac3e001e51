//! The document around a body: rendered once, and filled for each response with what belongs to that response alone.
//!
//! A frame holds nothing of one response: its nonce, its form token and the body have places, and the places are
//! filled when the response is written. So a frame can be used again for the same reader and the same page.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use leptos::prelude::*;
use model::live::Board;

use super::{Body, document};
use crate::{
    api::Viewer,
    layout::{Around, Frame, Look, frame_with},
    looks::Looks,
    shell::AssetNames,
};

/// How many frames are kept.
const MAX: usize = 64;

/// What has a place in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nonce,
    Token,
    Board,
    Main,
}

/// A document with places.
#[derive(Debug)]
struct Template {
    /// A text, and what comes after it.
    pieces: Vec<(String, Place)>,
    end: String,
}

impl Template {
    /// The frame of a body for this reader.
    fn new(body: &Body, viewer: &Viewer, look: &Look<'_>) -> Self {
        // Nobody knew the nonce of this response when the texts of this frame were written, so nothing else in it can
        // look like one of these places.
        let places = [Place::Nonce, Place::Token, Place::Board, Place::Main];
        let places = places.map(|place| (format!("{place:?}-{}-{place:?}", look.nonce), place));
        let [(nonce, _), (token, _), (script, _), (main, _)] = places.clone();
        let look = Look { nonce: &nonce, form_token: &token, ..*look };
        let around = Frame::of(&body.around, viewer, &look);
        let board = body.board.clone();
        let document = document(body.title.clone(), &look, move || {
            frame_with(around, board, script.into_any(), move || main.into_any())
        });
        let (mut pieces, mut rest) = (vec![], document.as_str());
        let next = |rest: &str| {
            places
                .iter()
                .filter_map(|(name, place)| Some((rest.find(name)?, name.len(), *place)))
                .min_by_key(|(at, ..)| *at)
        };
        while let Some((at, length, place)) = next(rest) {
            pieces.push((rest[..at].to_owned(), place));
            rest = &rest[at + length..];
        }
        Self { pieces, end: rest.to_owned() }
    }

    /// The document of one response.
    fn fill(&self, body: &Body, look: &Look<'_>) -> String {
        let token = attribute(look.form_token);
        let texts = self.pieces.iter().map(|(text, _)| text.len() + 64).sum::<usize>();
        let size = texts + self.end.len() + body.script.len() + body.main.len();
        let mut out = String::with_capacity(size);
        for (text, place) in &self.pieces {
            out.push_str(text);
            out.push_str(match place {
                Place::Nonce => look.nonce,
                Place::Token => &token,
                Place::Board => &body.script,
                Place::Main => &body.main,
            });
        }
        out.push_str(&self.end);
        out
    }
}

/// A text for a quoted attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A body as a whole document, for this reader and this response.
#[must_use]
pub fn whole(body: &Body, viewer: &Viewer, look: &Look<'_>) -> String {
    Template::new(body, viewer, look).fill(body, look)
}

/// Frames that were rendered a moment ago.
#[derive(Debug, Default)]
pub struct Frames(Mutex<VecDeque<Kept>>);

/// A frame with everything that it was made of.
#[derive(Debug)]
struct Kept {
    board: Board,
    title: String,
    around: Around,
    viewer: Viewer,
    looks: Looks,
    path: String,
    assets: AssetNames,
    template: Arc<Template>,
}

impl Kept {
    fn is_of(&self, body: &Body, viewer: &Viewer, look: &Look<'_>) -> bool {
        self.board == body.board
            && self.path == look.path
            && self.viewer == *viewer
            && self.looks == look.looks
            && self.title == body.title
            && self.around == body.around
            && self.assets == *look.assets
    }
}

impl Frames {
    /// A body as a whole document, in a frame that may have been used before: for this reader, this page and these
    /// looks, and for nobody else.
    #[must_use]
    pub fn whole(&self, body: &Body, viewer: &Viewer, look: &Look<'_>) -> String {
        let known = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let found = kept.iter().find(|kept| kept.is_of(body, viewer, look));
            found.map(|kept| Arc::clone(&kept.template))
        };
        known.unwrap_or_else(|| self.keep(body, viewer, look)).fill(body, look)
    }

    fn keep(&self, body: &Body, viewer: &Viewer, look: &Look<'_>) -> Arc<Template> {
        let template = Arc::new(Template::new(body, viewer, look));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(MAX - 1);
        // The newest is the one that is asked for next.
        kept.push_front(Kept {
            board: body.board.clone(),
            title: body.title.clone(),
            around: body.around.clone(),
            viewer: viewer.clone(),
            looks: look.looks,
            path: look.path.to_owned(),
            assets: look.assets.clone(),
            template: Arc::clone(&template),
        });
        template
    }
}

#[cfg(test)]
mod tests {
    use model::{Role, Seq, Ts};

    use super::*;

    fn body() -> Body {
        let board = super::super::still(Ts(0), "build");
        let around = Around::default();
        Body { title: "Overview".into(), script: "<i></i>".into(), main: "<p>main</p>".into(), board, around }
    }

    fn viewer(name: &str) -> Viewer {
        Viewer { name: name.into(), role: Role::Viewer, signed_in: true, ends_at: None }
    }

    fn look<'a>(nonce: &'a str, token: &'a str, assets: &'a AssetNames) -> Look<'a> {
        Look { nonce, assets, looks: Looks::default(), form_token: token, idempotency_key: "", path: "/" }
    }

    #[test]
    fn a_frame_that_is_used_again_makes_the_same_document_as_a_new_one() {
        let (frames, assets) = (Frames::default(), AssetNames::default());
        let _ = frames.whole(&body(), &viewer("ada"), &look("first", "one", &assets));
        let look = look("second", "two", &assets);
        let again = frames.whole(&body(), &viewer("ada"), &look);
        assert_eq!(again, whole(&body(), &viewer("ada"), &look));
    }

    #[test]
    fn nothing_of_one_response_is_left_for_the_next() {
        let (frames, assets) = (Frames::default(), AssetNames::default());
        let _ = frames.whole(&body(), &viewer("ada"), &look("first", "one", &assets));
        let again = frames.whole(&body(), &viewer("ada"), &look("second", "two", &assets));
        assert!(!again.contains("first") && !again.contains("\"one\""), "{again}");
    }

    #[test]
    fn a_frame_is_used_for_nobody_else() {
        let (frames, assets) = (Frames::default(), AssetNames::default());
        let _ = frames.whole(&body(), &viewer("ada"), &look("first", "one", &assets));
        let other = frames.whole(&body(), &viewer("bob"), &look("second", "two", &assets));
        assert!(other.contains("bob") && !other.contains("ada"), "{other}");
    }

    #[test]
    fn a_frame_is_used_for_no_other_moment() {
        let (frames, assets) = (Frames::default(), AssetNames::default());
        let _ = frames.whole(&body(), &viewer("ada"), &look("first", "one", &assets));
        let mut later = body();
        later.board = Board { as_of: Seq(9), now: Ts(61_000_000), ..later.board };
        let other = frames.whole(&later, &viewer("ada"), &look("second", "two", &assets));
        assert!(other.contains("00:01:01Z"), "{other}");
    }

    #[test]
    fn a_hostile_token_stays_in_its_attribute() {
        let assets = AssetNames::default();
        let html = whole(&body(), &viewer("ada"), &look("first", "\"><b>", &assets));
        assert!(!html.contains("<b>"), "{html}");
    }

    #[test]
    fn only_so_many_frames_are_kept() {
        let (frames, assets) = (Frames::default(), AssetNames::default());
        for n in 0..3 * MAX {
            let _ = frames.whole(&body(), &viewer(&format!("reader-{n}")), &look("first", "", &assets));
        }
        assert!(frames.0.lock().unwrap().len() <= MAX);
    }
}
