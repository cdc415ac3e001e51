//! The events page: filtered, counted, grouped and paged in the store.

use model::{
    EventFilter, EventId, Seq, Ts, ViewState,
    view::{EventsView, group},
};
use store::{Reader, StoreError};

/// Events on one page.
pub const PAGE: u32 = 200;

/// Loads the events page.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(
    reader: &mut Reader,
    state: &ViewState,
    limit: u32,
    now: Ts,
) -> Result<EventsView, StoreError> {
    let filter: EventFilter = state.event_filter(now);
    let limit = limit.clamp(1, 1000);
    let mut events = reader.events(&filter, state.before.map(|before| before.0), limit + 1).await?;
    let more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let older: Option<Seq> = events.last().map(|event| event.seq).filter(|_| more);
    let (total, failed) = reader.event_counts(&filter).await?;
    let selected = match state.sel.as_deref().and_then(|sel| sel.parse::<EventId>().ok()) {
        Some(id) => reader.event(id).await?,
        None => None,
    };
    Ok(EventsView {
        groups: group(events, !state.ungrouped),
        facets: reader.event_facets(&filter).await?,
        last_at: reader.last_event_at().await?,
        recorded_since: reader.recorded_since().await?,
        total,
        failed,
        older,
        selected,
    })
}
