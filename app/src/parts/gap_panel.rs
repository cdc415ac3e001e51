//! Desired, current, why and the chain (`ux.md` 2.1): the question that every object page answers first.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Evidence, EvidenceKind, FieldState, Gap, GapRow, Link, Ts};

use crate::{
    parts::{links, verdict_chip::verdict_chip},
    ui::{
        id_chip::command,
        text::{outside, outside_long, plural, visible},
        time,
    },
};

/// The whole panel. `title` names what is compared; `made_at` is when it was read.
pub fn gap_panel(gap: &Gap, title: &str, since: Ts, made_at: Ts, now: Ts) -> AnyView {
    let body = if gap.is_closed() { closed(gap, since, now) } else { open(gap, title, made_at, now) };
    view! {
        <section class="panel gap" id="gap" aria-labelledby="gap-title">
            <div class="panel-head">
                <h2 id="gap-title">"Gap"</h2>
                <div class="panel-aside">{gap.limit.as_deref().map(outside)}</div>
            </div>
            {body}
        </section>
    }
    .erased()
}

fn closed(gap: &Gap, since: Ts, now: Ts) -> AnyView {
    if gap.rows.is_empty() {
        return view! { <p class="calm">"Nothing is compared: no desired state is recorded here."</p> }
            .erased();
    }
    view! {
        <p class="calm">"Desired = current for "{time::relative(time::Rel::For, since, now)}"."</p>
        {equal_rows(gap)}
    }
    .erased()
}

fn open(gap: &Gap, title: &str, made_at: Ts, now: Ts) -> AnyView {
    let rows: Vec<_> =
        gap.rows.iter().filter(|row| row.state != FieldState::Equal).map(|row| gap_row(row, now)).collect();
    let observed = gap
        .observed_generation
        .map_or_else(|| "not reported".to_owned(), |observed| format!("observed generation {observed}"));
    let behind = gap.observed_generation.is_some_and(|observed| observed < gap.generation);
    view! {
        <div class="scroll">
            <table class="gap-table">
                <caption>
                    "Desired and current state of "
                    <bdi>{visible(title)}</bdi>
                    ", as of "
                    <time datetime=made_at.to_string()>{made_at.clock()}</time>
                </caption>
                <thead>
                    <tr>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Desired "<small>{format!("generation {}", gap.generation)}</small></th>
                        <th scope="col">
                            "Current "
                            <small class:older=behind>{observed}</small>
                        </th>
                        <th scope="col">"Why"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {equal_rows(gap)}
        {chain(&gap.chain, now)}
        {evidence(gap, now)}
        {next(gap)}
    }
    .erased()
}

const fn state_word(state: FieldState) -> &'static str {
    match state {
        FieldState::Differs => "differs",
        FieldState::Moving => "moving",
        FieldState::UnknownCurrent => "unknown",
        FieldState::Equal => "equal",
    }
}

fn gap_row(row: &GapRow, now: Ts) -> AnyView {
    let current = match &row.current {
        Some(current) => outside(current).erased(),
        None => view! { <span class="unreported">"not reported"</span> }.erased(),
    };
    let why = match &row.why {
        Some(why) => claim(why, now),
        None => view! { <span class="muted">"no evidence"</span> }.erased(),
    };
    view! {
        <tr data-state=state_word(row.state)>
            <th scope="row">{outside(&row.field)}</th>
            <td data-label="Desired">{outside(&row.desired)}</td>
            <td data-label="Current">
                {current}
                <span class="state-word">{state_word(row.state)}</span>
            </td>
            <td data-label="Why">{why}</td>
        </tr>
    }
    .erased()
}

/// One claim as a link to what it rests on.
fn claim(evidence: &Evidence, now: Ts) -> AnyView {
    view! {
        {outside_long(&evidence.text)}
        " "
        {links::link(&evidence.href, "proof", time::ago(evidence.at, now))}
    }
    .erased()
}

/// Equal rows, folded: they are reassuring, not interesting.
fn equal_rows(gap: &Gap) -> Option<AnyView> {
    let equal: Vec<&GapRow> = gap.rows.iter().filter(|row| row.state == FieldState::Equal).collect();
    if equal.is_empty() {
        return None;
    }
    let summary = format!("{} equal", plural(i64::try_from(equal.len()).unwrap_or(i64::MAX), "field"));
    let rows: Vec<_> = equal
        .into_iter()
        .map(|row| {
            view! {
                <div>
                    <dt>{outside(&row.field)}</dt>
                    <dd>{outside(&row.desired)}</dd>
                </div>
            }
        })
        .collect();
    Some(
        view! {
            <details class="fold">
                <summary>{summary}</summary>
                <dl class="pairs">{rows}</dl>
            </details>
        }
        .erased(),
    )
}

fn chain(links: &[Link], now: Ts) -> Option<AnyView> {
    if links.is_empty() {
        return None;
    }
    let links: Vec<_> = links.iter().map(|link| chain_link(link, now)).collect();
    Some(
        view! {
            <div class="chain">
                <h3>"Chain"</h3>
                <ol>{links}</ol>
            </div>
        }
        .erased(),
    )
}

fn chain_link(link: &Link, now: Ts) -> AnyView {
    let attempt = link.attempt.map(|attempt| format!("attempt {attempt}, "));
    let proof = link.evidence.as_ref().map(|evidence| links::link(&evidence.href, "proof", "evidence"));
    view! {
        <li>
            {verdict_chip(link.verdict)}
            " "
            {links::object_link(&link.object, &link.name, None)}
            " "
            <span class="chain-text">{outside(&link.text)}</span>
            " "
            <span class="chain-end muted">{attempt}"for "{time::relative(time::Rel::For, link.since, now)}" "{proof}</span>
        </li>
    }
    .erased()
}

fn evidence(gap: &Gap, now: Ts) -> AnyView {
    if gap.evidence.is_empty() {
        let looked = gap.looked_at.clone().unwrap_or_else(|| "nothing is recorded yet".to_owned());
        return view! { <p class="muted">"We have no evidence. Looked at: "{outside(&looked)}"."</p> }
            .erased();
    }
    let items: Vec<_> = gap.evidence.iter().take(3).map(|evidence| evidence_item(evidence, now)).collect();
    view! {
        <div class="evidence">
            <h3>"Evidence"</h3>
            <ul>{items}</ul>
        </div>
    }
    .erased()
}

fn evidence_item(evidence: &Evidence, now: Ts) -> AnyView {
    let kind = match evidence.kind {
        EvidenceKind::Direct => "direct",
        EvidenceKind::Inferred => "inferred",
    };
    let name = evidence.event.map_or_else(|| "see why".to_owned(), |event| event.to_string());
    view! {
        <li>
            {links::link(&evidence.href, "proof mono", name)}
            " "
            {time::clock(evidence.at, now)}
            " "
            <span class="muted">{outside(&evidence.by)}</span>
            " "
            {outside_long(&evidence.text)}
            " "
            <span class="tag">{kind}</span>
        </li>
    }
    .erased()
}

fn next(gap: &Gap) -> Option<AnyView> {
    let next = gap.next.as_ref()?;
    Some(
        view! {
            <div class="next">
                <span class="next-word">"Next"</span>
                {links::link(&next.href, "button primary", visible(&next.label))}
                {next.command.as_deref().map(command)}
            </div>
        }
        .erased(),
    )
}
