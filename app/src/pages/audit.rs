//! `/audit`: who did what, when, to what, with what result?

use crate::ui::erase::Erase as _;
use crate::ui::table::columns;
use leptos::prelude::*;
use model::{
    Receipt, ViewState,
    audit::{AuditFilter, AuditLine, AuditView},
};

use super::{Follow, Screen};
use crate::{
    api::Page,
    layout::{Crumb, Keys, head},
    ui::{
        banner::empty,
        id_chip::id_chip,
        text::{clamp, count, outside, outside_long, plural, tame, visible},
        time,
    },
};

/// Counting stops there.
const MAX_COUNTED: i64 = 10_000;

impl Screen for AuditView {
    fn title(&self) -> String {
        "Audit · Vantage".to_owned()
    }

    fn tame(&mut self) {
        for row in &mut self.rows {
            tame(&mut row.reason);
            tame(&mut row.outcome);
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let (view, now) = (page.data, page.now);
        let filter = &view.filter;
        let older = view.older.map(|before| {
            view! { <a class="button" rel="next" href=filter.link("/audit", Some(before))>"Older rows"</a> }
        });
        let newest = view
            .continued
            .then(|| view! { <a class="button" href=filter.link("/audit", None)>"Newest rows"</a> });
        let end = view.older.is_none().then(|| {
            view! { <p class="edge muted">"Nothing older is recorded. Rows of the audit log are never deleted."</p> }
        });
        let body = if view.rows.is_empty() { nothing(filter) } else { table(&view, now) };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Audit")], sentence(&view), exports(filter))}
            {form(filter)}
            {body}
            {end}
            <p class="row">{newest}{older}</p>
        }
        .erased()
    }
}

fn sentence(view: &AuditView) -> AnyView {
    let total = match view.total {
        MAX_COUNTED.. => format!("≥ {} rows", count(MAX_COUNTED)),
        n => plural(n, "row"),
    };
    let refused = view.rows.iter().filter(|row| row.outcome.starts_with("refused")).count();
    let refused = match refused {
        0 => "nothing was refused among these".to_owned(),
        n => format!("{n} of these were refused"),
    };
    let text = match view.total {
        0 => "Nobody did anything of this kind.".to_owned(),
        _ => format!("{total}, newest first; {refused}."),
    };
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }.erased()
}

fn exports(filter: &AuditFilter) -> AnyView {
    view! {
        <div class="action-list">
            <a class="button" href=filter.link("/audit.csv", None) download>"CSV"</a>
            <a class="button" href=filter.link("/audit.json", None) download>"JSON"</a>
        </div>
    }
    .erased()
}

fn form(filter: &AuditFilter) -> AnyView {
    let fields: Vec<_> = filter
        .fields()
        .iter()
        .map(|(key, value)| {
            view! {
                <label>{*key}" "<input name=*key value=(*value).to_owned() maxlength="200" size="12"/></label>
            }
        })
        .collect();
    let clear = (filter.n_set() > 0).then(|| view! { <a href="/audit">"Clear all"</a> });
    view! {
        <form method="get" action="/audit" class="filter" role="search" aria-label="Filter the audit log">
            {fields}
            <button type="submit" class="button">"Filter"</button>
            {clear}
        </form>
    }
    .erased()
}

fn nothing(filter: &AuditFilter) -> AnyView {
    match filter.n_set() {
        0 => empty(
            "Nobody has done anything yet.",
            view! { <p>"Every action, refused ones too, leaves a row here."</p> },
        )
        .erased(),
        n => {
            let chips: Vec<_> = filter
                .fields()
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| {
                    let text = format!("{key}: {}", visible(&clamp(value, 60)));
                    let name = format!("remove filter {text}");
                    view! { <a class="filter-chip" href=filter.with(key, "").link("/audit", None) aria-label=name><bdi>{text}</bdi>" ×"</a> }
                })
                .collect();
            let n = plural(i64::try_from(n).unwrap_or(i64::MAX), "filter");
            empty(
                format!("No rows match {n}."),
                view! { <p class="row">{chips}<a href="/audit">"Clear all"</a></p> },
            )
            .erased()
        }
    }
}

fn table(view: &AuditView, now: model::Ts) -> AnyView {
    let chosen = view.selected.as_ref().map(|(row, _)| row.seq);
    let mut rows: Vec<AnyView> = Vec::with_capacity(view.rows.len() + 1);
    for line in &view.rows {
        let open = chosen == Some(line.seq);
        rows.push(row(line, &view.filter, open, now));
        if let (true, Some((line, receipt))) = (open, &view.selected) {
            rows.push(detail(line, receipt.as_ref()));
        }
    }
    view! {
        <section class="panel">
            <table class="stacks">
                <caption class="sr">"Audit log, newest first"</caption>
                {columns(&["Time (UTC)", "Actor", "Verb", "Target", "Result", "Reason", "Receipt"])}
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .erased()
}

fn row(line: &AuditLine, filter: &AuditFilter, open: bool, now: model::Ts) -> AnyView {
    let cell = |key: &str, value: &str| {
        let href = filter.with(key, value).link("/audit", None);
        view! { <a class="cell" href=href>{outside(value)}</a> }
    };
    // Opened rows come first, so that the link holds however many rows are newer.
    let href = match open {
        true => filter.link("/audit", None),
        false => {
            let page = filter.link("/audit", Some(model::Seq(line.seq.0 + 1)));
            format!("{page}&sel={0}#row-{0}", line.seq)
        }
    };
    let receipt = match &line.receipt {
        Some(id) => view! { <a href=format!("/receipts/{id}")>{id.clone()}</a> }.erased(),
        None => view! { <span class="muted">"none"</span> }.erased(),
    };
    let result = if line.outcome.starts_with("refused") { "warn" } else { "" };
    view! {
        <tr id=format!("row-{}", line.seq) class:desired=open>
            <th scope="row"><a href=href aria-expanded=open.to_string()>{time::clock(line.at, now)}</a></th>
            <td data-label="Actor">{cell("actor", &line.actor)}</td>
            <td data-label="Verb">{cell("verb", &line.action)}</td>
            <td data-label="Target">{cell("target", &line.target)}</td>
            <td data-label="Result" class=result>{outside(&line.outcome)}</td>
            <td data-label="Reason">{outside(&line.reason)}</td>
            <td data-label="Receipt">{receipt}</td>
        </tr>
    }
    .erased()
}

/// Who, with which request, and what the confirmed plan changed.
fn detail(line: &AuditLine, receipt: Option<&Receipt>) -> AnyView {
    let changes = receipt.map(|receipt| {
        let changes: Vec<_> = receipt
            .plan
            .will_change
            .iter()
            .map(|change| {
                view! { <li>{outside(&change.field)}": "<del>{outside(&change.from)}</del>" → "<ins>{outside(&change.to)}</ins></li> }
            })
            .collect();
        view! { <ul>{changes}</ul> }
    });
    view! {
        <tr>
            <td colspan="7">
                <div class="detail">
                    <p>{outside(&line.actor)}" ("{line.role.as_str()}") at "{time::precise(line.at)}", request "{id_chip(&line.trace_id)}</p>
                    {(!line.reason.is_empty()).then(|| view! { <p>"Reason: "{outside_long(&line.reason)}</p> })}
                    {changes}
                </div>
            </td>
        </tr>
    }
    .erased()
}
