//! Conditions: the standard set in a fixed order, even where absent, so that the eye learns the positions.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{Condition, ConditionStatus, Object, Tone, Ts, condition::STANDARD, timeline::SegmentStatus};

use crate::ui::{
    text::{outside, outside_long},
    time,
};

/// The table.
pub fn table(object: &Object, now: Ts) -> AnyView {
    let standard = STANDARD.into_iter().map(|ty| (ty.to_owned(), object.condition(ty)));
    let others = object
        .conditions
        .iter()
        .filter(|condition| !STANDARD.contains(&condition.ty.as_str()))
        .map(|condition| (condition.ty.clone(), Some(condition)));
    let rows: Vec<_> = standard.chain(others).map(|(ty, c)| row(&ty, c, object.generation, now)).collect();
    view! {
        <div class="scroll">
            <table class="conditions">
                <caption class="sr">"Conditions; the standard ones are listed even when they are not reported"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Reason"</th>
                        <th scope="col">"Message"</th>
                        <th scope="col">"Since"</th>
                        <th scope="col">"Generation"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .erased()
}

fn row(ty: &str, condition: Option<&Condition>, generation: i64, now: Ts) -> AnyView {
    let Some(condition) = condition else {
        return view! {
            <tr class="absent">
                <th scope="row">{outside(ty)}</th>
                <td data-label="Status"><span class="unreported">"not reported"</span></td>
                <td data-label="Reason">"–"</td>
                <td data-label="Message">"–"</td>
                <td data-label="Since">"–"</td>
                <td data-label="Generation">"–"</td>
            </tr>
        }
        .erased();
    };
    let tone = Tone::of(ty, SegmentStatus::from(condition.status), false);
    let older = condition.observed_generation.is_some_and(|observed| observed < generation);
    let about = match condition.observed_generation {
        Some(observed) if older => format!("about generation {observed}, spec is {generation}"),
        Some(observed) => observed.to_string(),
        None => "not reported".to_owned(),
    };
    let status = condition.status;
    view! {
        <tr data-tone=tone.as_str() class:older=older>
            <th scope="row">{outside(ty)}</th>
            <td data-label="Status"><span class="tone-word">{status_word(status)}</span></td>
            <td data-label="Reason">{outside(if condition.reason.is_empty() { "–" } else { &condition.reason })}</td>
            <td data-label="Message">{outside_long(if condition.message.is_empty() { "–" } else { &condition.message })}</td>
            <td data-label="Since">{time::clock(condition.since, now)}" "<span class="muted">"("{time::relative(time::Rel::For, condition.since, now)}")"</span></td>
            <td data-label="Generation">{about}</td>
        </tr>
    }
    .erased()
}

const fn status_word(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown => "Unknown",
    }
}
