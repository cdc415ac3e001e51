//! `/receipts` and `/receipts/{id}`: what was asked for, and what became of it?

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Receipt, ViewState,
    live::{State, Topic},
};

use super::{Follow, Screen, Subject};
use crate::{
    api::{Page, ReceiptPage, Rows},
    islands::{ReceiptCard, Sentence},
    layout::{Crumb, Keys, head},
    parts::{actions::actions, pager, receipt_card::lamps, wait_card::wait_card},
    ui::{
        banner::empty,
        id_chip::command,
        table::columns,
        text::{count, outside, visible},
        time,
    },
};

impl Screen for Rows<Receipt> {
    fn title(&self) -> String {
        "Receipts · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let list = &page.data;
        let open = format!("{} under way", count(i64::from(page.chrome.open_receipts)));
        let body = if list.rows.is_empty() { nothing(list.continued) } else { table(&list.rows, page.now) };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Receipts")], pager::sentence(list, "receipt", &open), ())}
            {body}
            {pager::pager(list, "/receipts", "receipts")}
        }
        .erased()
    }
}

fn nothing(continued: bool) -> AnyView {
    if continued {
        return empty("There are no older receipts.", ()).erased();
    }
    empty(
        "Nobody has asked for anything yet.",
        view! { <p>"The first receipt comes with the first action, for example "{command("vt apply -f vantage.yaml")}</p> },
    )
    .erased()
}

fn table(rows: &[Receipt], now: model::Ts) -> AnyView {
    let rows: Vec<_> = rows.iter().map(|receipt| row(receipt, now)).collect();
    view! {
        <section class="panel">
            <table class="stacks">
                <caption class="sr">"Receipts, those under way first, then the newest"</caption>
                {columns(&["Receipt", "Asked", "By", "When", "What became of it"])}
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .erased()
}

fn row(receipt: &Receipt, now: model::Ts) -> AnyView {
    let reason =
        (!receipt.reason.is_empty()).then(|| view! { " " <small>{outside(&receipt.reason)}</small> });
    view! {
        <tr data-phase=receipt.phase.as_str()>
            <th scope="row" data-label="Receipt"><a href=receipt.path()>{receipt.id.to_string()}</a></th>
            <td data-label="Asked"><bdi>{visible(&receipt.title())}</bdi>{reason}</td>
            <td data-label="By">{outside(&receipt.actor)}</td>
            <td data-label="When">{time::clock(receipt.accepted_at, now)}</td>
            <td data-label="What became of it">{lamps(receipt)}</td>
        </tr>
    }
    .erased()
}

impl Screen for ReceiptPage {
    fn title(&self) -> String {
        format!("{} · Vantage", self.receipt.title())
    }

    fn subject(&self) -> Subject {
        Subject { id: Some(self.receipt.id.to_string()), cli: None }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow {
            topic: Some(Topic::Receipt { id: self.receipt.id.clone() }),
            state: Some(State::Receipt { view: Box::new(self.receipt.clone()) }),
            list: Default::default(),
        }
    }

    fn view(page: Page<Self>, _state: ViewState, keys: Keys) -> AnyView {
        let ReceiptPage { receipt, wait, undo } = page.data;
        let crumbs = vec![
            Crumb::to("Overview", "/"),
            Crumb::to(receipt.target.title(), receipt.target.path()),
            Crumb::to("Receipts", "/receipts"),
            Crumb::here(receipt.id.to_string()),
        ];
        let undo: Vec<_> = undo.into_iter().collect();
        let wait = wait.map(|wait| {
            if receipt.phase.is_open() {
                let href = wait.path();
                view! { <p class="row"><a class="button" href=href>"Watch the wait "{wait.id.to_string()}</a></p> }.erased()
            } else {
                wait_card(&wait, &keys.token, page.now)
            }
        });
        view! {
            {head(crumbs, view! { <Sentence/> }, actions(&undo, None))}
            <ReceiptCard token=keys.token.clone()/>
            {wait}
        }
        .erased()
    }
}
