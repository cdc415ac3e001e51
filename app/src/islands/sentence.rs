//! The sentence of a page, and with it the title of the tab.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Verdict, live::State, view::Overview};

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
    let told = slice(|board| board.state.as_ref().map(Told::of));
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
    move || told.with(|told| told.as_ref().map(sentence))
}

/// What the sentence is made of. Of an overview that is little, and its rows need not be copied for it.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Overview { verdict: Verdict, sentence: String },
    Other(Box<State>),
}

impl Told {
    fn of(state: &State) -> Self {
        match state {
            State::Overview { view } => {
                Self::Overview { verdict: rolled_up(view), sentence: view.sentence.clone() }
            }
            other => Self::Other(Box::new(other.clone())),
        }
    }
}

fn spoken(state: &State) -> Option<(Verdict, String)> {
    match state {
        State::Env { view } => Some((view.judgement.verdict, view.judgement.sentence.clone())),
        State::Object { view } => Some((view.judgement.verdict, view.judgement.sentence.clone())),
        _ => None,
    }
}

fn sentence(told: &Told) -> AnyView {
    let state = match told {
        Told::Overview { verdict, sentence } => return of_overview(*verdict, sentence),
        Told::Other(state) => &**state,
    };
    match state {
        State::Overview { view } => of_overview(rolled_up(view), &view.sentence),
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

fn rolled_up(view: &Overview) -> Verdict {
    Verdict::roll_up(view.rows.iter().map(|row| row.judgement.verdict))
}

fn of_overview(verdict: Verdict, sentence: &str) -> AnyView {
    view! {
        <h1 class="sentence" data-verdict=verdict.as_str()>
            {verdict_chip::verdict_chip(verdict)}
            " "
            <span class="sentence-text">{outside(sentence)}</span>
        </h1>
    }
    .erased()
}
