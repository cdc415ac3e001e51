//! The island of the test page: proves that islands wake up, and that a broken one is noticed.
//!
//! It appears on no page that people see; debug servers offer it at `/probe`.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;

/// How the probe should misbehave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeFault {
    /// Not at all.
    #[default]
    None,
    /// The browser expects an element where the server wrote text.
    Mismatch,
    /// The browser half panics while it wakes the island up.
    Panic,
}

/// A button that counts its clicks, disabled until the browser half is there.
#[island]
pub fn Probe(
    /// Where the count starts.
    start: i32,
    /// How to misbehave.
    fault: ProbeFault,
) -> impl IntoView {
    let count = RwSignal::new(start);
    let awake = RwSignal::new(false);
    Effect::new(move || awake.set(true));
    let in_browser = cfg!(feature = "hydrate");
    assert!(!(in_browser && fault == ProbeFault::Panic), "the probe panics because the page asked it to");
    let aside = if in_browser && fault == ProbeFault::Mismatch {
        view! { <p><b>"Counted here"</b></p> }.erased()
    } else {
        view! { <p>"Counted here, not on the server."</p> }.erased()
    };
    view! {
        <div>
            {aside}
            <button
                type="button"
                disabled=move || !awake.get()
                on:click=move |_| count.update(|n| *n += 1)
            >
                "Clicked "
                {count}
                " times"
            </button>
        </div>
    }
}
