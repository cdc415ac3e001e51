//! What waits to be handed to ingest. Bounded, and instances never wait for it.
//!
//! When the store is slower than the world, log lines are refused first (their reader counts them), object states
//! are replaced by newer ones of the same object, and events are kept longest. Events that had to be dropped are
//! counted, and the count is an event.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use model::{NewEvent, ObjectKey, Observation, ObservedObject, observation::NewLogLine};
use tokio::sync::Notify;

/// From here on the queue is long: no log lines, no second state of the same object.
const LONG: usize = 10_000;
/// From here on events are dropped.
const FULL: usize = 20_000;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Observation>,
    lost_events: u64,
}

#[derive(Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
}

/// What was taken out.
pub(crate) struct Taken {
    pub(crate) observations: Vec<Observation>,
    pub(crate) lost_events: u64,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room for this line.
    pub(crate) fn log(&self, line: NewLogLine) -> bool {
        let queue = &mut *self.lock();
        let room = queue.waiting.len() < LONG;
        if room {
            queue.waiting.push_back(Observation::Log(line));
            self.changed.notify_one();
        }
        room
    }

    pub(crate) fn object(&self, object: ObservedObject) {
        let queue = &mut *self.lock();
        if queue.waiting.len() >= LONG {
            let same = |waiting: &&mut Observation| match waiting {
                Observation::Object(older) => older.key == object.key,
                _ => false,
            };
            if let Some(older) = queue.waiting.iter_mut().rev().find(same) {
                *older = Observation::Object(Box::new(object));
                return;
            }
        }
        queue.waiting.push_back(Observation::Object(Box::new(object)));
        self.changed.notify_one();
    }

    pub(crate) fn event(&self, event: NewEvent) {
        let queue = &mut *self.lock();
        if queue.waiting.len() >= FULL {
            queue.lost_events += 1;
            return;
        }
        queue.waiting.push_back(Observation::Event(Box::new(event)));
        self.changed.notify_one();
    }

    pub(crate) fn gone(&self, key: ObjectKey) {
        self.lock().waiting.push_back(Observation::Gone(key));
        self.changed.notify_one();
    }

    /// The oldest observations, at most this many.
    pub(crate) fn take(&self, most: usize) -> Taken {
        let queue = &mut *self.lock();
        let n = queue.waiting.len().min(most);
        let observations = queue.waiting.drain(..n).collect();
        Taken { observations, lost_events: std::mem::take(&mut queue.lost_events) }
    }

    /// Returns once something may be waiting. Safe to drop.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use model::{Ts, fixtures};

    use super::*;

    fn line() -> NewLogLine {
        let object = fixtures::object("instance", "ins_1").key;
        NewLogLine { at: Ts(0), object, app: None, env: None, stream: "stdout".into(), line: "x".into() }
    }

    fn object(id: &str, generation: i64) -> ObservedObject {
        let object = fixtures::object("instance", id);
        ObservedObject {
            key: object.key,
            name: object.name,
            app: object.app,
            env: object.env,
            generation,
            observed_generation: None,
            desired: object.desired,
            current: object.current,
            refs: vec![],
            conditions: vec![],
        }
    }

    fn event() -> NewEvent {
        let event = fixtures::event(1);
        NewEvent {
            at: event.at,
            source: event.source,
            controller: event.controller,
            object: event.object,
            app: event.app,
            env: event.env,
            action: event.action,
            outcome: event.outcome,
            reason: event.reason,
            message: event.message,
            attempt: None,
            trace_id: None,
            dedupe: None,
        }
    }

    #[test]
    fn a_long_queue_refuses_lines_keeps_the_newest_state_and_counts_lost_events() {
        let outbox = Outbox::default();
        outbox.object(object("ins_1", 1));
        assert_eq!((0..LONG).filter(|_| outbox.log(line())).count(), LONG - 1);
        outbox.object(object("ins_1", 2));
        outbox.object(object("ins_2", 1));
        (0..FULL).for_each(|_| outbox.event(event()));
        let taken = outbox.take(usize::MAX);
        assert_eq!(taken.observations.len(), FULL);
        assert_eq!(taken.lost_events, (LONG + 1) as u64);
        assert!(matches!(&taken.observations[0], Observation::Object(object) if object.generation == 2));
        assert!(outbox.log(line()));
        assert_eq!(outbox.take(10).lost_events, 0);
    }
}
