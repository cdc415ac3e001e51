//! The events page: filtered, counted, grouped and paged in the store.

use model::{
    EventFilter, EventId, Seq, Span, Ts, ViewState,
    view::{Bar, EventsView, Silence, group},
};
use store::{EventSample, Reader, StoreError};

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
    let sample = reader.event_sample(&filter).await?;
    let before = state.before.map(|before| before.0);
    let mut events = match sample.newest(before, limit + 1) {
        Some(seqs) => reader.events_listed(&seqs).await?,
        None => reader.events(&filter, before, limit + 1).await?,
    };
    let more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let older: Option<Seq> = events.last().map(|event| event.seq).filter(|_| more);
    let (total, failed) = sample.counts();
    let end = filter.to.unwrap_or(now);
    let begin = filter.from.into_iter().chain(events.iter().map(|event| event.at).min()).min().unwrap_or(end);
    let bars = bars(&sample, begin, end);
    let listed = events.iter().map(|event| event.at).min().filter(|_| more).unwrap_or(begin);
    let silences = silences(reader, listed, end).await?;
    let selected = match state.sel.as_deref().and_then(|sel| sel.parse::<EventId>().ok()) {
        Some(id) => reader.event(id).await?,
        None => None,
    };
    Ok(EventsView {
        groups: group(events, !state.ungrouped),
        facets: sample.facets,
        last_at: reader.last_event_at().await?,
        recorded_since: reader.recorded_since().await?,
        total,
        failed,
        older,
        selected,
        bars,
        silences,
    })
}

/// Steps of a histogram, in seconds: each is easy to read.
const STEPS: [i64; 15] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];
/// The most bars that a histogram has, until its step is a day.
const BARS: i64 = 40;

fn bars(sample: &EventSample, from: Ts, to: Ts) -> Vec<Bar> {
    let length = (to - from).as_seconds();
    let step = STEPS.into_iter().find(|step| length / step < BARS).unwrap_or(STEPS[STEPS.len() - 1]);
    let step = Span::seconds(step);
    // Steps begin at full steps of the clock, so that a later page has the same bars.
    let from = Ts(from.0 - from.0.rem_euclid(step.0));
    let bar = |(i, n, failed): (i64, i64, i64)| {
        let from = from + Span(step.0.saturating_mul(i));
        Bar { from, to: from + step, n, failed }
    };
    sample.histogram(from, step).into_iter().map(bar).collect()
}

/// The most silences that one page tells of.
const SILENCES: usize = 50;

async fn silences(reader: &mut Reader, from: Ts, to: Ts) -> Result<Vec<Silence>, StoreError> {
    let mut silences = Vec::new();
    for source in reader.sources().await? {
        for gap in reader.recording_gaps(&source.id, from, to).await? {
            let reason = super::timeline::words(gap.reason).to_owned();
            silences.push(Silence { source: source.name.clone(), from: gap.from, to: gap.to, reason });
        }
    }
    silences.sort_by_key(|silence| std::cmp::Reverse(silence.from));
    silences.truncate(SILENCES);
    Ok(silences)
}
