//! The overview, from a roll-up that is kept while the journal stands still, and for a second at most.
//!
//! A roll-up is data, the same for everybody who may read: the page is made of it for each reader, or shared by those
//! who may only read.

use std::sync::Arc;

use app::api::{Chrome, OverviewPage, Page, PageError, Viewer};
use control::views::{self, env::Range};
use model::{
    Seq, Ts, ViewState,
    view::{Group, Overview},
};

use super::Pages;

/// What of the fleet is shown; its roll-up is kept under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The beginning of every group.
    Groups,
    /// One page of a group.
    Group(Group, u32),
    /// One page of the grid.
    Grid(u32),
}

/// What the overview shows, as of one snapshot.
#[derive(Debug)]
pub struct Rollup {
    view: Overview,
    chrome: Chrome,
    as_of: Seq,
    now: Ts,
}

impl Part {
    fn of(state: &ViewState) -> Self {
        let page = state.page.unwrap_or(1);
        match state.show {
            _ if state.is_grid() => Self::Grid(page),
            Some(group) => Self::Group(group, page),
            None => Self::Groups,
        }
    }
}

impl Pages {
    pub(super) async fn load_overview(
        &self,
        who: &Viewer,
        state: &ViewState,
    ) -> Result<Page<OverviewPage>, PageError> {
        let part = Part::of(state);
        let Some(selected) = state.sel.as_deref().and_then(|sel| sel.parse().ok()) else {
            let app = &self.state;
            let rollup = app.rollups.get(part, (|| app.now(), || app.store.head()), async || {
                let rollup = self.rollup(&mut self.reader().await?, part).await?;
                let now = rollup.now;
                Ok((Arc::new(rollup), now))
            });
            let Rollup { view, chrome, as_of, now } = &*rollup.await?;
            let data = OverviewPage { view: view.clone(), peek: None };
            return Ok(self.page_of(who, data, *chrome, (*as_of, *now)));
        };
        let mut reader = self.reader().await?;
        let Rollup { view, chrome, as_of, now } = self.rollup(&mut reader, part).await?;
        // What is selected and does not exist (any more) is no reason to hide the rest.
        let peek = views::env::load(&mut reader, &selected, Range::default(), &self.state.limits, now)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(self.page_of(who, OverviewPage { view, peek }, chrome, (as_of, now)))
    }

    async fn rollup(&self, reader: &mut store::Reader, part: Part) -> Result<Rollup, PageError> {
        let now = self.state.now();
        let view = match part {
            Part::Groups => views::overview::load(reader, None, now).await,
            Part::Group(group, page) => views::overview::load(reader, Some((group, page)), now).await,
            Part::Grid(page) => views::overview::grid(reader, page, now).await,
        };
        let view = view.map_err(|error| self.failed(&error))?;
        let chrome = self.chrome(reader, now).await?;
        Ok(Rollup { view, chrome, as_of: reader.as_of(), now })
    }
}
