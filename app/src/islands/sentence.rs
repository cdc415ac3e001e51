//! The sentence of a page, and with it the title of the tab.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Receipt, Verdict, Wait,
    live::State,
    view::{EnvView, ObjectView},
};

use crate::{
    live::{live, now, slice, title},
    parts::{receipt_card, verdict_chip, wait_card},
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
    Env(Box<EnvView>),
    Object(Box<ObjectView>),
    Receipt(Box<Receipt>),
    Wait(Box<Wait>),
    Gone,
}

impl Told {
    fn of(state: &State) -> Self {
        match state {
            State::Overview { view } => {
                Self::Overview { verdict: view.verdict, sentence: view.sentence.clone() }
            }
            State::Env { view } => Self::Env(view.clone()),
            State::Object { view } => Self::Object(view.clone()),
            State::Receipt { view } => Self::Receipt(view.clone()),
            State::Wait { view } => Self::Wait(view.clone()),
            State::Gone => Self::Gone,
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
    match told {
        Told::Overview { verdict, sentence } => view! {
            <h1 class="sentence" data-verdict=verdict.as_str()>
                {verdict_chip::verdict_chip(*verdict)}
                " "
                <span class="sentence-text">{outside(sentence)}</span>
            </h1>
        }
        .erased(),
        Told::Env(view) => view! {
            {verdict_chip::headline(&view.target.title(), &view.judgement, view.stale_since, now())}
            {verdict_chip::because(&view.judgement)}
        }
        .erased(),
        Told::Object(view) => view! {
            {verdict_chip::headline(&view.object.name, &view.judgement, view.stale_since, now())}
            {verdict_chip::because(&view.judgement)}
        }
        .erased(),
        Told::Receipt(receipt) => {
            view! { <h1 class="sentence"><span class="sentence-text">{outside(&receipt_card::outcome_sentence(receipt))}</span></h1> }.erased()
        }
        Told::Wait(wait) => wait_card::headline(wait),
        Told::Gone => view! {
            <h1 class="sentence">"This is gone."</h1>
            {banner(Level::Note, "What you see below is the last state that was recorded.")}
        }
        .erased(),
    }
}
