//! What a workload printed: the newest lines, as text and nothing else.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{ObjectKey, view::LogLine};

use crate::ui::{
    id_chip::command,
    text::{clamp, visible},
};

/// Longest line that is shown whole.
const MAX_LINE: usize = 1_000;

/// The lines, oldest first, or why there are none.
pub fn logs(lines: Option<&[LogLine]>, object: &ObjectKey) -> AnyView {
    let follow = format!("vt logs tail --instance {}", object.id());
    let Some(lines) = lines else {
        return view! { <p class="muted">"No log source. On the command line: "{command(&follow)}</p> }
            .erased();
    };
    if lines.is_empty() {
        return view! { <p class="muted">"It has printed nothing yet."</p> }.erased();
    }
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            view! {
                <li data-stream=line.stream.clone()>
                    <time datetime=line.at.to_string()>{line.at.clock()}</time>
                    " "
                    <bdi>{visible(&clamp(&line.line, MAX_LINE))}</bdi>
                </li>
            }
        })
        .collect();
    view! {
        <ol class="logs" tabindex="0" role="list" aria-label="Log lines, oldest first">{shown}</ol>
        <p class="muted">"Follow: "{command(&follow)}</p>
    }
    .erased()
}
