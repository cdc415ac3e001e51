//! Desired against current, field by field: only what differs, and the rest folded.

use std::collections::BTreeSet;

use crate::ui::erase::Erase as _;
use crate::ui::table::columns;
use leptos::prelude::*;
use model::Object;
use serde_json::Value;

use crate::{
    parts::event_row::visible_lines,
    ui::text::{clamp, outside, outside_long},
};

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "not reported".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The table and the raw JSON.
pub fn spec_diff(object: &Object) -> AnyView {
    let fields: BTreeSet<&String> = object.desired.keys().chain(object.current.keys()).collect();
    let (differing, equal): (Vec<&String>, Vec<&String>) = fields.into_iter().partition(|field| {
        object.desired.contains_key(*field) && object.desired.get(*field) != object.current.get(*field)
    });
    let rows: Vec<_> = differing
        .iter()
        .map(|field| {
            view! {
                <tr>
                    <th scope="row">{outside(field)}</th>
                    <td data-label="Desired"><ins>{outside_long(&shown(object.desired.get(*field)))}</ins></td>
                    <td data-label="Current"><del>{outside_long(&shown(object.current.get(*field)))}</del></td>
                </tr>
            }
        })
        .collect();
    let table = if rows.is_empty() {
        view! { <p class="calm">"No field of the desired state differs from the current one."</p> }.erased()
    } else {
        view! {
            <div class="scroll">
                <table>
                    <caption class="sr">"Fields that differ"</caption>
                    {columns(&["Field", "Desired", "Current"])}
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .erased()
    };
    let rest: Vec<_> = equal
        .into_iter()
        .map(|field| {
            let value = object.current.get(field).or_else(|| object.desired.get(field));
            view! { <div><dt>{outside(field)}</dt><dd>{outside_long(&shown(value))}</dd></div> }
        })
        .collect();
    let rest_title = format!("{} other fields", rest.len());
    let rest = (!rest.is_empty())
        .then(|| view! { <details class="fold"><summary>{rest_title}</summary><dl class="pairs">{rest}</dl></details> });
    let raw = serde_json::to_string_pretty(&(&object.desired, &object.current)).unwrap_or_default();
    let raw = visible_lines(&clamp(&raw, 20_000));
    view! {
        {table}
        {rest}
        <details class="fold"><summary>"Raw JSON"</summary><pre class="code"><bdi>{raw}</bdi></pre></details>
    }
    .erased()
}
