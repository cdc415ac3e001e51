//! What a kind of object is about, in a few fields; and its neighbours with their own verdicts.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Object, ObjectKind, view::Related};
use serde_json::Value;

use crate::{
    parts::links::object_link,
    ui::text::{outside, outside_long},
};

/// Fields of the current state that matter for a kind, with their words, in order.
fn interesting(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        ObjectKind::INSTANCE => &[
            ("state", "State"),
            ("process", "Process"),
            ("release", "Release"),
            ("exit_code", "Exit code"),
            ("exit", "Last exit"),
            ("exit_text", "Last exit"),
            ("not_ready", "Not ready because"),
            ("starts", "Starts"),
            ("next_start_at", "Next start"),
            ("port", "Port"),
            ("pid", "Process id"),
        ],
        ObjectKind::RELEASE => &[
            ("number", "Number"),
            ("created_by", "Created by"),
            ("running", "Running"),
            ("files", "Pinned files"),
        ],
        ObjectKind::ENV => &[
            ("release", "Release"),
            ("instances", "Instances"),
            ("run", "Wanted"),
            ("strategy", "Replaced by"),
        ],
        _ => &[],
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "not reported".to_owned(),
        other => other.to_string(),
    }
}

/// The card of this kind of object; kinds that we do not know show what they report.
pub fn kind_card(object: &Object) -> AnyView {
    let known = interesting(object.key.kind().as_str());
    let pair = |name: &str, value: &Value| {
        view! { <div><dt>{outside(name)}</dt><dd>{outside_long(&shown(value))}</dd></div> }.erased()
    };
    let mut pairs: Vec<AnyView> = known
        .iter()
        .filter_map(|(field, name)| object.current.get(*field).map(|value| pair(name, value)))
        .collect();
    if pairs.is_empty() {
        pairs = object.current.iter().take(12).map(|(field, value)| pair(field, value)).collect();
    }
    if pairs.is_empty() {
        return view! { <p class="muted">"Its source reports no fields."</p> }.erased();
    }
    view! { <dl class="pairs facts">{pairs}</dl> }.erased()
}

/// Neighbours, so that the failing one is visible without opening it.
pub fn related(related: &[Related]) -> AnyView {
    if related.is_empty() {
        return view! { <p class="muted">"Nothing is recorded as related."</p> }.erased();
    }
    let items: Vec<_> = related
        .iter()
        .map(|one| {
            view! {
                <li>
                    <span class="muted">{outside(&one.rel.replace('_', " "))}</span>
                    " "
                    {object_link(&one.object, &one.name, one.verdict)}
                </li>
            }
        })
        .collect();
    view! { <ul class="related">{items}</ul> }.erased()
}
