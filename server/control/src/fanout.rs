//! Turns the journal into frames: one ring of followers per topic, each frame serialised once and shared by all
//! of its sockets.
//!
//! A frame covers a journal range of its topic. State is coalesced to the newest; events never are. The journal
//! is read once a round for all topics together. Every follower has a bounded outbox; one that falls behind is
//! told nothing more, and nobody waits for it: it resumes from the store.
//!
//! Two cursors a ring: up to where the journal has been *scanned* for it, and up to where its followers have
//! been *told*. A quiet topic is scanned without being told anything, and its next frame starts where the last
//! one ended, so that ranges always join.

mod content;
mod outbox;
mod rings;
mod round;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{
    Seq,
    live::{HEARTBEAT, ServerMsg, Topic, stream_filter},
};
use rules::Limits;
use store::{Store, StoreError};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::Clock;
use outbox::Listener;
pub use outbox::{Following, Pen};
use rings::Rings;

/// Frames and heartbeats that wait for one socket: three seconds of a busy topic.
const OUTBOX: usize = 128;
/// Journal rows that are read at once.
const MAX_ROWS: u32 = 2000;
/// How far back a socket may resume; beyond it, loading the page again is cheaper for everybody.
pub const MAX_RESUME: i64 = 10_000;
/// How long news wait for more that share their frame, where something was told this short a time ago.
const COALESCE: Duration = Duration::from_millis(25);
/// How often the journal is looked at without being called: other processes write too.
const POLL: Duration = Duration::from_secs(1);
/// How long the store may take, so that heartbeats go on when it does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A message that was serialised once; clones share its bytes.
pub trait Payload: From<String> + Clone + Send + Sync + 'static {
    /// What writes it to a socket.
    type Pen: Pen<Self>;
}

/// A frame, serialised once.
#[derive(Debug, Clone)]
pub struct Frame<P> {
    /// The cursor that it continues.
    pub after: Seq,
    /// The cursor that it leads to.
    pub to: Seq,
    /// The message as JSON.
    pub text: P,
}

/// What a follower is told.
#[derive(Debug, Clone)]
pub enum Told<P> {
    /// News of the n-th of its topics: frames whose ranges join, at least one.
    Frames(u8, Arc<[Frame<P>]>),
    /// We are there, and everything up to its sequence has been told.
    Heartbeat(P),
}

impl<P> Told<P> {
    /// How many messages these are.
    fn n(&self) -> usize {
        match self {
            Self::Frames(_, frames) => frames.len(),
            Self::Heartbeat(_) => 1,
        }
    }
}

/// All rings.
pub struct Fanout<P: Payload>(Arc<Inner<P>>);

struct Inner<P: Payload> {
    store: Store,
    clock: Clock,
    limits: Limits,
    rings: Mutex<Rings<P>>,
    /// Rung when somebody joined who has to be brought up to date.
    called: Notify,
}

impl<P: Payload> Clone for Fanout<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Payload> Fanout<P> {
    /// Nothing is followed yet.
    #[must_use]
    pub fn new(store: Store, clock: Clock, limits: Limits) -> Self {
        Self(Arc::new(Inner { store, clock, limits, rings: Mutex::default(), called: Notify::new() }))
    }

    fn rings(&self) -> MutexGuard<'_, Rings<P>> {
        self.0.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows topics from `since`. State that has changed since then is told by itself; events are
    /// asked for with [`Fanout::missed`], after this, so that ranges may overlap and never leave a hole.
    #[must_use]
    pub fn follow(&self, topics: &[Topic], since: Seq) -> Following<P> {
        let listener = Listener::new(OUTBOX);
        self.rings().join(topics, since, self.0.store.head(), &listener);
        self.0.called.notify_one();
        Following::of(listener)
    }

    /// The next frames of events after `at`, and whether more follow. Empty where the journal has not moved or
    /// the topic has no events of its own.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not answer.
    pub async fn missed(&self, topic: &Topic, at: Seq) -> Result<(Vec<Frame<P>>, bool), StoreError> {
        let Topic::Events { query } = topic else { return Ok((vec![], false)) };
        let mut reader = self.0.store.read().await?;
        let rows = reader.journal(at, MAX_ROWS).await?;
        let Some(last) = rows.last() else { return Ok((vec![], false)) };
        let mut events = reader.events_between(at, last.seq, MAX_ROWS).await?;
        let filter = stream_filter(query, (self.0.clock)());
        events.retain(|event| filter.matches(event));
        Ok((content::event_frames(topic, at, last.seq, events), rows.len() == MAX_ROWS as usize))
    }

    /// Feeds the rings until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut journal = self.0.store.watch();
        let mut pulse = interval(HEARTBEAT.std());
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            let look_again = self.rings().rested_at().unwrap_or(last + POLL).min(last + POLL);
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = pulse.tick() => {
                    self.beat().await;
                    continue;
                }
                moved = journal.changed() => if moved.is_err() { return },
                () = self.0.called.notified() => {}
                () = sleep_until(look_again) => {}
            }
            // What is alone goes out at once; what follows closely waits, and shares a frame with what comes meanwhile.
            let now = Instant::now();
            if now < last + COALESCE {
                sleep_until(now + COALESCE).await;
            }
            journal.borrow_and_update();
            last = Instant::now();
            if !self.round(false).await {
                // A store that does not answer is asked less often.
                last += POLL;
            }
        }
    }

    /// One round over all rings; answers whether it worked. What fails is looked at again in the next one.
    async fn round(&self, all: bool) -> bool {
        match timeout(PATIENCE, round::round(self, all)).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => tracing::warn!(error = %crate::chain(&error), "live frames could not be read"),
            Err(_) => tracing::warn!("live frames could not be read within {} s", PATIENCE.as_secs()),
        }
        false
    }

    /// One heartbeat for all sockets.
    async fn beat(&self) {
        // The store is asked here, so that its age in the heartbeat is a fact and not a hope.
        let _ = timeout(PATIENCE, self.0.store.ping()).await;
        self.round(true).await;
        let mut rings = self.rings();
        let heartbeat = self.heartbeat(rings.told().unwrap_or_else(|| self.0.store.head()));
        rings.beat(&heartbeat);
    }

    /// A heartbeat that says that everything up to `seq` has been told.
    #[must_use]
    pub fn heartbeat(&self, seq: Seq) -> P {
        content::text(&ServerMsg::Heartbeat {
            seq,
            server_now: (self.0.clock)(),
            store_read_at: self.0.store.last_read_at(),
        })
    }
}
