//! Text from outside stays text: every hostile text of the corpus goes through every field that takes text, and no
//! page has an element, an attribute or a link that harmless texts in the same places do not bring along.
#![allow(clippy::unwrap_used)]

#[path = "hostile/page.rs"]
mod page;
#[path = "hostile/world.rs"]
mod world;

use app::ui::text::{clamp, visible};
use page::Seen;
use testkit::{Response, TestApp, hostile, on_both_engines};
use world::World;

/// Texts that do no harm, of the same shapes: short, long, of several lines, with a number, with a colon; and enough
/// of them that lists have a second page.
fn harmless() -> Vec<String> {
    let texts = ["plain words", "two\nlines of\twords", "12", "kind:word", "https word", "ünïcödé 🦀"];
    let long = ["word ".repeat(4000), "x".repeat(20_000), "w".repeat(700)];
    texts.map(str::to_owned).into_iter().chain(long).chain((0..60).map(|n| format!("word {n}"))).collect()
}

/// What all pages are made of while these texts are in every place that takes text.
async fn made_of(app: &TestApp, texts: &[String]) -> Seen {
    let world = World::of(app, texts).await;
    let mut seen = Seen::default();
    for path in world.stored() {
        let page: Response = world.browser.get(path).await.has_status(200);
        seen.look(&page, path);
    }
    for (text, path) in world.shown() {
        let page: Response = world.browser.get(path).await.has_status(200);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = words(&seen.look(&page, path));
        // Two marks cannot be stored, and their places say so.
        let shown = [text.clone(), text.replace(['\0', '\u{1f}'], "\u{fffd}")]
            .map(|text| words(&visible(&clamp(&text, 60))));
        let shown = shown.each_ref().map(|text| text.trim_end_matches('…').trim());
        assert!(shown.iter().any(|text| found.contains(text)), "{path} does not show {shown:?}");
    }
    println!("{} texts, {} pages with what was stored", texts.len(), seen.pages);
    seen
}

async fn nothing_that_is_stored_becomes_markup(app: TestApp) {
    let mut seen = made_of(&app, &harmless()).await;
    let harmless = std::mem::take(&mut seen.made_of);
    let seen = made_of(&app, &hostile()).await;
    seen.is_made_of_nothing_but(&harmless);
    app.stop().await;
}

/// Pages that give back what an address or a form says.
async fn echoed(app: &TestApp, texts: &[String]) -> Seen {
    let world = World::of(app, &[]).await;
    let mut seen = Seen::default();
    for text in texts {
        for path in world.asked(text) {
            for client in [&world.browser, &app.anonymous()] {
                let answer: Response = client.get(&path).await;
                assert!(answer.status < 500, "{path:.300}: {}", answer.status);
                if answer.header("content-type").starts_with("text/html") {
                    seen.look(&answer, &path);
                }
                assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 0, "{path:.300}");
            }
        }
        for (path, fields) in world.forms(text) {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = world.browser.form(&path, &fields).await;
            assert!(answer.status < 500, "{path} {text:.100?}: {}", answer.status);
            if answer.header("content-type").starts_with("text/html") {
                seen.look(&answer, &path);
            }
        }
    }
    println!("{} texts, {} pages that give them back", texts.len(), seen.pages);
    seen
}

async fn nothing_that_is_asked_for_becomes_markup(app: TestApp) {
    // Nothing has a second page here.
    let harmless = echoed(&app, &harmless()[..9]).await;
    echoed(&app, &hostile()).await.is_made_of_nothing_but(&harmless.made_of);
    app.stop().await;
}

/// Half of a character, as only escapes can say it, is no text.
async fn half_a_character_is_refused(app: TestApp) {
    let world = World::of(&app, &[]).await;
    for text in [r"\ud800", r"\udfff", r"x\udc00\ud800", r"\ud83d"] {
        let line = format!(
            r#"{{"type":"event","at":"2026-01-01T00:00:00Z","kind":"machine","id":"m","action":"x","outcome":"info","message":"{text}"}}"#
        );
        let answer = world.report(&app, line).await;
        assert!(answer.contains(r#""result":"refused""#) && answer.contains(r#""stored":0"#), "{answer}");
    }
    app.stop().await;
}

#[test]
fn the_corpus_has_120_texts_and_none_twice() {
    let all = hostile();
    assert_eq!(all.len(), 120);
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 120);
}

on_both_engines! {
    nothing_that_is_stored_becomes_markup,
    nothing_that_is_asked_for_becomes_markup,
    half_a_character_is_refused,
}
