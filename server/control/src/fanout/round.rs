//! One round: the journal is read once, then each ring gets what concerns it.

use std::time::Duration;

use model::{
    EventFilter, Seq,
    live::{Topic, stream_filter},
};
use store::{JournalKind, Reader, StoreError};
use tokio::time::Instant;

use super::{Fanout, Frame, MAX_ROWS, Payload, content, rings::Cursor};

/// After a state was computed its topic rests for so many times as long, so that a large fleet in motion takes a
/// tenth of a processor at most.
const REST: u32 = 9;
/// And never longer than this.
const MAX_REST: Duration = Duration::from_secs(1);

/// A ring in this round.
struct Turn<P> {
    topic: Topic,
    filter: Option<EventFilter>,
    before: Cursor,
    now: Cursor,
    frames: Vec<Frame<P>>,
}

/// Brings every ring up to date; states that rest are left for later, unless `all` are wanted.
pub(super) async fn round<P: Payload>(fanout: &Fanout<P>, all: bool) -> Result<(), StoreError> {
    let inner = &fanout.0;
    let now = (inner.clock)();
    let turn = |(topic, cursor): (Topic, Cursor)| {
        let filter = match &topic {
            Topic::Events { query } => Some(stream_filter(query, now)),
            _ => None,
        };
        Turn { topic, filter, before: cursor, now: cursor, frames: vec![] }
    };
    let mut turns: Vec<Turn<P>> = fanout.rings().followed().into_iter().map(turn).collect();
    let Some(from) = turns.iter().map(|turn| turn.before.scanned).min() else { return Ok(()) };
    let mut reader = inner.store.read().await?;
    if reader.as_of() <= from && !turns.iter().any(|turn| turn.now.dirty) {
        return Ok(());
    }
    let head = scan(&mut reader, &mut turns, from).await?;
    // Events first: they do not wait for states to be computed.
    for turn in &mut turns {
        let frames = std::mem::take(&mut turn.frames).into();
        fanout.rings().tell(&turn.topic, turn.before, turn.now, &frames);
        turn.before = turn.now;
    }
    for turn in turns.iter_mut().filter(|turn| turn.now.dirty) {
        let begin = Instant::now();
        if begin < turn.now.rest && !all {
            continue;
        }
        let state = content::state(&mut reader, &turn.topic, &inner.limits, now).await?;
        let frame = state.map(|state| content::state_frame(&turn.topic, turn.now.told, head, state));
        turn.now.dirty = false;
        turn.now.rest = Instant::now() + (begin.elapsed() * REST).min(MAX_REST);
        fanout.rings().tell(&turn.topic, turn.before, turn.now, &frame.into_iter().collect());
    }
    Ok(())
}

/// Looks at the journal after `from`: makes the frames of events, and notes whose state has changed. Answers the
/// last row.
async fn scan<P: Payload>(reader: &mut Reader, turns: &mut [Turn<P>], from: Seq) -> Result<Seq, StoreError> {
    let mut at = from;
    loop {
        let rows = reader.journal(at, MAX_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(at) };
        let to = last.seq;
        let wanted = turns.iter().any(|turn| turn.filter.is_some())
            && rows.iter().any(|row| row.kind == JournalKind::Event);
        let events = if wanted { reader.events_between(at, to, MAX_ROWS).await? } else { vec![] };
        for turn in &mut *turns {
            let seen = turn.now.scanned;
            if let Some(filter) = &turn.filter {
                let mine = events.iter().filter(|event| event.seq > seen && filter.matches(event));
                let mine: Vec<_> = mine.cloned().collect();
                if !mine.is_empty() {
                    turn.frames.extend(content::event_frames(&turn.topic, turn.now.told, to, mine));
                    turn.now.told = to;
                }
            } else {
                let new = &rows[rows.partition_point(|row| row.seq <= seen)..];
                turn.now.dirty = turn.now.dirty || content::concerns(&turn.topic, new);
            }
            turn.now.scanned = seen.max(to);
        }
        at = to;
        if rows.len() < MAX_ROWS as usize {
            return Ok(at);
        }
    }
}
