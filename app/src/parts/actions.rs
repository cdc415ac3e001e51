//! What can be done: the same place on every page, and what cannot be done stays visible with its reason.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::view::ActionState;

use crate::{parts::links, ui::text::visible};

/// Links to plans; they change nothing by themselves. `blocked` is why none of them may be used now.
pub fn actions(actions: &[ActionState], blocked: Option<&str>) -> AnyView {
    let items: Vec<_> = actions
        .iter()
        .enumerate()
        .map(|(i, action)| {
            let verb = action.verb.as_str();
            match action.disabled.as_deref().or(blocked) {
                None => view! {
                    <span class="action" data-verb=verb>{links::link(&action.href, "button", visible(&action.label))}</span>
                }
                .erased(),
                Some(why) => {
                    let id = format!("why-{verb}-{i}");
                    let described = id.clone();
                    view! {
                        <span class="action" data-verb=verb>
                            <a role="link" class="button" aria-disabled="true" tabindex="0" aria-describedby=described>{visible(&action.label)}</a>
                            <small id=id>{visible(why)}</small>
                        </span>
                    }
                    .erased()
                }
            }
        })
        .collect();
    view! { <div class="action-list">{items}</div> }.erased()
}
