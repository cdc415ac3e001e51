//! Instances as squares: one each, and ghosts for what is wanted and does not exist.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Verdict, object::object_path, view::InstanceRow};

use crate::{
    parts::verdict_chip::verdict_icon,
    ui::text::{clamp, visible},
};

/// `3/4`: running of wanted.
#[must_use]
pub fn tally(rows: &[InstanceRow]) -> String {
    let running = rows.iter().filter(|row| row.verdict == Verdict::Converged).count();
    format!("{running}/{}", rows.len())
}

/// One square each, in the order of the data.
pub fn squares(rows: &[InstanceRow]) -> AnyView {
    if rows.is_empty() {
        return view! { <p class="muted">"No instance is wanted, and none exists."</p> }.erased();
    }
    let squares: Vec<_> = rows.iter().map(square).collect();
    view! { <ul class="squares">{squares}</ul> }.erased()
}

fn square(row: &InstanceRow) -> AnyView {
    let detail = visible(&clamp(&row.text, 120));
    let inner = view! {
        <span class="square-icon">{verdict_icon(row.verdict)}</span>
        <span class="square-name">
            <bdi>{visible(&row.name)}</bdi>
            <small>{visible(&row.process)}" · "{visible(&row.release)}</small>
        </span>
        <span class="square-text">
            <span class="square-state">{visible(&row.state)}</span>
            {(row.starts > 1).then(|| view! { <span class="muted">" ×"{row.starts}</span> })}
            <small><bdi>{detail}</bdi></small>
        </span>
        <span class="sr">{row.verdict.word()}</span>
    };
    match &row.object {
        Some(key) => view! {
            <li class="square" data-verdict=row.verdict.as_str()><a href=object_path(key)>{inner}</a></li>
        }
        .erased(),
        None => view! {
            <li class="square ghost" data-verdict=row.verdict.as_str()><span class="square-body">{inner}</span></li>
        }
        .erased(),
    }
}
