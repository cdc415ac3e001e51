//! Turns the journal into frames: one ring of frames per followed topic, serialised once and shared by all of
//! its sockets.
//!
//! A frame covers a journal range of its topic. State is coalesced to the newest; events never are. A socket
//! that falls behind its ring is told so and resumes from the store; nobody waits for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use model::{
    Event, EventFilter, ObjectKey, Seq, Ts,
    live::{ServerMsg, State, Topic, stream_filter},
};
use rules::Limits;
use store::{JournalKind, JournalRow, Reader, Store, StoreError};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{Clock, views};

/// Frames that a ring keeps for slow sockets.
const RING: usize = 128;
/// Journal rows that one frame covers at most.
const MAX_ROWS: u32 = 2000;
/// How far back a socket may resume; beyond it, loading the page again is cheaper for everybody.
pub const MAX_RESUME: i64 = 10_000;
/// Between two rounds at least: what happens within it shares a frame.
const COALESCE: Duration = Duration::from_millis(25);
/// How often state that time alone changes is looked at, beside the journal.
const POLL: Duration = Duration::from_secs(1);

/// A frame, serialised once.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The cursor that it continues.
    pub after: Seq,
    /// The cursor that it leads to.
    pub to: Seq,
    /// The message as JSON.
    pub text: Arc<str>,
}

struct Ring {
    frames: broadcast::Sender<Frame>,
    /// Up to where the ring has been told.
    at: Seq,
}

/// All rings.
#[derive(Clone)]
pub struct Fanout {
    store: Store,
    clock: Clock,
    limits: Limits,
    rings: Arc<Mutex<BTreeMap<Topic, Ring>>>,
}

impl Fanout {
    /// Nothing is followed yet.
    #[must_use]
    pub fn new(store: Store, clock: Clock, limits: Limits) -> Self {
        Self { store, clock, limits, rings: Arc::default() }
    }

    /// Follows a topic from `since`: the frame that brings the follower up to date, then the ring. Subscribing
    /// comes before reading, so frames may overlap; they never leave a hole.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not answer.
    pub async fn follow(
        &self,
        topic: &Topic,
        since: Seq,
    ) -> Result<(Vec<Frame>, broadcast::Receiver<Frame>), StoreError> {
        let receiver = {
            let head = self.store.head();
            let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
            let ring = rings
                .entry(topic.clone())
                .or_insert_with(|| Ring { frames: broadcast::channel(RING).0, at: head });
            ring.frames.subscribe()
        };
        let mut frames = Vec::new();
        let mut at = since;
        loop {
            let frame = self.frame(topic, at, true).await?;
            let Some((frame, more)) = frame else { break };
            at = frame.to;
            frames.push(frame);
            if !more {
                break;
            }
        }
        Ok((frames, receiver))
    }

    /// Feeds the rings until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut journal = self.store.watch();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                moved = journal.changed() => if moved.is_err() { return },
                () = tokio::time::sleep(POLL) => {}
            }
            tokio::time::sleep(COALESCE).await;
            journal.borrow_and_update();
            self.round().await;
        }
    }

    async fn round(&self) {
        let topics: Vec<(Topic, Seq)> = {
            let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
            rings.retain(|_, ring| ring.frames.receiver_count() > 0);
            rings.iter().map(|(topic, ring)| (topic.clone(), ring.at)).collect()
        };
        for (topic, mut at) in topics {
            loop {
                match self.frame(&topic, at, false).await {
                    Ok(Some((frame, more))) => {
                        at = frame.to;
                        self.send(&topic, frame);
                        if !more {
                            break;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(error = %crate::chain(&error), "a live frame could not be read");
                        break;
                    }
                }
            }
        }
    }

    fn send(&self, topic: &Topic, frame: Frame) {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = rings.get_mut(topic) {
            ring.at = frame.to;
            let _ = ring.frames.send(frame);
        }
    }

    /// The next frame of a topic after `at`, and whether more follows. `None` where the journal has not moved.
    async fn frame(&self, topic: &Topic, at: Seq, first: bool) -> Result<Option<(Frame, bool)>, StoreError> {
        let mut reader = self.store.read().await?;
        let rows = reader.journal(at, MAX_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let (to, more) = (last.seq, rows.len() == MAX_ROWS as usize);
        let now = (self.clock)();
        let events = match topic {
            Topic::Events { query } => {
                let filter: EventFilter = stream_filter(query, now);
                events(&mut reader, &filter, at, to).await?
            }
            _ => vec![],
        };
        // Only the last frame of a range needs state: it is the newest by then.
        let state = match more || !concerns(topic, &rows) {
            true => None,
            false => self.state(&mut reader, topic, now).await?,
        };
        if state.is_none() && events.is_empty() && !first && !more {
            // Nothing for this topic. The ring's cursor stays, so that the next frame covers this range too and
            // ranges join without holes.
            return Ok(None);
        }
        let after = at;
        let msg = ServerMsg::Frame { topic: topic.clone(), after, to, state, events };
        let text = serde_json::to_string(&msg).unwrap_or_default();
        Ok(Some((Frame { after, to, text: text.into() }, more)))
    }

    async fn state(&self, reader: &mut Reader, topic: &Topic, now: Ts) -> Result<Option<State>, StoreError> {
        let range = views::env::Range::default();
        Ok(match topic {
            Topic::Events { .. } => None,
            Topic::Overview => {
                Some(State::Overview { view: Box::new(views::overview::load(reader, now).await?) })
            }
            Topic::Env { id } => Some(match views::env::load(reader, id, range, &self.limits, now).await? {
                Some(view) => State::Env { view: Box::new(view) },
                None => State::Gone,
            }),
            Topic::Object { key } => {
                Some(match views::object::load(reader, key, range, &self.limits, now).await? {
                    Some(view) => State::Object { view: Box::new(view) },
                    None => State::Gone,
                })
            }
            Topic::Receipt { id } => Some(
                reader.receipt(id).await?.map_or(State::Gone, |view| State::Receipt { view: Box::new(view) }),
            ),
            Topic::Wait { id } => {
                Some(reader.wait(id).await?.map_or(State::Gone, |view| State::Wait { view: Box::new(view) }))
            }
        })
    }
}

async fn events(
    reader: &mut Reader,
    filter: &EventFilter,
    after: Seq,
    to: Seq,
) -> Result<Vec<Event>, StoreError> {
    let mut events = reader.events_between(after, to, MAX_ROWS).await?;
    events.retain(|event| filter.matches(event));
    Ok(events)
}

/// Whether any of these rows can change what a topic shows.
fn concerns(topic: &Topic, rows: &[JournalRow]) -> bool {
    rows.iter().any(|row| match topic {
        Topic::Events { .. } => false,
        Topic::Overview => row.kind != JournalKind::Event,
        Topic::Env { id } => {
            row.kind == JournalKind::Source
                || row.env.as_ref() == Some(id)
                || row.object.as_ref() == Some(&ObjectKey::env(id))
        }
        Topic::Object { key } => {
            row.kind == JournalKind::Source
                || row.object.as_ref() == Some(key)
                || (row.kind == JournalKind::Verdict && row.object.is_some())
        }
        Topic::Receipt { id } => row.subject.as_deref() == Some(id.as_str()),
        Topic::Wait { id } => row.subject.as_deref() == Some(id.as_str()),
    })
}
