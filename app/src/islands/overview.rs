//! The list of the overview. It changes in place, and nothing moves under the pointer.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::view::{Counts, Group, GroupPage, OverviewRow};

use crate::{
    live::{now, overview, slice},
    parts::{
        overview_cell::overview_cell,
        overview_row::{overview_row, title},
    },
    platform,
    ui::{banner::empty, id_chip::command, text::count},
};

/// A row and the group that it is shown in, which may lag while the reader points at the list.
type Placed = (Group, OverviewRow);

/// Where a row belongs. In the grid names decide, so nothing moves when a verdict changes.
fn place(row: &OverviewRow, grid: bool) -> Group {
    if grid { Group::Quiet } else { Group::of(row.judgement.verdict) }
}

fn placed(rows: Vec<OverviewRow>, grid: bool) -> Vec<Placed> {
    rows.into_iter().map(|row| (place(&row, grid), row)).collect()
}

fn is_grid(only: Option<GroupPage>) -> bool {
    only.is_some_and(|only| only.group.is_none())
}

/// New contents in old places. Rows that are new wait; rows that are gone stay until the list is free.
fn in_place(shown: &mut [Placed], newest: &[OverviewRow]) {
    for (_, row) in shown {
        if let Some(new) = newest.iter().find(|new| new.target.env_id == row.target.env_id) {
            row.clone_from(new);
        }
    }
}

/// How many rows would move, come or go.
fn pending(shown: &[Placed], newest: &[OverviewRow], grid: bool) -> usize {
    let place_of =
        |id: &model::EnvId| shown.iter().find(|(_, row)| &row.target.env_id == id).map(|(group, _)| *group);
    let moved = newest.iter().filter(|row| place_of(&row.target.env_id) != Some(place(row, grid))).count();
    let gone = shown
        .iter()
        .filter(|(_, row)| !newest.iter().any(|new| new.target.env_id == row.target.env_id))
        .count();
    moved + gone
}

/// Groups of rows, most in need of attention first.
#[island]
pub fn OverviewRows() -> impl IntoView {
    let newest = slice(|board| overview(board).map(|view| view.rows.clone()).unwrap_or_default());
    let counted =
        slice(|board| overview(board).map(|view| (view.counts.clone(), view.only)).unwrap_or_default());
    // Numbers stand still with the rows, because they open and close groups.
    let counts = RwSignal::new(counted.get_untracked());
    let grid = is_grid(counts.get_untracked().1);
    let shown = RwSignal::new(placed(newest.get_untracked(), grid));
    let (hovered, focused) = (RwSignal::new(false), RwSignal::new(false));
    Effect::new(move |before: Option<()>| {
        let (rows, now) = (newest.get(), counted.get());
        let held = hovered.get() || focused.get();
        if before.is_some() {
            if held {
                shown.update(|shown| in_place(shown, &rows));
            } else {
                shown.set(placed(rows, grid));
                counts.set(now);
            }
        }
    });
    let pill = move || {
        let n = shown.with(|shown| newest.with(|newest| pending(shown, newest, grid)));
        (n > 0).then(|| {
            view! {
                <button
                    type="button"
                    class="pill"
                    on:click=move |_| {
                        // The button goes away with what it counted, and the focus with it.
                        focused.set(false);
                        shown.set(placed(newest.get_untracked(), grid));
                        counts.set(counted.get_untracked());
                    }
                >
                    {n}" changed: show"
                </button>
            }
        })
    };
    let groups = move || shown.with(|shown| counts.with(|(counts, only)| groups(shown, counts, *only)));
    view! {
        <div
            class="overview"
            on:pointerenter=move |_| hovered.set(true)
            on:pointerleave=move |_| hovered.set(false)
            on:focusin=move |_| focused.set(true)
            on:focusout=move |event| focused.set(platform::stays_within(&event, ".overview"))
        >
            <div class="pill-place">{pill}</div>
            {groups}
        </div>
    }
}

fn groups(shown: &[Placed], counts: &Counts, only: Option<GroupPage>) -> AnyView {
    if let Some(GroupPage { group: Some(group), page, pages }) = only {
        return view! { {section(group, shown, counts, true)} {turn(Some(group), page, pages)} }.erased();
    }
    if shown.is_empty() && counts.total == 0 {
        return empty(
            "Nothing is declared here.",
            view! { <p>"The first app appears with "{command("vt apply -f vantage.yaml")}</p> },
        )
        .erased();
    }
    match only {
        Some(GroupPage { page, pages, .. }) => cells(shown, counts, page, pages),
        None => Group::ALL.map(|group| section(group, shown, counts, false)).erased(),
    }
}

/// The grid: a cell each, by name.
fn cells(shown: &[Placed], counts: &Counts, page: u32, pages: u32) -> AnyView {
    let cells: Vec<_> = shown.iter().map(|(_, row)| overview_cell(row, page, now())).collect();
    view! {
        <section class="group" id="grid" aria-labelledby="grid-title">
            <h2 id="grid-title">"All, by name "<small>{count(i64::from(counts.total))}</small></h2>
            <div class="cells">{cells}</div>
            {(pages > 1).then(|| turn(None, page, pages))}
        </section>
    }
    .erased()
}

/// Where a group of many pages, or the grid, continues.
fn turn(group: Option<Group>, page: u32, pages: u32) -> AnyView {
    let to = |page: u32, words: &'static str| {
        let mut state = model::ViewState::grid(page);
        if group.is_some() {
            state = model::ViewState { show: group, view: None, ..state };
        }
        view! { <a class="button" href=state.link("/")>{words}</a> }
    };
    view! {
        <nav class="row" aria-label="Pages">
            {(page > 1).then(|| to(page - 1, "Before"))}
            <span>{format!("Page {page} of {pages}")}</span>
            {(page < pages).then(|| to(page + 1, "Next"))}
            {group.map(|_| view! { <a class="button quiet" href="/">"All groups"</a> })}
        </nav>
    }
    .erased()
}

/// What a group has beyond the rows that are shown here.
fn more(group: Group, n: u32, of: u32) -> Option<AnyView> {
    (of > n).then(|| {
        let href = model::ViewState { show: Some(group), ..Default::default() }.link("/");
        let words = match n {
            0 => format!("Show all {}", count(i64::from(of))),
            _ => format!("Show {} more", count(i64::from(of - n))),
        };
        view! { <p class="row"><a class="button quiet" href=href>{words}</a></p> }.erased()
    })
}

fn section(group: Group, shown: &[Placed], counts: &Counts, alone: bool) -> AnyView {
    let rows: Vec<_> =
        shown.iter().filter(|(of, _)| *of == group).map(|(_, row)| overview_row(row, group, now())).collect();
    let n = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    // A row that is held in its old group is counted in its new one already.
    let total = group.count(counts).max(n);
    let more = more(group, n, total).filter(|_| !alone);
    let heading = format!("{}-title", group.as_str());
    let labelled = heading.clone();
    let heading_view =
        view! { <h2 id=heading>{title(group)}" "<small>{count(i64::from(total))}</small></h2> };
    let hidden = total == 0;
    if group == Group::Quiet && !alone {
        return view! {
            <details class="group" id=group.as_str() open={counts.total <= 20 || n == 0} hidden=hidden>
                <summary>{heading_view}</summary>
                <div class="rows">{rows}</div>
                {more}
            </details>
        }
        .erased();
    }
    view! {
        <section class="group" id=group.as_str() aria-labelledby=labelled hidden=hidden>
            {heading_view}
            <div class="rows">{rows}</div>
            {more}
        </section>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EnvId, EnvRef, Judgement, Ts, Verdict, fixtures};

    fn row(n: u64, verdict: Verdict) -> OverviewRow {
        OverviewRow {
            target: EnvRef { env_id: EnvId::mint(n), ..fixtures::env_ref() },
            judgement: Judgement { verdict, since: Ts(0), sentence: String::new(), because: vec![] },
            desired: String::new(),
            current: String::new(),
            last_change: None,
            stale_since: None,
            history: vec![],
        }
    }

    #[test]
    fn a_held_list_changes_in_place_and_counts_what_waits() {
        let mut shown = placed(vec![row(1, Verdict::Converging), row(2, Verdict::Converged)], false);
        let newest = [row(3, Verdict::Failed), row(1, Verdict::Stuck), row(2, Verdict::Converged)];
        in_place(&mut shown, &newest);
        assert_eq!(shown[0].0, Group::Motion);
        assert_eq!(shown[0].1.judgement.verdict, Verdict::Stuck);
        assert_eq!(shown.len(), 2);
        assert_eq!(pending(&shown, &newest, false), 2);
        assert_eq!(pending(&placed(newest.to_vec(), false), &newest, false), 0);
    }

    #[test]
    fn in_the_grid_another_verdict_moves_nothing() {
        let shown = placed(vec![row(1, Verdict::Converged)], true);
        assert_eq!(pending(&shown, &[row(1, Verdict::Stuck)], true), 0);
        assert_eq!(pending(&shown, &[row(1, Verdict::Stuck), row(2, Verdict::Stuck)], true), 1);
    }
}
