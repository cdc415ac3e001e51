//! Who follows what, and up to where they have been told. Holds no content and reads nothing.

use std::{collections::BTreeMap, sync::Arc};

use model::{Seq, live::Topic};
use tokio::time::Instant;

use super::{Frame, Payload, Told, outbox::Listener};

/// All rings, and every socket once for its heartbeats.
pub(super) struct Rings<P: Payload> {
    topics: BTreeMap<Topic, Ring<P>>,
    sockets: Vec<Arc<Listener<P>>>,
}

impl<P: Payload> Default for Rings<P> {
    fn default() -> Self {
        Self { topics: BTreeMap::new(), sockets: vec![] }
    }
}

struct Ring<P: Payload> {
    followers: Vec<Follower<P>>,
    cursor: Cursor,
}

struct Follower<P: Payload> {
    /// Which of its topics this is.
    n: u8,
    /// Up to where it has been told, or will be by what it reads itself.
    reached: Seq,
    listener: Arc<Listener<P>>,
}

/// How a ring stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Up to where the journal has been looked at.
    pub(super) scanned: Seq,
    /// Up to where every follower has been told; its next frame starts here.
    pub(super) told: Seq,
    /// The state has changed since it was told.
    pub(super) dirty: bool,
    /// The state is not computed again before this.
    pub(super) rest: Instant,
}

impl<P: Payload> Ring<P> {
    fn tell(&mut self, frames: &Arc<[Frame<P>]>) {
        let [first, ..] = &**frames else { return };
        let to = frames.last().map_or(first.to, |last| last.to);
        self.followers.retain_mut(|follower| {
            // One who joined from further back while these frames were made waits for the next.
            if first.after > follower.reached {
                return true;
            }
            follower.reached = follower.reached.max(to);
            follower.listener.tell(Told::Frames(follower.n, Arc::clone(frames)))
        });
        self.cursor.told = self.followers.iter().map(|follower| follower.reached).min().unwrap_or(to);
    }
}

impl<P: Payload> Rings<P> {
    /// A socket joins at `since`; `head` is the newest commit that is known.
    pub(super) fn join(&mut self, topics: &[Topic], since: Seq, head: Seq, listener: &Arc<Listener<P>>) {
        for (n, topic) in (0..=u8::MAX).zip(topics) {
            let cursor = Cursor { scanned: head, told: head, dirty: false, rest: Instant::now() };
            let ring = self.topics.entry(topic.clone()).or_insert_with(|| Ring { followers: vec![], cursor });
            let reached = if matches!(topic, Topic::Events { .. }) {
                // It reads the events before this itself, and after joining.
                head.max(ring.cursor.scanned).max(ring.cursor.told)
            } else {
                // State is computed once for everybody: the next round looks at the journal from here again.
                ring.cursor.scanned = ring.cursor.scanned.min(since);
                ring.cursor.told = ring.cursor.told.min(since);
                since
            };
            ring.followers.push(Follower { n, reached, listener: Arc::clone(listener) });
        }
        self.sockets.push(Arc::clone(listener));
    }

    /// What is followed now.
    pub(super) fn followed(&self) -> Vec<(Topic, Cursor)> {
        self.topics.iter().map(|(topic, ring)| (topic.clone(), ring.cursor)).collect()
    }

    /// When the first state that has changed may be computed.
    pub(super) fn rested_at(&self) -> Option<Instant> {
        self.topics.values().filter(|ring| ring.cursor.dirty).map(|ring| ring.cursor.rest).min()
    }

    /// Tells a ring what was made from its cursor `before`, and moves the cursor.
    pub(super) fn tell(&mut self, topic: &Topic, before: Cursor, now: Cursor, frames: &Arc<[Frame<P>]>) {
        let Some(ring) = self.topics.get_mut(topic) else { return };
        ring.tell(frames);
        // Somebody joined meanwhile from further back: the journal is looked at again from there.
        let lowered = ring.cursor.scanned < before.scanned;
        ring.cursor.scanned = if lowered { ring.cursor.scanned } else { now.scanned };
        ring.cursor.dirty = now.dirty;
        ring.cursor.rest = now.rest;
    }

    /// Up to where everybody has been told everything; `None` where nobody follows anything.
    pub(super) fn told(&self) -> Option<Seq> {
        let told = |ring: &Ring<P>| if ring.cursor.dirty { ring.cursor.told } else { ring.cursor.scanned };
        self.topics.values().map(told).min()
    }

    /// Tells every socket that we are there, and forgets those that are not.
    pub(super) fn beat(&mut self, heartbeat: &P) {
        self.sockets.retain(|socket| socket.tell(Told::Heartbeat(heartbeat.clone())));
        self.topics.retain(|_, ring| {
            ring.followers.retain(|follower| !follower.listener.is_gone());
            !ring.followers.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::outbox::tests::waiting, *};

    fn frame(after: i64, to: i64) -> Frame<String> {
        Frame { after: Seq(after), to: Seq(to), text: format!("{after}-{to}") }
    }

    fn moved(cursor: Cursor, scanned: i64) -> Cursor {
        Cursor { scanned: Seq(scanned), ..cursor }
    }

    fn events() -> Topic {
        Topic::Events { query: String::new() }
    }

    #[test]
    fn a_quiet_topic_is_scanned_on_and_its_next_frame_starts_where_the_last_one_ended() {
        let mut rings = Rings::default();
        let one = Listener::new(8);
        rings.join(&[events()], Seq(10), Seq(10), &one);
        let (topic, before) = rings.followed().remove(0);
        rings.tell(&topic, before, moved(before, 5000), &Arc::from([]));
        let (_, quiet) = rings.followed().remove(0);
        assert_eq!((quiet.scanned, quiet.told), (Seq(5000), Seq(10)));
        assert_eq!(rings.told(), Some(Seq(5000)), "the heartbeat moves its readers on");
        rings.tell(&topic, quiet, moved(quiet, 5001), &Arc::from([frame(10, 5001)]));
        assert_eq!(waiting(&one), ["10-5001"]);
        assert_eq!(rings.followed()[0].1.told, Seq(5001));
    }

    #[test]
    fn whoever_joins_from_further_back_while_a_frame_is_made_gets_the_next_one() {
        let mut rings = Rings::default();
        let (old, new) = (Listener::new(8), Listener::new(8));
        rings.join(&[Topic::Overview], Seq(10), Seq(10), &old);
        let (topic, before) = rings.followed().remove(0);
        rings.join(&[Topic::Overview], Seq(4), Seq(10), &new);
        rings.tell(&topic, before, moved(before, 12), &Arc::from([frame(10, 12)]));
        assert_eq!(waiting(&old), ["10-12"]);
        assert_eq!(waiting(&new), [""; 0], "it would see a hole");
        let (_, now) = rings.followed().remove(0);
        assert_eq!((now.scanned, now.told), (Seq(4), Seq(4)));
        rings.tell(&topic, now, moved(now, 13), &Arc::from([frame(4, 13)]));
        assert_eq!(waiting(&new), ["4-13"]);
    }

    #[test]
    fn a_full_outbox_ends_without_a_hole_and_holds_nobody_up() {
        let mut rings = Rings::default();
        let (slow, quick) = (Listener::new(2), Listener::new(8));
        rings.join(&[events()], Seq(0), Seq(0), &slow);
        rings.join(&[events()], Seq(0), Seq(0), &quick);
        for n in 0..4 {
            let (topic, before) = rings.followed().remove(0);
            rings.tell(&topic, before, moved(before, n + 1), &Arc::from([frame(n, n + 1)]));
        }
        assert_eq!(waiting(&quick), ["0-1", "1-2", "2-3", "3-4"]);
        assert!(slow.is_gone());
        assert_eq!(waiting(&slow), ["0-1", "1-2"]);
        rings.beat(&"beat".to_owned());
        assert_eq!((rings.sockets.len(), rings.topics[&events()].followers.len()), (1, 1));
    }

    #[test]
    fn a_state_that_was_not_told_yet_holds_the_heartbeat_back() {
        let mut rings: Rings<String> = Rings::default();
        let one = Listener::new(8);
        rings.join(&[Topic::Overview], Seq(10), Seq(10), &one);
        let (topic, before) = rings.followed().remove(0);
        rings.tell(&topic, before, Cursor { dirty: true, ..moved(before, 20) }, &Arc::from([]));
        assert_eq!(rings.told(), Some(Seq(10)));
        assert!(rings.rested_at().is_some());
    }
}
