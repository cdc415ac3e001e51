//! `/waits` and `/waits/{id}`: who is still waiting, for what, and how far is it?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState, Wait,
    live::{State, Topic},
};

use super::{Follow, Screen, Subject};
use crate::{
    api::{Page, WaitsPage},
    islands::{Sentence, WaitCard},
    layout::{Crumb, Keys, head},
    parts::wait_card::{self, wait_card},
    ui::{banner::empty, id_chip::command, text::plural},
};

impl Screen for WaitsPage {
    fn title(&self) -> String {
        "Waits · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, keys: Keys) -> AnyView {
        let rows = &page.data.rows;
        let open = i64::try_from(rows.iter().filter(|wait| wait.phase.is_open()).count()).unwrap_or(i64::MAX);
        let text = format!("{} running", plural(open, "wait"));
        let title = view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> };
        let body = if rows.is_empty() {
            empty(
                "No one is waiting.",
                view! { <p>"Tick “wait for convergence” when you confirm a plan, or use "{command("vt wait")}</p> },
            )
            .erased()
        } else {
            let cards: Vec<_> = rows.iter().map(|wait| wait_card(wait, &keys.token, page.now)).collect();
            view! { <div class="cards">{cards}</div> }.erased()
        };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Waits")], title, ())}
            {body}
        }
        .erased()
    }
}

impl Screen for Wait {
    fn title(&self) -> String {
        format!("{} · Vantage", wait_card::title(self))
    }

    fn subject(&self) -> Subject {
        Subject { id: Some(self.id.to_string()), cli: None }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow {
            topic: Some(Topic::Wait { id: self.id.clone() }),
            state: Some(State::Wait { view: Box::new(self.clone()) }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, _state: ViewState, keys: Keys) -> AnyView {
        let wait = &page.data;
        let mut crumbs = vec![Crumb::to("Overview", "/")];
        if let Some(target) = &wait.target {
            crumbs.push(Crumb::to(target.title(), target.path()));
        }
        crumbs.push(Crumb::to("Waits", "/waits"));
        crumbs.push(Crumb::here(wait.id.to_string()));
        let path = wait.path();
        view! {
            {head(crumbs, view! { <Sentence/> }, view! { <a class="button" href=path>"Refresh"</a> })}
            <WaitCard token=keys.token.clone()/>
        }
        .erased()
    }
}
