//! `/`: is anything not as desired, since when, why, and where do I start?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Freshness, Span, ViewState,
    live::{State, Topic},
    view::{EnvView, GroupPage, SourceState},
};

use super::{Follow, Screen, Subject, tame};
use crate::{
    api::{OverviewPage, Page},
    islands::{OverviewRows, Sentence},
    layout::{Crumb, Keys, head},
    parts::{changes, gap_panel::gap_panel, verdict_chip::verdict_chip},
    ui::{
        banner::panel,
        text::{outside, visible},
        time,
    },
};

impl Screen for OverviewPage {
    fn title(&self) -> String {
        "Overview · Vantage".to_owned()
    }

    fn tame(&mut self) {
        tame::overview(&mut self.view);
        self.peek.iter_mut().for_each(tame::env);
    }

    fn subject(&self) -> Subject {
        Subject { id: None, cli: Some("vt status --all".to_owned()) }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow {
            topic: match self.view.only {
                None => Some(Topic::Overview),
                Some(GroupPage { group: None, page, .. }) => Some(Topic::Grid { page }),
                // One page of a group stands still.
                Some(_) => None,
            },
            state: Some(State::Overview { view: Box::new(self.view.clone()) }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, state: ViewState, _keys: Keys) -> AnyView {
        let now = page.now;
        let OverviewPage { view, peek } = page.data;
        let sources = view.sources;
        let talking = sources
            .iter()
            .filter(|s| Freshness::of_source(s.last_seen_at, s.interval, now) == Freshness::Live)
            .count();
        let tally = format!("{talking}/{} reporting", sources.len());
        let changes = changes::strip(&view.changes, now - Span::minutes(120), now);
        view! {
            {head(vec![Crumb::here("Overview")], view! { <Sentence/> }, views(state.is_grid()))}
            <div class="beside">
                <OverviewRows/>
                {peek.map(|env| beside(&env, ViewState { sel: None, ..state }.link("/"), now))}
            </div>
            {panel("changes", "Changes, last 2 h", (), changes)}
            {panel("sources", "Sources", tally, source_list(&sources, now))}
        }
        .erased()
    }
}

/// The two ways to look at it; `v` takes the other one.
fn views(grid: bool) -> AnyView {
    let link = |name: &'static str, href: String, here: bool| {
        view! { <a href=href aria-current=here.then_some("true")>{name}</a> }
    };
    view! {
        <nav class="views" aria-label="View">
            {link("List", "/".to_owned(), !grid)}
            {link("Grid", ViewState::grid(1).link("/"), grid)}
        </nav>
    }
    .erased()
}

/// One app-env beside the list: desired, current and why, as of this page.
fn beside(env: &EnvView, close: String, now: model::Ts) -> AnyView {
    let title = env.target.title();
    let (name, label) = (visible(&title), visible(&title));
    view! {
        <aside class="peek" aria-label=label>
            <p class="row" data-verdict=env.judgement.verdict.as_str()>
                {verdict_chip(env.judgement.verdict)}
                <a href=env.target.path()><bdi>{name}</bdi></a>
                <a class="button quiet close" href=close aria-label="Close">"×"</a>
            </p>
            {gap_panel(&env.gap, &title, env.judgement.since, now, now)}
        </aside>
    }
    .erased()
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
