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

/// A group and one page of it; `None` is the begin of every group.
pub type Part = Option<(&'static str, u32)>;

/// What the overview shows, as of one snapshot.
#[derive(Debug)]
pub struct Rollup {
    view: Overview,
    chrome: Chrome,
    as_of: Seq,
    now: Ts,
}

impl Pages {
    pub(super) async fn load_overview(
        &self,
        who: &Viewer,
        state: &ViewState,
    ) -> Result<Page<OverviewPage>, PageError> {
        let only = state.show.map(|group| (group, state.page.unwrap_or(1)));
        let Some(selected) = state.sel.as_deref().and_then(|sel| sel.parse().ok()) else {
            let app = &self.state;
            let rollup = app.rollups.get(
                only.map(|(group, page)| (group.as_str(), page)),
                (|| app.now(), || app.store.head()),
                async || {
                    let rollup = self.rollup(&mut self.reader().await?, only).await?;
                    let now = rollup.now;
                    Ok((Arc::new(rollup), now))
                },
            );
            let Rollup { view, chrome, as_of, now } = &*rollup.await?;
            let data = OverviewPage { view: view.clone(), peek: None };
            return Ok(self.page_of(who, data, *chrome, (*as_of, *now)));
        };
        let mut reader = self.reader().await?;
        let Rollup { view, chrome, as_of, now } = self.rollup(&mut reader, only).await?;
        // What is selected and does not exist (any more) is no reason to hide the rest.
        let peek = views::env::load(&mut reader, &selected, Range::default(), &self.state.limits, now)
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(self.page_of(who, OverviewPage { view, peek }, chrome, (as_of, now)))
    }

    async fn rollup(
        &self,
        reader: &mut store::Reader,
        only: Option<(Group, u32)>,
    ) -> Result<Rollup, PageError> {
        let now = self.state.now();
        let view = views::overview::load(reader, only, now).await.map_err(|error| self.failed(&error))?;
        let chrome = self.chrome(reader, now).await?;
        Ok(Rollup { view, chrome, as_of: reader.as_of(), now })
    }
}
