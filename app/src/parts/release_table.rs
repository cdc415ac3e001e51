//! Releases: what each one is, how long it held, and what choosing it does or why it cannot be chosen.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Ts, object::object_path, view::ReleaseRow};

use crate::{
    parts::links,
    ui::{
        id_chip::id_chip,
        text::{outside, visible},
        time,
    },
};

/// The table, newest first.
pub fn release_table(rows: &[ReleaseRow], now: Ts) -> AnyView {
    if rows.is_empty() {
        return view! { <p class="muted">"Declared, nothing released yet. "<code>"vt apply -f vantage.yaml"</code>" makes the first release."</p> }.erased();
    }
    let rows: Vec<_> = rows.iter().map(|row| release_row(row, now)).collect();
    view! {
        <div class="scroll">
            <table class="releases">
                <caption class="sr">"Releases, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Release"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"By"</th>
                        <th scope="col">"Held"</th>
                        <th scope="col" class="number">"Running"</th>
                        <th scope="col">"Action"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .erased()
}

fn release_row(row: &ReleaseRow, now: Ts) -> AnyView {
    let release = &row.release;
    let state = match (row.desired, row.running > 0, release.converged_at.is_some()) {
        (true, _, true) => "desired, has converged",
        (true, _, false) => "desired, never converged",
        (false, true, _) => "still running",
        (false, false, true) => "has converged",
        (false, false, false) => "never converged",
    };
    let held = match (release.converged_at, release.held_until) {
        (None, _) => view! { <span class="muted">"never"</span> }.erased(),
        (Some(from), None) => view! { {time::relative(time::Rel::For, from, now)}", still" }.erased(),
        (Some(from), Some(to)) => view! { {(to - from).exact()}", until "{time::clock(to, now)} }.erased(),
    };
    let action = row.action.as_ref().map(|action| match &action.disabled {
        None => links::link(&action.href, "button", visible(&action.label)),
        Some(why) => view! { <span class="muted">{outside(why)}</span> }.erased(),
    });
    view! {
        <tr class:desired=row.desired>
            <th scope="row" data-label="Release">
                <a href=object_path(&model::ObjectKey::release(&release.id))>{release.name()}</a>
                " "
                {id_chip(release.id.as_str())}
            </th>
            <td data-label="State">{state}</td>
            <td data-label="Created">{time::clock(release.created_at, now)}" "<span class="muted">"("{time::ago(release.created_at, now)}")"</span></td>
            <td data-label="By">{outside(&release.created_by)}</td>
            <td data-label="Held">{held}</td>
            <td data-label="Running" class="number">{row.running}</td>
            <td data-label="Action">{action}</td>
        </tr>
    }
    .erased()
}
