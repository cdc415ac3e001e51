//! `/a/{app}/{env}`: desired against current here, why they differ, what changed, what can I do?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState,
    live::{State, Topic},
    view_state::Facet,
};

use super::{Follow, Screen, Subject, tame};
use crate::{
    api::{EnvPage, Page},
    islands::{
        EnvActions, EnvChanges, EnvEvents, EnvFacts, EnvReleases, EnvRunning, GapPanel, Instances,
        PlanDialog, Sentence, Timeline,
    },
    layout::{Crumb, Keys, head},
    parts::{plan_panel::plan_panel, zoom::zoom},
    ui::text::visible,
};

impl Screen for EnvPage {
    fn title(&self) -> String {
        format!("{} · Vantage", self.view.target.title())
    }

    fn tame(&mut self) {
        tame::env(&mut self.view);
    }

    fn subject(&self) -> Subject {
        Subject {
            id: Some(self.view.target.env_id.to_string()),
            cli: Some(format!("vt describe env {}", self.view.target.env_id)),
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow {
            topic: Some(Topic::Env { id: self.view.target.env_id.clone() }),
            state: Some(State::Env { view: Box::new(self.view.clone()) }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, state: ViewState, keys: Keys) -> AnyView {
        let range = (page.data.view.timeline.from, page.data.view.timeline.to);
        let target = page.data.view.target;
        let path = target.path();
        let token = keys.token.clone();
        let may_act = page.viewer.may_act();
        let crumbs = vec![
            Crumb::to("Overview", "/"),
            Crumb::to(&target.app, format!("/o/app/{}", target.app_id)),
            Crumb::here(&target.env),
        ];
        let blocked = state.at.map(|_| "Return to now to act.".to_owned());
        let events = ViewState::only(&[(Facet::App, &target.app), (Facet::Env, &target.env)]).link("/events");
        let dialog = page.data.open.filter(|_| state.at.is_none()).map(|open| {
            let close = ViewState { open: None, ..state.clone() }.link(&path);
            let opener = format!(".action[data-verb={}] a", open.plan.verb.as_str());
            let title = visible(&open.plan.title);
            view! {
                <PlanDialog title=title close=close.clone() opener=opener>
                    {plan_panel(&open, &keys, may_act, close, page.now)}
                </PlanDialog>
            }
        });
        view! {
            {dialog}
            {head(crumbs, view! { <Sentence/> }, view! { <EnvActions blocked=blocked/> })}
            <EnvFacts/>
            <GapPanel/>
            <EnvRunning token=token/>
            {zoom(range.0, range.1, page.now, &state, &path)}
            <Timeline sel=state.sel.clone() base=path.clone() still=state.from.is_some() || state.to.is_some()/>
            <div class="grid">
                <Instances/>
                <EnvChanges/>
            </div>
            <EnvEvents all=events/>
            <EnvReleases all=format!("{path}/releases")/>
        }
        .erased()
    }
}
