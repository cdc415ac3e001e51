//! `/search`: the twin of the palette without script. And `/codes` and `/help/keys`, which it leads to.

use crate::ui::erase::Erase as _;
use crate::ui::table::columns;
use leptos::prelude::*;
use model::{
    ErrorCode, ViewState,
    search::{Found, Hit},
};

use super::{Follow, Screen};
use crate::{
    api::{HelpPage, Page},
    keys,
    layout::{Crumb, Keys, head},
    parts::{links, verdict_chip::verdict_chip},
    ui::{
        banner::{empty, panel},
        text::{clamp, outside, plural, visible},
    },
};

fn sentence(text: impl IntoView) -> impl IntoView {
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }
}

impl Screen for Found {
    fn title(&self) -> String {
        match self.q.as_str() {
            "" => "Search · Vantage".to_owned(),
            q => format!("{} · Search · Vantage", visible(&clamp(q, 80))),
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let Found { q, hits } = page.data;
        // A search in the events is always offered; it is not a find.
        let n = hits.iter().filter(|hit| hit.group != "Events").count();
        let text = match (q.is_empty(), n) {
            (true, _) => "What are you looking for?".to_owned(),
            (false, 0) => "Nothing has this name or id that you may see.".to_owned(),
            (false, n) => format!("{} for {q}", plural(i64::try_from(n).unwrap_or(i64::MAX), "find")),
        };
        let body = match hits.is_empty() {
            true => empty(
                "Paste an id, a trace id or an error code, or begin a name.",
                view! { <p>"App-envs are found by any part of their name, everything else by how it begins."</p> },
            )
            .erased(),
            false => groups(&hits),
        };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Search")], sentence(outside(&text)), ())}
            <form method="get" action="/search" class="filter" aria-label="Search again">
                <label class="grow">
                    <span class="sr">"Search"</span>
                    <input type="search" name="q" value=q maxlength="200"/>
                </label>
                <button type="submit" class="button">"Search"</button>
            </form>
            {body}
        }
        .erased()
    }
}

fn groups(hits: &[Hit]) -> AnyView {
    hits.chunk_by(|a, b| a.group == b.group)
        .map(|hits| {
            let items: Vec<_> = hits
                .iter()
                .map(|hit| {
                    let verdict = hit.verdict.map(|verdict| view! { <span data-verdict=verdict.as_str()>{verdict_chip(verdict)}</span> });
                    view! {
                        <li class="row">
                            {links::link(&hit.href, "hit", outside(&hit.title))}
                            <span class="muted">{outside(&hit.detail)}</span>
                            {verdict}
                        </li>
                    }
                })
                .collect();
            let group = hits[0].group.clone();
            view! { <section class="panel"><h2>{group}</h2><ul>{items}</ul></section> }
        })
        .collect::<Vec<_>>()
        .erased()
}

impl Screen for HelpPage {
    fn title(&self) -> String {
        match self {
            Self::Keys => "Keys · Vantage".to_owned(),
            Self::Codes => "Error codes · Vantage".to_owned(),
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        match page.data {
            Self::Keys => view! {
                {head(vec![Crumb::to("Overview", "/"), Crumb::here("Keys")], sentence("Every key, and none of them changes anything."), ())}
                {panel("keys", "Keys", view! { <a href="/settings">"turn them off"</a> }, keys::table())}
                <p class="muted">"Two keys in a row have one second between them; the first one is shown while it waits. No key does anything in a field, in a dialog, or with Ctrl, Alt or Meta; Ctrl+K and Cmd+K open the search everywhere."</p>
            }
            .erased(),
            Self::Codes => view! {
                {head(vec![Crumb::to("Overview", "/"), Crumb::here("Error codes")], sentence("What the code of an error means, and whether trying again helps."), ())}
                {panel("codes", "Error codes", (), codes())}
            }
            .erased(),
        }
    }
}

fn codes() -> AnyView {
    let rows: Vec<_> = ErrorCode::ALL
        .into_iter()
        .map(|code| {
            view! {
                <tr id=code.as_str()>
                    <th scope="row"><code>{code.as_str()}</code></th>
                    <td data-label="Means">{code.meaning()}</td>
                    <td data-label="Again">{if code.retryable() { "may work later" } else { "will not help" }}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <table class="stacks">
            <caption class="sr">"Error codes"</caption>
            {columns(&["Code", "Means", "The same again"])}
            <tbody>{rows}</tbody>
        </table>
    }
    .erased()
}
