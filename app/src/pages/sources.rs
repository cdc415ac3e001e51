//! `/sources` and `/sources/{id}`: what do we listen to, is it talking, what would go blind?

use crate::ui::erase::Erase as _;
use crate::ui::table::columns;
use leptos::prelude::*;
use model::{
    Span, Ts, ViewState,
    source::{Outage, SourceRow, SourceView, SourcesView},
};

use super::{Follow, Screen, Subject};
use crate::{
    api::Page,
    layout::{Crumb, Keys, head},
    parts::links::object_link,
    ui::{
        banner::{empty, panel},
        id_chip::{command, id_chip},
        text::{count, outside, outside_long, plural},
        time,
    },
};

/// How much a strip shows, and into how many units it is drawn.
const HOURS: i64 = 24;
const WIDTH: i64 = 240;

impl Screen for SourcesView {
    fn title(&self) -> String {
        "Sources · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let now = page.now;
        let rows = &page.data.rows;
        let body = if rows.is_empty() { nothing() } else { table(rows, now) };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Sources")], sentence(rows, now), ())}
            {body}
        }
        .erased()
    }
}

/// "2 of 3 sources report; provider-matrix is silent for 6 min, and 1 app-env is unknown because of it."
fn sentence(rows: &[SourceRow], now: Ts) -> AnyView {
    let silent: Vec<&SourceRow> = rows.iter().filter(|row| row.is_silent(now)).collect();
    let text = match (rows.len(), silent.first()) {
        (0, _) => "Nothing is connected, so nothing can be known.".erased(),
        (1, None) => "The one source reports.".erased(),
        (n, None) => view! { "All "{n}" sources report." }.erased(),
        (n, Some(first)) => {
            let blind: i64 = silent.iter().map(|row| row.n_envs()).sum();
            let others = match silent.len() - 1 {
                0 => None,
                n => Some(format!(" and {n} more")),
            };
            let since = first.state.last_seen_at.map(|at| {
                view! { " for "{time::relative(time::Rel::For, at, now)} }
            });
            let because = match blind {
                0 => "nothing is unknown because of it".to_owned(),
                1 => "1 app-env is unknown because of it".to_owned(),
                n => format!("{n} app-envs are unknown because of it"),
            };
            let verb = if silent.len() == 1 { " is silent" } else { " are silent" };
            view! {
                {n - silent.len()}" of "{plural(i64::try_from(n).unwrap_or(i64::MAX), "source")}" reporting; "
                {outside(&first.state.name)}{others}{verb}{since}", and "{because}"."
            }
            .erased()
        }
    };
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }.erased()
}

fn nothing() -> AnyView {
    empty(
        "No source is connected.",
        view! {
            <p>"The embedded platform connects by itself when the server starts; its first app comes with "{command("vt apply -f vantage.yaml")}</p>
            <p>"If this stays empty, "<a href="/doctor">"the doctor"</a>" says why."</p>
        },
    )
    .erased()
}

fn table(rows: &[SourceRow], now: Ts) -> AnyView {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let objects = plural(row.n_objects(), "object");
            let error = row.state.error.as_deref().map(|error| view! { <p class="bad">{outside(error)}</p> });
            view! {
                <tr>
                    <th scope="row">
                        <a href=row.path()>{outside(&row.state.name)}</a>
                        " "
                        <small>{outside(&row.state.kind)}</small>
                        {error}
                    </th>
                    <td data-label="State">{talks(row, now)}</td>
                    <td data-label="Last report">{last(row, now)}</td>
                    <td data-label="Lag">{lag(row)}</td>
                    <td data-label="Would go blind">{plural(row.n_envs(), "app-env")}", "{objects}</td>
                    <td data-label="Last 24 h">{strip(row, now)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <section class="panel">
            <table class="stacks">
                <caption class="sr">"Sources, silent ones first"</caption>
                {columns(&["Source", "State", "Last report", "Lag", "Would go blind", "Last 24 h"])}
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .erased()
}

fn talks(row: &SourceRow, now: Ts) -> AnyView {
    let (state, word) = match (row.is_silent(now), row.state.last_seen_at) {
        (false, _) => ("live", "reporting"),
        (true, Some(_)) => ("stale", "silent"),
        (true, None) => ("stale", "never reported"),
    };
    view! { <span class="fresh" data-fresh=state><span class="dot" aria-hidden="true"></span>{word}</span> }
        .erased()
}

fn last(row: &SourceRow, now: Ts) -> AnyView {
    let every = row.state.interval.exact();
    match row.state.last_seen_at {
        Some(at) => view! { {time::ago(at, now)}" "<small>"every "{every}</small> }.erased(),
        None => view! { <span class="unreported">"never"</span>" "<small>"every "{every}</small> }.erased(),
    }
}

fn lag(row: &SourceRow) -> AnyView {
    match row.lag {
        Some(lag) => {
            let ms = lag.as_millis().max(0);
            format!("{}.{} s", ms / 1000, ms % 1000 / 100).erased()
        }
        None => view! { <span class="muted">"no recent event"</span> }.erased(),
    }
}

/// One unit is six minutes; what nobody watched is never narrower than two.
fn strip(row: &SourceRow, now: Ts) -> AnyView {
    let from = now - Span::minutes(HOURS * 60);
    let place = |at: Ts| ((at - from).as_seconds() * WIDTH / (HOURS * 3600)).clamp(0, WIDTH);
    let begin = place(row.registered_at);
    let bars: Vec<_> = row
        .outages
        .iter()
        .map(|outage| {
            let x = place(outage.from).min(WIDTH - 2);
            let width = (place(outage.to.unwrap_or(now)) - x).max(2);
            view! { <rect class="blind" x=x y="1" width=width height="14"/> }
        })
        .collect();
    let words = match row.outages.len() {
        0 => "no gap".to_owned(),
        1 => match &row.outages[0] {
            Outage { from, to: Some(to), .. } => format!("1 gap {}–{}", minute(*from), minute(*to)),
            Outage { from, to: None, .. } => format!("1 gap since {}", minute(*from)),
        },
        n => format!("{n} gaps"),
    };
    view! {
        <svg class="watch" viewBox=format!("0 0 {WIDTH} 16") width=WIDTH height="16" aria-hidden="true">
            <rect class="watched" x=begin y="6" width=WIDTH - begin height="4"/>
            {bars}
        </svg>
        <small>{words}</small>
    }
    .erased()
}

/// `02:10`.
fn minute(at: Ts) -> String {
    at.clock().chars().take(5).collect()
}

impl Screen for SourceView {
    fn title(&self) -> String {
        let name = crate::ui::text::visible(&crate::ui::text::clamp(&self.row.state.name, 80));
        format!("{name} · Sources · Vantage")
    }

    fn subject(&self) -> Subject {
        Subject { id: Some(self.row.state.id.to_string()), cli: None }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let now = page.now;
        let SourceView { row, envs } = page.data;
        let crumbs = vec![
            Crumb::to("Overview", "/"),
            Crumb::to("Sources", "/sources"),
            Crumb::here(row.state.name.clone()),
        ];
        let kinds: Vec<_> = row
            .objects
            .iter()
            .map(|(kind, n)| view! { <div><dt>{outside(kind)}</dt><dd>{count(*n)}</dd></div> })
            .collect();
        let kinds = if kinds.is_empty() {
            view! { <p class="muted">"It has reported no objects."</p> }.erased()
        } else {
            view! { <dl class="pairs">{kinds}</dl> }.erased()
        };
        let gaps: Vec<_> = row.outages.iter().rev().map(|outage| gap(outage, now)).collect();
        let gaps = if gaps.is_empty() {
            view! { <p class="muted">"None within the last 24 h."</p> }.erased()
        } else {
            view! { <ul class="changes">{gaps}</ul> }.erased()
        };
        let n_more = row.n_envs() - i64::try_from(envs.len()).unwrap_or(0);
        let blind: Vec<_> = envs
            .iter()
            .map(|env| view! { <li>{object_link(&env.key, &env.name, env.verdict)}</li> })
            .collect();
        let blind = if blind.is_empty() {
            view! { <p class="muted">"No app-env depends on it."</p> }.erased()
        } else {
            let more = (n_more > 0).then(|| view! { <li class="muted">"and "{count(n_more)}" more"</li> });
            view! { <ul class="related">{blind}{more}</ul> }.erased()
        };
        let error = match row.state.error.as_deref() {
            Some(error) => view! { <p class="bad">{outside_long(error)}</p> }.erased(),
            None => view! { <p class="muted">"None."</p> }.erased(),
        };
        view! {
            {head(crumbs, own_sentence(&row, now), view! { <a class="button" href=row.path()>"Look again"</a> })}
            <div class="facts-line">
                {id_chip(row.state.id.as_str())}
                <span>"kind "{outside(&row.state.kind)}</span>
                <span>"known since "{time::clock(row.registered_at, now)}</span>
                <span>"lag "{lag(&row)}</span>
            </div>
            <div class="grid">
                {panel("watch", "Last 24 h", strip(&row, now), gaps)}
                {panel("error", "Last error", (), error)}
                {panel("blind", "What would go blind", plural(row.n_envs(), "app-env"), blind)}
                {panel("objects", "Objects", count(row.n_objects()), kinds)}
            </div>
        }
        .erased()
    }
}

fn own_sentence(row: &SourceRow, now: Ts) -> AnyView {
    let rest = match (row.is_silent(now), row.state.last_seen_at) {
        (false, _) => view! { " reports every "{row.state.interval.exact()}"." }.erased(),
        (true, Some(at)) => view! {
            " has been silent for "{time::relative(time::Rel::For, at, now)}"; "
            {plural(row.n_envs(), "app-env")}" cannot be known until it speaks."
        }
        .erased(),
        (true, None) => " has never reported.".erased(),
    };
    view! { <h1 class="sentence"><span class="sentence-text">{outside(&row.state.name)}{rest}</span></h1> }
        .erased()
}

fn gap(outage: &Outage, now: Ts) -> AnyView {
    let why = if outage.server_down { "this server was down" } else { "the source was silent" };
    let to = match outage.to {
        Some(to) => view! { {time::clock(to, now)}" ("{(to - outage.from).exact()}")" }.erased(),
        None => "now".erased(),
    };
    view! { <li>{time::clock(outage.from, now)}" – "{to}<span class="muted">{why}</span></li> }.erased()
}
