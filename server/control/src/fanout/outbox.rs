//! What waits for one socket, and who may write to it.
//!
//! The right to write is a thing, the pen, and it is in one place at a time: with the socket's own task, or lent to the
//! fan-out. The fan-out writes with it at once, as long as nothing waits, which saves a queue and a wake-up for every
//! delivery. What cannot be written at once waits here, and the task takes its pen back.
//!
//! What waits is bounded. Whoever falls behind is told nothing more, and nobody waits for it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{Payload, Told};

/// Writes to one socket.
pub trait Pen<P>: Send + 'static {
    /// Writes news at once and wholly, or answers `false`. Then its owner gets the same news to write, before any
    /// others, and is never overtaken.
    fn write_now(&mut self, told: &Told<P>) -> bool;
}

/// One socket, as the rings know it.
pub(super) struct Listener<P: Payload> {
    outbox: Mutex<Outbox<P>>,
    room: usize,
    called: Notify,
}

struct Outbox<P: Payload> {
    /// Here while it is lent.
    pen: Option<P::Pen>,
    waiting: VecDeque<Told<P>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// There was no more room: what waits is without a hole, and nothing follows it.
    Behind,
    /// The socket's task is gone.
    Closed,
}

impl<P: Payload> Listener<P> {
    /// A socket for which so many frames and heartbeats may wait, or those of one round.
    pub(super) fn new(room: usize) -> Arc<Self> {
        let outbox = Outbox { pen: None, waiting: VecDeque::new(), state: State::Open };
        Arc::new(Self { outbox: Mutex::new(outbox), room, called: Notify::new() })
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox<P>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes this, or lets it wait; answers whether anything more may be told.
    pub(super) fn tell(&self, told: Told<P>) -> bool {
        let mut outbox = self.outbox();
        if outbox.state != State::Open {
            return false;
        }
        if outbox.waiting.is_empty() && outbox.pen.as_mut().is_some_and(|pen| pen.write_now(&told)) {
            return true;
        }
        let n: usize = outbox.waiting.iter().map(Told::n).sum();
        if n == 0 || n + told.n() <= self.room {
            outbox.waiting.push_back(told);
        } else {
            outbox.state = State::Behind;
        }
        let state = outbox.state;
        drop(outbox);
        self.called.notify_one();
        state == State::Open
    }

    pub(super) fn is_gone(&self) -> bool {
        self.outbox().state != State::Open
    }

    /// Until something waits.
    async fn waits(&self) {
        loop {
            let called = self.called.notified();
            if !self.outbox().waiting.is_empty() {
                return;
            }
            called.await;
        }
    }
}

/// One socket's end. Dropping it ends the following.
pub struct Following<P: Payload>(Arc<Listener<P>>);

impl<P: Payload> Following<P> {
    pub(super) fn of(listener: Arc<Listener<P>>) -> Self {
        Self(listener)
    }

    /// Lends the pen until something waits that could not be written at once, or until `other` is there. Gives the
    /// pen back, with what `other` was.
    pub async fn lend<T>(&mut self, pen: P::Pen, other: impl Future<Output = T>) -> (P::Pen, Option<T>) {
        let Self(listener) = self;
        listener.outbox().pen = Some(pen);
        let other = tokio::select! {
            biased;
            other = other => Some(other),
            () = listener.waits() => None,
        };
        let pen = listener.outbox().pen.take().expect("only its owner takes a pen back");
        (pen, other)
    }

    /// Takes the first of what waits.
    pub fn take(&mut self) -> Option<Told<P>> {
        self.0.outbox().waiting.pop_front()
    }

    /// Whether there was no more room: what waits is without a hole, and nothing follows it.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.0.outbox().state == State::Behind
    }
}

impl<P: Payload> Drop for Following<P> {
    fn drop(&mut self) {
        let mut outbox = self.0.outbox();
        outbox.state = State::Closed;
        outbox.waiting = VecDeque::new();
        outbox.pen = None;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::future::{pending, ready};

    use model::Seq;

    use super::{super::Frame, *};

    /// Writes as much as it has room for, and shows it.
    #[derive(Debug, Clone, Default)]
    pub struct Tape {
        room: usize,
        written: Arc<Mutex<Vec<String>>>,
    }

    impl Pen<String> for Tape {
        fn write_now(&mut self, told: &Told<String>) -> bool {
            let Told::Heartbeat(text) = told else { return false };
            let mut written = self.written.lock().unwrap();
            let has_room = written.len() < self.room;
            if has_room {
                written.push(text.clone());
            }
            has_room
        }
    }

    impl Payload for String {
        type Pen = Tape;
    }

    fn news(n: usize) -> Told<String> {
        Told::Heartbeat(n.to_string())
    }

    /// What waits, in words.
    pub(in crate::fanout) fn waiting(listener: &Listener<String>) -> Vec<String> {
        let words = |told: Told<String>| match told {
            Told::Frames(_, frames) => frames.iter().map(|frame| frame.text.clone()).collect(),
            Told::Heartbeat(text) => vec![text],
        };
        listener.outbox().waiting.drain(..).flat_map(words).collect()
    }

    #[tokio::test]
    async fn a_lent_pen_writes_at_once_until_something_has_to_wait() {
        let listener = Listener::new(8);
        let mut following = Following::of(Arc::clone(&listener));
        let tape = Tape { room: 2, ..Tape::default() };
        let written = Arc::clone(&tape.written);
        let lent = following.lend(tape, pending::<()>());
        let told = async { (0..4).map(|n| listener.tell(news(n))).collect::<Vec<_>>() };
        let ((tape, other), told) = tokio::join!(lent, told);
        assert_eq!((other, told), (None, vec![true; 4]));
        assert_eq!(*written.lock().unwrap(), ["0", "1"]);
        assert_eq!(waiting(&listener), ["2", "3"]);
        drop(tape);
    }

    #[tokio::test]
    async fn nobody_writes_past_an_owner_who_has_taken_the_pen_back_or_past_what_waits() {
        let listener = Listener::new(8);
        let mut following = Following::of(Arc::clone(&listener));
        let tape = Tape { room: 8, ..Tape::default() };
        let (tape, other) = following.lend(tape, ready("a ping")).await;
        assert_eq!(other, Some("a ping"));
        listener.tell(news(0));
        assert!(tape.written.lock().unwrap().is_empty());
        let written = Arc::clone(&tape.written);
        listener.outbox().pen = Some(tape);
        listener.tell(news(1));
        assert!(written.lock().unwrap().is_empty(), "the first one still waits");
        assert!(matches!(following.take(), Some(Told::Heartbeat(first)) if first == "0"));
        assert_eq!(waiting(&listener), ["1"]);
    }

    #[test]
    fn without_room_nothing_more_is_told_and_a_closed_one_gives_everything_back() {
        let listener = Listener::new(2);
        let following = Following::of(Arc::clone(&listener));
        assert_eq!([0, 1, 2, 3].map(|n| listener.tell(news(n))), [true, true, false, false]);
        assert!(following.is_behind() && listener.is_gone());
        assert_eq!(waiting(&listener), ["0", "1"]);
        // What is larger than all the room goes alone, or it would never go.
        let large = Listener::new(2);
        let frames = (0..3).map(|n| Frame { after: Seq(n), to: Seq(n + 1), text: n.to_string() }).collect();
        assert!(large.tell(Told::Frames(0, frames)) && !large.tell(news(3)));
        assert_eq!(waiting(&large), ["0", "1", "2"]);
        let other = Listener::new(2);
        other.outbox().pen = Some(Tape::default());
        other.tell(news(0));
        drop(Following::of(Arc::clone(&other)));
        assert!(!other.tell(news(1)));
        assert!(other.outbox().pen.is_none() && waiting(&other).is_empty());
    }
}
