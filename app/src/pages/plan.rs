//! `/actions/{verb}/plan`: the same plan as in the dialog, as a page of its own.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::ViewState;

use super::{Follow, Screen};
use crate::{
    api::{Page, PlanPage},
    layout::{Crumb, Keys, head},
    parts::plan_panel::plan_panel,
    ui::text::outside,
};

impl Screen for PlanPage {
    fn title(&self) -> String {
        format!("{} · Vantage", crate::ui::text::visible(&self.plan.title))
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, keys: Keys) -> AnyView {
        let plan = &page.data.plan;
        let path = plan.target.path();
        let crumbs = vec![
            Crumb::to("Overview", "/"),
            Crumb::to(plan.target.title(), path.clone()),
            Crumb::here(plan.verb.label()),
        ];
        let title = view! { <h1 class="sentence" id="plan-title"><span class="sentence-text">{outside(&plan.title)}</span></h1> };
        view! {
            {head(crumbs, title, ())}
            <section class="panel">{plan_panel(&page.data, &keys, page.viewer.may_act(), path, page.now)}</section>
        }
        .erased()
    }
}
