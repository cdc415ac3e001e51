//! `/sources`: what we listen to.

use app::api::{Page, PageError, Viewer};
use model::{
    SourceId, Span, Ts,
    source::{Outage, SourceRow, SourceView, SourcesView},
    view::SourceState,
};
use store::{GapReason, Reader, SourceFacts, StoreError};

use super::Pages;

/// How far back the strip of a source reaches.
const STRIP: Span = Span::minutes(24 * 60);
/// App-envs that the page of a source lists.
const MAX_ENVS: u32 = 100;

impl Pages {
    pub(super) async fn load_sources(&self, who: &Viewer) -> Result<Page<SourcesView>, PageError> {
        let mut reader = self.reader().await?;
        let now = self.state.now();
        let mut rows = rows(&mut reader, now).await.map_err(|error| self.failed(&error))?;
        rows.sort_by_key(|row| !row.is_silent(now));
        self.page(&mut reader, who, SourcesView { rows }).await
    }

    pub(super) async fn load_source(&self, who: &Viewer, id: &str) -> Result<Page<SourceView>, PageError> {
        let failed = |error| self.failed(&error);
        let missing = || PageError::NotFound { what: format!("source {id}") };
        let id: SourceId = id.parse().map_err(|_| missing())?;
        let mut reader = self.reader().await?;
        let rows = rows(&mut reader, self.state.now()).await.map_err(failed)?;
        let row = rows.into_iter().find(|row| row.state.id == id).ok_or_else(missing)?;
        let envs = reader.source_envs(&id, MAX_ENVS).await.map_err(failed)?;
        self.page(&mut reader, who, SourceView { row, envs }).await
    }
}

/// Every source with what it owns and when nobody watched it.
pub(super) async fn rows(reader: &mut Reader, now: Ts) -> Result<Vec<SourceRow>, StoreError> {
    let mut facts = reader.source_facts().await?;
    let mut rows = Vec::new();
    for state in reader.sources().await? {
        let Some(fact) = facts.remove(&state.id) else { continue };
        rows.push(row(reader, state, fact, now).await?);
    }
    Ok(rows)
}

async fn row(
    reader: &mut Reader,
    state: SourceState,
    fact: SourceFacts,
    now: Ts,
) -> Result<SourceRow, StoreError> {
    let gaps = reader.recording_gaps(&state.id, now - STRIP, now).await?;
    let mut outages: Vec<Outage> = gaps
        .into_iter()
        .map(|gap| Outage {
            from: gap.from,
            to: Some(gap.to),
            server_down: gap.reason == GapReason::ServerDown,
        })
        .collect();
    let SourceFacts { registered_at, objects, lag } = fact;
    let mut row = SourceRow { state, registered_at, objects, lag, outages: vec![] };
    // A gap is recorded when the source speaks again; until then it is open.
    if let (true, Some(seen)) = (row.is_silent(now), row.state.last_seen_at) {
        outages.push(Outage { from: seen, to: None, server_down: false });
    }
    row.outages = outages;
    Ok(row)
}
