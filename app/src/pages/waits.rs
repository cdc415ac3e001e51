//! `/waits` and `/waits/{id}`: who is still waiting, for what, and how far is it?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState, Wait,
    live::{State, Topic},
};

use super::{Follow, Screen, Subject};
use crate::{
    api::{Page, Rows},
    islands::{Sentence, WaitCard},
    layout::{Crumb, Keys, head},
    parts::{
        pager,
        wait_card::{self, wait_card},
    },
    ui::{banner::empty, id_chip::command, text::count},
};

impl Screen for Rows<Wait> {
    fn title(&self) -> String {
        "Waits · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, keys: Keys) -> AnyView {
        let list = &page.data;
        let open = format!("{} running", count(i64::from(page.chrome.open_waits)));
        let body = if list.rows.is_empty() {
            nothing(list.continued)
        } else {
            let cards: Vec<_> = list.rows.iter().map(|wait| wait_card(wait, &keys.token, page.now)).collect();
            view! { <div class="cards">{cards}</div> }.erased()
        };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Waits")], pager::sentence(list, "wait", &open), ())}
            {body}
            {pager::pager(list, "/waits", "waits")}
        }
        .erased()
    }
}

fn nothing(continued: bool) -> AnyView {
    if continued {
        return empty("There are no older waits.", ()).erased();
    }
    empty(
        "No one is waiting.",
        view! { <p>"Tick “wait for convergence” when you confirm a plan, or use "{command("vt wait")}</p> },
    )
    .erased()
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
