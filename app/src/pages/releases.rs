//! `/a/{app}/{env}/releases`: what ran here, how long it held, and what can be chosen again.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::ViewState;

use super::{Follow, Screen};
use crate::{
    api::{Page, ReleasesPage},
    layout::{Crumb, Keys, head},
    parts::{release_table::release_table, verdict_chip::headline},
    ui::{banner::panel, text::plural},
};

impl Screen for ReleasesPage {
    fn title(&self) -> String {
        format!("Releases · {} · Vantage", self.target.title())
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let target = &page.data.target;
        let crumbs = vec![
            Crumb::to("Overview", "/"),
            Crumb::to(&target.app, format!("/o/app/{}", target.app_id)),
            Crumb::to(&target.env, target.path()),
            Crumb::here("Releases"),
        ];
        let n = plural(i64::try_from(page.data.rows.len()).unwrap_or(i64::MAX), "release");
        view! {
            {head(crumbs, headline(&page.data.target.title(), &page.data.judgement, None, page.now), ())}
            {panel("releases", "Releases", n, release_table(&page.data.rows, page.now))}
        }
        .erased()
    }
}
