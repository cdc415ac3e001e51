//! `/`: is anything not as desired, since when, why, and where do I start?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Freshness, Span, ViewState,
    live::{State, Topic},
    view::{Overview, SourceState},
};

use super::{Follow, Screen, tame};
use crate::{
    api::Page,
    islands::{OverviewRows, Sentence},
    layout::{Crumb, Keys, head},
    parts::changes,
    ui::{banner::panel, text::outside, time},
};

impl Screen for Overview {
    fn title(&self) -> String {
        "Overview · Vantage".to_owned()
    }

    fn tame(&mut self) {
        tame::overview(self);
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow {
            // One page of a group stands still.
            topic: self.only.is_none().then_some(Topic::Overview),
            state: Some(State::Overview { view: Box::new(self.clone()) }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let now = page.now;
        let sources = page.data.sources;
        let talking = sources
            .iter()
            .filter(|s| Freshness::of_source(s.last_seen_at, s.interval, now) == Freshness::Live)
            .count();
        let tally = format!("{talking}/{} reporting", sources.len());
        let changes = changes::strip(&page.data.changes, now - Span::minutes(120), now);
        view! {
            {head(vec![Crumb::here("Overview")], view! { <Sentence/> }, ())}
            <OverviewRows/>
            {panel("changes", "Changes, last 2 h", (), changes)}
            {panel("sources", "Sources", tally, source_list(&sources, now))}
        }
        .erased()
    }
}

fn source_list(sources: &[SourceState], now: model::Ts) -> AnyView {
    if sources.is_empty() {
        return view! { <p class="muted">"No source is connected, so nothing can be known."</p> }.erased();
    }
    let items: Vec<_> = sources
        .iter()
        .map(|source| {
            let fresh = Freshness::of_source(source.last_seen_at, source.interval, now);
            let live = fresh == Freshness::Live;
            let last = match source.last_seen_at {
                Some(at) => view! { "last report "{time::ago(at, now)} }.erased(),
                None => view! { "never reported" }.erased(),
            };
            view! {
                <li>
                    <span class="fresh" data-fresh=if live { "live" } else { "stale" }>
                        <span class="dot" aria-hidden="true"></span>
                        {if live { "reporting" } else { "silent" }}
                    </span>
                    " "
                    <b>{outside(&source.name)}</b>
                    " "
                    <span class="muted">{last}", every "{source.interval.exact()}</span>
                    {source.error.as_deref().map(|error| view! { " " <span class="bad">{outside(error)}</span> })}
                </li>
            }
        })
        .collect();
    view! { <ul class="sources">{items}</ul> }.erased()
}
