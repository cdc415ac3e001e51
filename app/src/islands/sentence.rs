//! The sentence of a page, and with it the title of the tab.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Verdict, live::State};

use crate::{
    live::{live, now, slice, title},
    parts::{verdict_chip, wait_card},
    platform,
    ui::{
        banner::{Level, banner},
        text::outside,
    },
};

/// What the page is about, in one sentence: the `<h1>`.
#[island]
pub fn Sentence() -> impl IntoView {
    let said = live().said;
    let state = slice(|board| board.state.clone());
    let name = slice(|board| board.state.as_ref().map(title));
    let verdict = slice(|board| board.state.as_ref().and_then(spoken));
    Effect::new(move |before: Option<Option<String>>| {
        // The title came with the page; only later ones are set.
        let name = name.get();
        if before.is_some_and(|before| before != name)
            && let Some(name) = &name
        {
            platform::set_title(name);
        }
        name
    });
    Effect::new(move |before: Option<Option<(Verdict, String)>>| {
        let spoken = verdict.get();
        if let (Some(Some((old, _))), Some((new, sentence))) = (&before, &spoken)
            && old != new
        {
            said.set(format!("{}: {sentence}", new.word()));
        }
        spoken
    });
    move || state.with(|state| state.as_ref().map(sentence))
}

fn spoken(state: &State) -> Option<(Verdict, String)> {
    match state {
        State::Env { view } => Some((view.judgement.verdict, view.judgement.sentence.clone())),
        State::Object { view } => Some((view.judgement.verdict, view.judgement.sentence.clone())),
        _ => None,
    }
}

fn sentence(state: &State) -> AnyView {
    match state {
        State::Overview { view } => {
            let verdict = Verdict::roll_up(view.rows.iter().map(|row| row.judgement.verdict));
            view! {
                <h1 class="sentence" data-verdict=verdict.as_str()>
                    {verdict_chip::verdict_chip(verdict)}
                    " "
                    <span class="sentence-text">{outside(&view.sentence)}</span>
                </h1>
            }
            .erased()
        }
        State::Env { view } => view! {
            {verdict_chip::headline(&view.target.title(), &view.judgement, view.stale_since, now())}
            {verdict_chip::because(&view.judgement)}
        }
        .erased(),
        State::Object { view } => view! {
            {verdict_chip::headline(&view.object.name, &view.judgement, view.stale_since, now())}
            {verdict_chip::because(&view.judgement)}
        }
        .erased(),
        State::Receipt { view } => {
            view! { <h1 class="sentence"><span class="sentence-text">{outside(&crate::parts::receipt_card::outcome_sentence(view))}</span></h1> }.erased()
        }
        State::Wait { view } => wait_card::headline(view),
        State::Gone => view! {
            <h1 class="sentence">"This is gone."</h1>
            {banner(Level::Note, "What you see below is the last state that was recorded.")}
        }
        .erased(),
    }
}
