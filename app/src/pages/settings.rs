//! `/settings`: how does it look to me, and what is set for everybody?

use crate::ui::erase::Erase as _;
use crate::ui::table::columns;
use leptos::prelude::*;
use model::ViewState;

use super::{Follow, Screen};
use crate::{
    api::{Page, SettingsPage},
    layout::{Crumb, Keys, head},
    looks::{Looks, SETTINGS, Setting},
    ui::{banner::panel, form::hidden, text::outside},
};

impl Screen for SettingsPage {
    fn title(&self) -> String {
        "Settings · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let looks = use_context::<Looks>().unwrap_or_default();
        let locked = page.data.server.iter().any(|setting| setting.value.is_none());
        let aside =
            if locked { "locked: only admins see the values" } else { "set where the server is started" };
        let sentence = view! { <h1 class="sentence"><span class="sentence-text">"How Vantage looks to you, and what is set for everybody."</span></h1> };
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("Settings")], sentence, ())}
            {panel("mine", "Mine", "kept in cookies of this browser", mine(looks))}
            {panel("all", "For everybody", aside, all(&page.data))}
        }
        .erased()
    }
}

fn mine(looks: Looks) -> AnyView {
    let groups = SETTINGS.map(|setting| group(setting, looks.get(&setting)));
    view! {
        <form method="post" action="/settings" class="stack">
            {hidden("return_to", "/settings")}
            <div class="grid">{groups.into_iter().collect::<Vec<_>>()}</div>
            <p class="row"><button type="submit" class="button primary">"Save"</button></p>
        </form>
    }
    .erased()
}

fn group(setting: Setting, chosen: &'static str) -> AnyView {
    let choices: Vec<_> = setting
        .values
        .iter()
        .map(|(value, words)| {
            view! {
                <label class="check">
                    <input type="radio" name=setting.name value=*value checked=*value == chosen/>
                    <span>{*words}</span>
                </label>
            }
        })
        .collect();
    view! { <fieldset class="choice"><legend>{setting.title}</legend>{choices}</fieldset> }.erased()
}

fn all(page: &SettingsPage) -> AnyView {
    let rows: Vec<_> = page
        .server
        .iter()
        .map(|setting| {
            let value = match &setting.value {
                Some(value) => outside(value).erased(),
                None => view! { <span class="muted">"locked"</span> }.erased(),
            };
            view! {
                <tr>
                    <th scope="row">{setting.title}</th>
                    <td data-label="Now">{value}</td>
                    <td data-label="Set with"><code>{setting.how}</code></td>
                </tr>
            }
        })
        .collect();
    view! {
        <table class="stacks">
            <caption>"An administrator changes these where "<code>"vt serve"</code>" is started, not here; "<code>"vt config show"</code>" tells where each value comes from."</caption>
            {columns(&["Setting", "Now", "Set with"])}
            <tbody>{rows}</tbody>
        </table>
    }
    .erased()
}
