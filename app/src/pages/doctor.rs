//! `/doctor`: is our own plumbing fine? Local and connectivity, never about an app.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    ViewState,
    doctor::{Check, DoctorView, Outcome},
};

use super::{Follow, Screen};
use crate::{
    api::Page,
    layout::{Crumb, Keys, head},
    ui::{
        id_chip::copy_button,
        text::{outside, outside_long},
        time,
    },
};

impl Screen for DoctorView {
    fn title(&self) -> String {
        match self.n(Outcome::Fails) {
            0 => "Doctor · Vantage".to_owned(),
            n => format!("({n}) Doctor · Vantage"),
        }
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let view = page.data;
        let report = plain_json(&view);
        let checks: Vec<_> = view.checks.iter().map(check).collect();
        let actions = view! {
            <div class="action-list">
                <a class="button" href="/doctor">"Run again"</a>
                {copy_button(&report, "copy report", "as JSON")}
            </div>
        };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Doctor")], sentence(&view), actions)}
            <p class="muted">
                "About Vantage itself, not about an app. Checked at "{time::precise(view.at)}"."
            </p>
            <ul class="panel checks" id="doctor">{checks}</ul>
            <details class="fold"><summary>"Report as JSON"</summary><pre class="code">{report.clone()}</pre></details>
        }
        .erased()
    }
}

/// JSON in plain ASCII: whatever a source says, copying it into a ticket cannot turn text around.
fn plain_json(view: &DoctorView) -> String {
    let json = serde_json::to_string_pretty(view).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn sentence(view: &DoctorView) -> AnyView {
    let (fails, look) = (view.n(Outcome::Fails), view.n(Outcome::Look));
    let n = view.checks.len() - view.n(Outcome::Browser);
    let text = match (fails, look) {
        (0, 0) => format!("All {n} checks of the server are fine."),
        (0, k) => format!("Nothing fails; {k} of {n} checks should be looked at."),
        (1, _) => format!("1 of {n} checks fails."),
        (k, _) => format!("{k} of {n} checks fail."),
    };
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }.erased()
}

fn check(check: &Check) -> AnyView {
    view! {
        <li id=format!("check-{}", check.name) data-tone=check.outcome.tone()>
            <span class="tone-word"><span class="glyph" aria-hidden="true">{check.outcome.glyph()}</span><span class="check-word">{check.outcome.word()}</span></span>
            <b>{outside(&check.title)}</b>
            <span class="check-found">{outside_long(&check.found)}</span>
            {check.fix.as_deref().map(|fix| view! { <p>{outside_long(fix)}</p> })}
        </li>
    }
    .erased()
}
