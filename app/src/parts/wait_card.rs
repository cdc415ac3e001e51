//! A wait: conditions met, not a made-up percentage; and what it does not prove.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Ts, Verdict, ViewState, Wait, WaitPhase,
    view_state::{Facet, When},
};

use crate::{
    parts::{links::env_link, verdict_chip::verdict_icon},
    ui::{
        form::{hidden, post_button},
        id_chip::id_chip,
        text::{outside, visible},
        time,
    },
};

/// The verdict whose shape a phase borrows; its word is its own.
const fn shape(wait: &Wait) -> (Verdict, &'static str) {
    match &wait.phase {
        WaitPhase::Waiting if wait.blind_since.is_some() => (Verdict::Unknown, "Blind"),
        WaitPhase::Waiting => (Verdict::Converging, "Waiting"),
        WaitPhase::Converged => (Verdict::Converged, "Converged"),
        WaitPhase::Failed { .. } => (Verdict::Failed, "Failed"),
        WaitPhase::Superseded { .. } => (Verdict::Waiting, "Superseded"),
        WaitPhase::TimedOut => (Verdict::Stuck, "Timed out"),
        WaitPhase::Stopped => (Verdict::Idle, "Stopped watching"),
    }
}

/// `◔ Waiting for checkout/prod r-1 to converge`: the page's sentence.
pub fn headline(wait: &Wait) -> AnyView {
    let (verdict, word) = shape(wait);
    view! {
        <h1 class="sentence" data-verdict=verdict.as_str()>
            <span class="chip" data-verdict=verdict.as_str()>{verdict_icon(verdict)}<span>{word}</span></span>
            " "
            <span class="sentence-text">{outside(&sentence(wait))}</span>
        </h1>
    }
    .erased()
}

/// How it stands, in words.
#[must_use]
pub fn sentence(wait: &Wait) -> String {
    let took = wait.ended_at.map_or_else(String::new, |end| (end - wait.created_at).exact());
    match &wait.phase {
        WaitPhase::Waiting => format!("Waiting for {} until {}", wait.title, wait.until.words()),
        WaitPhase::Converged => format!("{} converged in {took}", wait.title),
        WaitPhase::Failed { reason } => format!("{} will not converge: {reason}", wait.title),
        WaitPhase::Superseded { .. } => {
            format!("Desired state moved on; this wait for {} no longer applies", wait.title)
        }
        WaitPhase::TimedOut => {
            format!("{} did not converge in {took}. This may be temporary; the change goes on", wait.title)
        }
        WaitPhase::Stopped => format!("Somebody stopped watching {}; the change goes on", wait.title),
    }
}

/// The plain-text title of a tab: `◔ 3/4 · checkout/prod`.
#[must_use]
pub fn title(wait: &Wait) -> String {
    let (verdict, _) = shape(wait);
    let met = wait.items.iter().filter(|item| item.met).count();
    match wait.phase {
        WaitPhase::Waiting => format!("{} {met}/{} · {}", verdict.glyph(), wait.items.len(), wait.title),
        _ => format!("{} {} · {}", verdict.glyph(), shape(wait).1, wait.title),
    }
}

/// The card. `token` is for its buttons; empty where nobody may press them.
pub fn wait_card(wait: &Wait, token: &str, now: Ts) -> AnyView {
    let (verdict, word) = shape(wait);
    let met = wait.items.iter().filter(|item| item.met).count();
    let items: Vec<_> = wait
        .items
        .iter()
        .map(|item| {
            let (glyph, said) = if item.met { ("✓", "met") } else { ("◔", "not yet") };
            view! {
                <li class:met=item.met>
                    <span aria-hidden="true">{glyph}</span>
                    <span class="sr">{said}": "</span>
                    " "
                    {outside(&item.text)}
                </li>
            }
        })
        .collect();
    let blind = wait.blind_since.filter(|_| wait.phase.is_open()).map(|since| {
        view! {
            <p class="warn">"The source is silent for "{time::relative(time::Rel::For, since, now)}"; the clock runs, we cannot see."</p>
        }
    });
    let progress = wait.phase.is_open().then(|| {
        view! { <progress max=wait.items.len().to_string() value=met.to_string() aria-label="conditions met"></progress> }
    });
    view! {
        <article class="card wait" data-phase=wait.phase.as_str() id=wait.id.to_string()>
            <div class="card-head">
                <h2>
                    <span class="chip" data-verdict=verdict.as_str()>{verdict_icon(verdict)}<span>{word}</span></span>
                    " "
                    <a href=wait.path()><bdi>{visible(&wait.title)}</bdi></a>
                </h2>
                <span class="wait-clock">{clock(wait, now)}</span>
            </div>
            {progress}
            <p class="muted">{format!("{met} of {} conditions", wait.items.len())}</p>
            <ul class="items">{items}</ul>
            {blind}
            {ending(wait)}
            <dl class="pairs ids">
                <div><dt>"Wait"</dt><dd>{id_chip(wait.id.as_str())}</dd></div>
                {wait.target.as_ref().map(|target| view! { <div><dt>"Env"</dt><dd>{env_link(target)}</dd></div> })}
                {wait.receipt.as_ref().map(|receipt| {
                    let href = format!("/receipts/{receipt}");
                    view! { <div><dt>"Receipt"</dt><dd><a href=href>{receipt.to_string()}</a></dd></div> }
                })}
                <div><dt>"By"</dt><dd>{outside(&wait.owner)}", "{time::clock(wait.created_at, now)}</dd></div>
            </dl>
            {buttons(wait, token)}
            <p class="muted">"Converged means that the platform reports it done. It does not prove that the app is right."</p>
        </article>
    }
    .erased()
}

fn clock(wait: &Wait, now: Ts) -> AnyView {
    let limit = (wait.deadline - wait.created_at).running();
    match wait.ended_at {
        Some(end) => (end - wait.created_at).exact().erased(),
        None => view! { {time::relative(time::Rel::Clock, wait.created_at, now)}" of "{limit} }.erased(),
    }
}

/// What an end means and what to do next, in the order in which people should look.
fn ending(wait: &Wait) -> Option<AnyView> {
    let events = ViewState::only(&[(Facet::Object, &wait.object.to_string())])
        .within(Some(When::At(wait.created_at)), None)
        .link("/events");
    let status = wait.target.as_ref().map(model::EnvRef::path);
    let describe = model::object::object_path(&wait.object);
    let links = view! {
        <p class="row">
            <a class="button" href=events>"Events since "{wait.created_at.clock()}</a>
            {status.map(|href| view! { <a class="button" href=href>"Status"</a> })}
            <a class="button" href=describe>"Describe "{visible(wait.object.id())}</a>
        </p>
    };
    let words = match &wait.phase {
        WaitPhase::Waiting | WaitPhase::Converged => return None,
        WaitPhase::Failed { reason } => view! { <p class="bad">{outside(reason)}</p> }.erased(),
        WaitPhase::TimedOut => view! {
            <p>"The limit ended the watching, not the change. This may be temporary: look at the events, the status and the object."</p>
        }
        .erased(),
        WaitPhase::Superseded { by: Some(by) } => {
            let href = format!("/receipts/{by}");
            view! { <p>"Desired state was changed by "<a href=href>{by.to_string()}</a>"; this wait no longer applies."</p> }.erased()
        }
        WaitPhase::Superseded { by: None } => {
            view! { <p>"Desired state was changed; this wait no longer applies."</p> }.erased()
        }
        WaitPhase::Stopped => view! { <p>"Stopping ended the watching, not the change."</p> }.erased(),
    };
    Some(view! { {words}{links} }.erased())
}

fn buttons(wait: &Wait, token: &str) -> Option<AnyView> {
    let extendable = matches!(wait.phase, WaitPhase::Waiting | WaitPhase::TimedOut);
    if token.is_empty() || !extendable {
        return None;
    }
    let stop = wait
        .phase
        .is_open()
        .then(|| post_button(format!("{}/stop", wait.path()), token.to_owned(), "Stop watching", ()));
    let label = if wait.phase.is_open() { "+5 min" } else { "Wait 5 more min" };
    let extend =
        post_button(format!("{}/extend", wait.path()), token.to_owned(), label, hidden("seconds", "300"));
    Some(view! { <div class="row">{extend}{stop}</div> }.erased())
}
