//! `/o/{kind}/{id}`: the ground truth of one thing.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState,
    live::{State, Topic},
    view::ObjectView,
    view_state::Facet,
};

use super::{Follow, Screen, Subject, tame};
use crate::{
    api::Page,
    islands::{Conditions, GapPanel, ObjectEvents, ObjectFacts, Sentence, Timeline},
    layout::{Crumb, Keys, head},
    parts::{logs::logs, spec_diff::spec_diff, zoom::zoom},
    ui::{
        banner::{Level, banner, panel},
        id_chip::{command, id_chip},
        text::visible,
        time,
    },
};

impl Screen for ObjectView {
    fn title(&self) -> String {
        format!("{} · Vantage", self.object.name)
    }

    fn tame(&mut self) {
        tame::object_view(self);
    }

    fn subject(&self) -> Subject {
        Subject {
            id: Some(self.object.key.id().to_owned()),
            cli: Some(format!("vt describe {} {}", self.object.key.kind(), self.object.key.id())),
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        // Logs are not live on this page: the board does not carry them twice.
        let view = Box::new(Self { logs: None, ..self.clone() });
        Follow {
            topic: Some(Topic::Object { key: self.object.key.clone() }),
            state: Some(State::Object { view }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, state: ViewState, _keys: Keys) -> AnyView {
        let now = page.now;
        let view = page.data;
        let key = view.object.key.clone();
        let mut crumbs = vec![Crumb::to("Overview", "/")];
        if let Some(target) = &view.target {
            crumbs.push(Crumb::to(target.title(), target.path()));
        }
        crumbs.push(Crumb::here(format!("{} {}", key.kind(), view.object.name)));
        let tombstone = view.object.gone_at.map(|at| {
            let before = ViewState { at: Some(at - model::Span::seconds(1)), ..ViewState::default() };
            let href = before.link(&view.object.path());
            let words = view! {
                "It was found to be gone at "
                {time::precise(at)}
                " ("{time::ago(at, now)}"). What you see is what was last recorded. "
                <a href=href>"See it just before"</a>
            };
            banner(Level::Warn, words)
        });
        let behind =
            view.object.observed_generation.is_some_and(|observed| observed < view.object.generation);
        let behind = behind.then(|| {
            banner(
                Level::Note,
                "What is reported here is about an older generation than the one that is wanted.",
            )
        });
        let events = ViewState::only(&[(Facet::Object, &key.to_string())]).link("/events");
        let range = (view.timeline.from, view.timeline.to);
        let n_events = view.events.len();
        let observed = view.observed_by.as_deref().map(|source| {
            view! {
                <p class="muted">
                    "The source "<b>{visible(source)}</b>
                    " reports this and takes no orders from Vantage: there are no actions here."
                </p>
            }
        });
        let n_related = view.related.len();
        let base = view.object.path();
        view! {
            {head(crumbs, view! { <Sentence/> }, ())}
            {tombstone}
            {behind}
            <p class="facts-line">
                {id_chip(key.id())}
                {command(&format!("vt describe {} {}", key.kind(), key.id()))}
                <span class="muted">"reported "{time::ago(view.object.updated_at, now)}</span>
            </p>
            {observed}
            <nav class="jump" aria-label="Sections">
                "Jump to: "
                <a href="#gap">"Gap"</a>
                <a href="#conditions">"Conditions"</a>
                <a href="#timeline">"Timeline"</a>
                <a href="#events">"Events "{n_events}</a>
                <a href="#related">"Related "{n_related}</a>
                <a href="#spec">"Spec diff"</a>
                <a href="#logs">"Logs"</a>
            </nav>
            <GapPanel/>
            <Conditions/>
            {zoom(range.0, range.1, page.now, &state, &base)}
            <Timeline sel=state.sel.clone() base=base still=state.from.is_some() || state.to.is_some()/>
            <div class="grid"><ObjectFacts/></div>
            <ObjectEvents all=events/>
            {panel("spec", "Spec diff", (), spec_diff(&view.object))}
            {panel("logs", "Logs", (), logs(view.logs.as_deref(), &key))}
        }
        .erased()
    }
}
