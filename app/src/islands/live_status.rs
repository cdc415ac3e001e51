//! How fresh the page is, and the socket that keeps it so. Exactly one on every page, first in the body.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::Freshness;

use crate::{
    live::{Link, Outdated, live},
    parts::freshness_chip::freshness_chip,
    platform,
    ui::time,
};

#[cfg(feature = "hydrate")]
use crate::live::socket::{retry_now, set_paused, start};

#[cfg(not(feature = "hydrate"))]
fn start() {}
#[cfg(not(feature = "hydrate"))]
fn retry_now() {}
#[cfg(not(feature = "hydrate"))]
fn set_paused(_paused: bool) {}

/// The chip in the top bar, the bars across the page, and the one polite voice for screen readers.
#[island]
pub fn LiveStatus() -> impl IntoView {
    let store = live();
    Effect::new(|_| {
        platform::when_awake(|| {
            platform::install_frame();
            start();
        });
    });
    let made_at = store.board.read_untracked().now;
    let follows = store.board.read_untracked().topic.is_some();
    let (fresh, link, outdated, paused, said) = (
        store.fresh.clone(),
        store.link.clone(),
        store.outdated.clone(),
        store.paused.clone(),
        store.said.clone(),
    );
    let chip = {
        let fresh = fresh.clone();
        move || freshness_chip(fresh.get(), made_at)
    };
    let pause = {
        let (fresh, paused) = (fresh.clone(), paused.clone());
        move || {
            let is_paused = paused.get().is_some();
            (follows && fresh.get().is_some()).then(|| {
                view! {
                    <button type="button" class="button quiet" aria-pressed=is_paused.to_string() on:click=move |_| set_paused(!is_paused)>
                        {if is_paused { "Resume" } else { "Pause" }}
                    </button>
                }
            })
        }
    };
    let lost = {
        let link = link.clone();
        move || {
            let Some(Freshness::Disconnected { since }) = fresh.get() else { return None };
            Some(view! {
                <div class="bar" data-level="bad">
                    <strong>"Disconnected"</strong>
                    <span>"since "{since.clock()}". What you see is the last known state."</span>
                    {retry(link.get())}
                </div>
            })
        }
    };
    let reload = move || {
        outdated.get().map(|why| {
            let words = match why {
                Outdated::OtherBuild => "A new version of Vantage is running.",
                Outdated::Missing => "A part of the stream was not sent.",
                Outdated::Unreadable => "The server said something that this page cannot read.",
            };
            view! {
                <div class="bar" data-level="warn">
                    <strong>"Load again"</strong>
                    <span>{words}</span>
                    <button type="button" class="button" on:click=move |_| platform::reload()>"Load this page again"</button>
                </div>
            }
        })
    };
    view! {
        <div class="live">
            {chip}
            {pause}
            <div class="bars">{lost}{reload}</div>
            <div class="sr" role="status">{move || said.get()}</div>
        </div>
    }
}

fn retry(link: Link) -> Option<AnyView> {
    match link {
        Link::Off | Link::Open => None,
        Link::Connecting => Some(view! { <span>"Connecting…"</span> }.erased()),
        Link::RetryAt(at) => {
            // The countdown is kept by the clock of the page, which ticks by the server's time.
            let here = platform::server_now().unwrap_or(at);
            Some(
                view! {
                    <span>"Next try in "{time::relative(time::Rel::Until, at, here)}"."</span>
                    <button type="button" class="button" on:click=move |_| retry_now()>"Retry now"</button>
                }
                .erased(),
            )
        }
    }
}
