//! A plan over the page. The server sends it open and in the flow; script makes it modal.

use leptos::{html::Dialog, prelude::*};

use crate::platform;

/// The dialog. It closes by Esc and by its Cancel link, and never confirms anything by a key.
#[island]
pub fn PlanDialog(
    /// Its question.
    title: String,
    /// The page without it.
    close: String,
    /// Where the focus goes afterwards.
    opener: String,
    /// The plan, rendered by the server.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            dialog.close();
            // Where it cannot be modal it stays in the flow of the page.
            if dialog.show_modal().is_err() {
                dialog.show();
            }
            platform::focus("#plan-title");
        }
    });
    let leave = {
        let close = close.clone();
        move || {
            if let Some(dialog) = dialog.get_untracked() {
                dialog.close();
            }
            platform::replace_url(&close);
            platform::focus(&opener);
        }
    };
    let on_cancel = {
        let leave = leave.clone();
        move |event: leptos::ev::Event| {
            event.prevent_default();
            leave();
        }
    };
    let on_close = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        leave();
    };
    view! {
        <dialog class="plan-dialog" open node_ref=dialog aria-labelledby="plan-title" on:cancel=on_cancel>
            <div class="panel-head">
                <h2 id="plan-title" tabindex="-1"><bdi>{title}</bdi></h2>
                <a class="button quiet" href=close on:click=on_close aria-label="Close">"×"</a>
            </div>
            {children()}
        </dialog>
    }
}
