//! What only a browser can tell on `/doctor`: that script and WebAssembly run, how long the socket takes, and how far
//! the clocks are apart. Each check is measured here and written into its line; none is assumed.

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, closure::Closure};

use super::{after_ms, dom, local_now};
use crate::live::live;

/// A socket that does not answer within this does not work.
const PATIENCE_MS: u64 = 5_000;
/// Clocks that are further apart are worth saying, in milliseconds.
const APART_MS: f64 = 2_000.0;

/// Measures where the page is the doctor's.
pub(super) fn install() {
    if dom::first("#doctor").is_none() {
        return;
    }
    write("wasm", true, "runs", "");
    clock();
    socket();
}

/// Writes what was found into the line of a check.
fn write(name: &str, fine: bool, found: &str, fix: &str) {
    let Some(line) = dom::first(&["#check-", name].concat()) else { return };
    let _ = line.set_attribute("data-tone", if fine { "good" } else { "bad" });
    for (part, text) in [
        (".glyph", if fine { "✓" } else { "✖" }),
        (".check-word", if fine { "fine" } else { "fails" }),
        (".check-found", found),
    ] {
        if let Ok(Some(part)) = line.query_selector(part) {
            part.set_text_content(Some(text));
        }
    }
    if let Some(fix) = dom::made("p", "", fix).filter(|_| !fine) {
        let _ = line.append_child(&fix);
    }
}

/// Compared with the time at which the server made this page: the page took a moment to come, so only a browser
/// that is behind, or far ahead, is surely wrong.
fn clock() {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of some minutes")]
    let apart = (local_now() - live().board.read_untracked().now).as_millis() as f64;
    let took = web_sys::window().and_then(|window| window.performance()).map_or(0.0, |p| p.now());
    let skew = if apart > took { apart - took } else { apart.min(0.0) };
    let seconds = (skew / 100.0).round() / 10.0;
    let words = ["at most ", &seconds.abs().to_string(), " s from the server's"].concat();
    write(
        "clock",
        skew.abs() < APART_MS,
        &words,
        "Set the clock of this machine; relative times here use the server's.",
    );
}

/// From opening the socket to the server's first word.
fn socket() {
    const FIX: &str = "Look whether a proxy on the way lets websockets through to /live.";
    let begin = local_now();
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    let url = [origin.replacen("http", "ws", 1).as_str(), "/live"].concat();
    let Ok(socket) = web_sys::WebSocket::new(&url) else {
        return write("socket", false, "cannot be opened", FIX);
    };
    let answered = std::rc::Rc::new(std::cell::Cell::new(false));
    let heard = {
        let (answered, socket) = (answered.clone(), socket.clone());
        Closure::once_into_js(move || {
            answered.set(true);
            let ms = (local_now() - begin).as_millis();
            write(
                "socket",
                true,
                &[ms.to_string().as_str(), " ms from opening to the server's first word"].concat(),
                "",
            );
            let _ = socket.close();
        })
    };
    socket.set_onmessage(Some(heard.unchecked_ref()));
    after_ms(PATIENCE_MS, move || {
        if !answered.get() {
            write("socket", false, "no word from the server within 5 s", FIX);
            let _ = socket.close();
        }
    });
}
