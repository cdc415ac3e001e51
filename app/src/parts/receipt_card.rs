//! A receipt: accepted, converged and checked are three words and three lamps, never merged.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Receipt, ReceiptPhase, Ts};

use crate::{
    parts::links::env_link,
    ui::{
        form::post_button,
        id_chip::{copy_button, id_chip},
        text::{outside, visible},
        time,
    },
};

/// A lamp is on, off, or says that it will never come on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lamp {
    Off,
    Moving,
    On,
    Never,
}

impl Lamp {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Moving => "moving",
            Self::On => "on",
            Self::Never => "never",
        }
    }

    const fn glyph(self) -> &'static str {
        match self {
            Self::Off => "○",
            Self::Moving => "◔",
            Self::On => "●",
            Self::Never => "✖",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Off => "not yet",
            Self::Moving => "under way",
            Self::On => "yes",
            Self::Never => "no",
        }
    }
}

fn lamp(name: &'static str, lamp: Lamp, aside: Option<String>) -> AnyView {
    view! {
        <li class="lamp" data-lamp=lamp.as_str()>
            <span>{name}</span>
            " "
            <span class="lamp-glyph" aria-hidden="true">{lamp.glyph()}</span>
            <span class="sr">{lamp.words()}</span>
            {aside.map(|aside| view! { " "<small>{aside}</small> })}
        </li>
    }
    .erased()
}

/// The three lamps.
pub fn lamps(receipt: &Receipt) -> AnyView {
    let took = || (receipt.phase_at - receipt.accepted_at).exact();
    let (converged, aside) = match &receipt.phase {
        ReceiptPhase::Accepted => (Lamp::Off, None),
        ReceiptPhase::Applying => (Lamp::Moving, None),
        ReceiptPhase::Converged => (Lamp::On, Some(took())),
        ReceiptPhase::Failed { .. } => (Lamp::Never, Some("failed".to_owned())),
        ReceiptPhase::Superseded { .. } => (Lamp::Never, Some("superseded".to_owned())),
        ReceiptPhase::TimedOut => (Lamp::Off, Some("nobody watches any more".to_owned())),
    };
    let checked = receipt.checked.as_ref();
    view! {
        <ul class="lamps">
            {lamp("accepted", Lamp::On, None)}
            {lamp("converged", converged, aside)}
            {lamp(
                "checked",
                if checked.is_some() { Lamp::On } else { Lamp::Off },
                checked.map(|checked| format!("by {}", visible(&checked.by))),
            )}
        </ul>
    }
    .erased()
}

/// What became of it, in words.
#[must_use]
pub fn outcome_sentence(receipt: &Receipt) -> String {
    let title = receipt.title();
    match &receipt.phase {
        ReceiptPhase::Accepted => format!("Accepted: {title}. No controller has seen it yet."),
        ReceiptPhase::Applying => format!("Under way: {title}."),
        ReceiptPhase::Converged => {
            format!("Converged: {title}, in {}.", (receipt.phase_at - receipt.accepted_at).exact())
        }
        ReceiptPhase::Failed { reason } => format!("Failed: {title}. {reason}"),
        ReceiptPhase::Superseded { by } => format!("Superseded: {title} was replaced by {by}."),
        ReceiptPhase::TimedOut => format!("No longer watched: {title}. It may still happen."),
    }
}

/// The card. `token` is for the "I checked it" button; empty where nobody may press it.
pub fn receipt_card(receipt: &Receipt, token: &str, now: Ts) -> AnyView {
    let check = (receipt.phase == ReceiptPhase::Converged && receipt.checked.is_none() && !token.is_empty())
        .then(|| post_button(format!("{}/check", receipt.path()), token.to_owned(), "I checked it", ()));
    let release = receipt.plan.intent.release.as_ref().map(|release| {
        view! { <div><dt>"Release"</dt><dd>{id_chip(release.as_str())}</dd></div> }
    });
    let wait = receipt.wait.as_ref().map(|wait| {
        let href = format!("/waits/{wait}");
        view! { <div><dt>"Wait"</dt><dd><a href=href>{wait.to_string()}</a></dd></div> }
    });
    let why = match &receipt.phase {
        ReceiptPhase::Failed { reason } => Some(view! { <p class="bad">{outside(reason)}</p> }.erased()),
        ReceiptPhase::Superseded { by } => {
            let href = format!("/receipts/{by}");
            Some(view! { <p>"Replaced by "<a href=href>{by.to_string()}</a>"."</p> }.erased())
        }
        ReceiptPhase::TimedOut => {
            Some(view! { <p>"Nobody watches any more; it may still happen."</p> }.erased())
        }
        _ => None,
    };
    let reason = (!receipt.reason.is_empty())
        .then(|| view! { <div><dt>"Reason"</dt><dd>{outside(&receipt.reason)}</dd></div> });
    view! {
        <article class="card receipt" data-phase=receipt.phase.as_str() id=receipt.id.to_string()>
            <div class="card-head">
                <h2><a href=receipt.path()><bdi>{visible(&receipt.title())}</bdi></a></h2>
                {lamps(receipt)}
            </div>
            {why}
            <dl class="pairs ids">
                <div><dt>"Receipt"</dt><dd>{id_chip(receipt.id.as_str())}</dd></div>
                <div><dt>"Env"</dt><dd>{env_link(&receipt.target)}" "{id_chip(receipt.target.env_id.as_str())}</dd></div>
                {release}
                <div><dt>"Generation"</dt><dd>{receipt.generation}</dd></div>
                <div><dt>"Trace"</dt><dd>{id_chip(receipt.trace_id.as_str())}</dd></div>
                {wait}
                <div><dt>"By"</dt><dd>{outside(&receipt.actor)}", "{time::clock(receipt.accepted_at, now)}" ("{time::ago(receipt.accepted_at, now)}")"</dd></div>
                {reason}
            </dl>
            <div class="row">
                {check}
                {copy_button(&receipt.copy_all(), "copy all", "ids of this receipt")}
            </div>
            <p class="muted">"Accepted is not converged, and converged is not correct: look before you call it checked."</p>
        </article>
    }
    .erased()
}
