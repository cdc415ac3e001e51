//! The live stream: what travels on `/live`, and the pure reducer that applies it.
//!
//! Two kinds of content: the state of a page may be coalesced to the newest; events never are. What could
//! not be sent is said as a range ([`ServerMsg::Reset`]), never left out silently.
//!
//! What the browser reads is tagged from outside (`{"frame": {…}}`): serde reads such an enum straight from the
//! text. A tag among the fields would link a second reader of every type into the browser half.

use serde::{Deserialize, Serialize};

use crate::{
    EnvId, Event, EventFilter, ObjectKey, Receipt, ReceiptId, Seq, Ts, Wait, WaitId,
    stream::EventList,
    view::{EnvView, ObjectView, Overview},
};

/// Raised with every change that an older page could not read.
pub const PROTOCOL: u32 = 2;
/// The server sends one at least this often.
pub const HEARTBEAT: crate::Span = crate::Span::seconds(5);
/// How many topics one socket may follow.
pub const MAX_TOPICS: usize = 8;

/// What a page follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The overview.
    Overview,
    /// A page of the overview as a grid.
    Grid {
        /// From 1.
        page: u32,
    },
    /// One app-env page.
    Env {
        /// Which.
        id: EnvId,
    },
    /// One object page.
    Object {
        /// Which.
        key: ObjectKey,
    },
    /// The event stream; the filter is applied by the server.
    Events {
        /// The canonical query of the filter, as in the page's URL.
        query: String,
    },
    /// One receipt.
    Receipt {
        /// Which.
        id: ReceiptId,
    },
    /// One wait.
    Wait {
        /// Which.
        id: WaitId,
    },
}

/// What the browser sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMsg {
    /// Sent first, and again after a reconnect.
    Resume {
        /// The store that the cursor belongs to.
        store_id: String,
        /// The last sequence that the page has.
        since: Seq,
        /// What the page follows.
        topics: Vec<Topic>,
    },
}

/// Why the server could not continue a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// The cursor belongs to another store: it was restored, or is new.
    OtherStore,
    /// The cursor is too far behind, or ahead of the store.
    TooFar,
    /// The socket did not keep up.
    Slow,
    /// The client sent something unreadable.
    Malformed,
    /// The newest state is too large for a frame.
    TooLarge,
}

/// State of what a page is about; replaces what was shown before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The overview.
    Overview {
        /// The newest.
        view: Box<Overview>,
    },
    /// An app-env page.
    Env {
        /// The newest.
        view: Box<EnvView>,
    },
    /// An object page.
    Object {
        /// The newest.
        view: Box<ObjectView>,
    },
    /// A receipt.
    Receipt {
        /// The newest.
        view: Box<Receipt>,
    },
    /// A wait.
    Wait {
        /// The newest.
        view: Box<Wait>,
    },
    /// What the page is about is gone.
    Gone,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerMsg {
    /// The first message.
    Hello {
        /// [`PROTOCOL`] of the server.
        protocol: u32,
        /// Build of the server; another one than the page's means "reload".
        build_id: String,
        /// The server's clock.
        server_now: Ts,
        /// The store behind it.
        store_id: String,
        /// The head of the journal.
        seq: Seq,
    },
    /// Everything that a topic has in the journal range `(after, to]`.
    Frame {
        /// Which topic.
        topic: Topic,
        /// The cursor that it continues.
        after: Seq,
        /// The cursor that it leads to.
        to: Seq,
        /// The newest state, where the topic has one and it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<State>,
        /// Every event of the range that the topic wants, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<Event>,
    },
    /// Sent every [`HEARTBEAT`], whether or not anything happened.
    Heartbeat {
        /// Everything up to this has been sent, so that a quiet page does not fall behind.
        seq: Seq,
        /// The server's clock.
        server_now: Ts,
        /// When the store last answered; a dead store must not look live.
        store_read_at: Ts,
    },
    /// The range `(from, to]` was not sent. The page has to load again.
    Reset {
        /// Why.
        reason: ResetReason,
        /// After this.
        from: Seq,
        /// Up to this.
        to: Seq,
    },
}

/// What a page has: the reducer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// The build of the server that made the page.
    pub build_id: String,
    /// The store it was read from.
    pub store_id: String,
    /// Up to where it is complete.
    pub as_of: Seq,
    /// The server's clock when it was made.
    pub now: Ts,
    /// What it follows; `None` for pages that do not move.
    pub topic: Option<Topic>,
    /// What it is about.
    pub state: Option<State>,
    /// For topics with events of their own.
    #[serde(default)]
    pub list: EventList,
}

/// What a message did to a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It was news.
    News {
        /// How many events came with it.
        n_events: u32,
        /// How many of them failed.
        n_failed: u32,
    },
    /// It was known already.
    Nothing,
    /// Something is missing between the board and the message; load again.
    Missing {
        /// After this.
        from: Seq,
        /// Up to this.
        to: Seq,
    },
    /// The socket did not keep up; nothing is lost, a new one continues from here.
    Behind,
    /// The server says that it is another one now.
    OtherBuild,
    /// A heartbeat; the page is as fresh as `store_read_at`.
    Heartbeat {
        /// When the store last answered, by the server's clock.
        store_read_at: Ts,
        /// The server's clock.
        server_now: Ts,
    },
}

impl Board {
    /// Applies one message. Pure: the same messages in the same order give the same board.
    pub fn apply(&mut self, msg: ServerMsg) -> Applied {
        match msg {
            ServerMsg::Hello { build_id, .. } if build_id != self.build_id => Applied::OtherBuild,
            ServerMsg::Hello { store_id, seq, .. } if store_id != self.store_id => {
                Applied::Missing { from: self.as_of, to: seq }
            }
            ServerMsg::Hello { .. } => Applied::Nothing,
            ServerMsg::Heartbeat { seq, server_now, store_read_at } => {
                self.as_of = self.as_of.max(seq);
                Applied::Heartbeat { store_read_at, server_now }
            }
            ServerMsg::Reset { reason: ResetReason::Slow, .. } => Applied::Behind,
            ServerMsg::Reset { from, to, .. } => Applied::Missing { from, to },
            ServerMsg::Frame { topic, .. } if self.topic.as_ref() != Some(&topic) => Applied::Nothing,
            ServerMsg::Frame { to, .. } if to <= self.as_of => Applied::Nothing,
            ServerMsg::Frame { after, .. } if after > self.as_of => {
                Applied::Missing { from: self.as_of, to: after }
            }
            ServerMsg::Frame { to, state, events, .. } => {
                let known = self.as_of;
                self.as_of = to;
                if state.is_some() {
                    self.state = state;
                }
                let mut news = (0, 0);
                for event in events.into_iter().filter(|event| event.seq > known) {
                    news.0 += 1;
                    news.1 += u32::from(event.outcome == crate::Outcome::Failed);
                    self.list.push(event);
                }
                Applied::News { n_events: news.0, n_failed: news.1 }
            }
        }
    }

    /// What the page says when it connects.
    #[must_use]
    pub fn resume(&self) -> Option<ClientMsg> {
        let topic = self.topic.clone()?;
        Some(ClientMsg::Resume { store_id: self.store_id.clone(), since: self.as_of, topics: vec![topic] })
    }
}

/// The filter of an events topic; the range is left out, because the stream only moves forward.
#[must_use]
pub fn stream_filter(query: &str, now: Ts) -> EventFilter {
    let (state, _) = crate::ViewState::parse(query);
    EventFilter { from: None, to: None, ..state.event_filter(now) }
}

/// How long to wait before the n-th reconnect, from 0: 0.5, 1, 2, 4, 8, 15 s, with up to a quarter of jitter.
#[must_use]
pub fn reconnect_delay(attempt: u32, random: u32) -> crate::Span {
    let base_ms = (500_i64 << attempt.min(5)).min(15_000);
    crate::Span::millis(base_ms - base_ms * i64::from(random % 256) / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures, time::Span};

    fn board() -> Board {
        Board {
            build_id: "b".into(),
            store_id: "s".into(),
            as_of: Seq(10),
            now: Ts(0),
            topic: Some(Topic::Events { query: String::new() }),
            state: None,
            list: EventList::new(vec![], true),
        }
    }

    fn frame(after: i64, to: i64, events: Vec<Event>) -> ServerMsg {
        let topic = Topic::Events { query: String::new() };
        ServerMsg::Frame { topic, after: Seq(after), to: Seq(to), state: None, events }
    }

    #[test]
    fn a_frame_that_overlaps_shows_every_event_once() {
        let mut board = board();
        assert_eq!(
            board.apply(frame(8, 12, vec![fixtures::event(9), fixtures::event(11), fixtures::event(12)])),
            Applied::News { n_events: 2, n_failed: 0 }
        );
        assert_eq!(board.apply(frame(8, 12, vec![fixtures::event(11)])), Applied::Nothing);
        assert_eq!(board.list.groups.iter().map(|group| group.event.seq.0).collect::<Vec<_>>(), [12, 11]);
        assert_eq!(board.as_of, Seq(12));
    }

    #[test]
    fn a_frame_that_starts_later_is_a_hole_and_changes_nothing() {
        let mut board = board();
        let before = board.clone();
        assert_eq!(
            board.apply(frame(11, 12, vec![fixtures::event(12)])),
            Applied::Missing { from: Seq(10), to: Seq(11) }
        );
        assert_eq!(board, before);
    }

    #[test]
    fn a_quiet_page_moves_on_with_the_heartbeat() {
        let mut board = board();
        let beat = |seq| ServerMsg::Heartbeat { seq: Seq(seq), server_now: Ts(2), store_read_at: Ts(1) };
        assert_eq!(board.apply(beat(5000)), Applied::Heartbeat { store_read_at: Ts(1), server_now: Ts(2) });
        board.apply(beat(4000));
        assert_eq!(board.as_of, Seq(5000));
        assert_eq!(
            board.apply(frame(10, 5002, vec![fixtures::event(5001)])),
            Applied::News { n_events: 1, n_failed: 0 }
        );
    }

    #[test]
    fn a_socket_that_was_too_slow_is_continued_and_nothing_is_missing() {
        let mut board = board();
        let before = board.clone();
        let slow = ServerMsg::Reset { reason: ResetReason::Slow, from: Seq(10), to: Seq(90) };
        assert_eq!((board.apply(slow), &board), (Applied::Behind, &before));
    }

    #[test]
    fn another_store_and_another_build_are_noticed() {
        let hello = |build: &str, store: &str| ServerMsg::Hello {
            protocol: PROTOCOL,
            build_id: build.into(),
            server_now: Ts(0),
            store_id: store.into(),
            seq: Seq(3),
        };
        assert_eq!(board().apply(hello("b", "s")), Applied::Nothing);
        assert_eq!(board().apply(hello("c", "s")), Applied::OtherBuild);
        assert_eq!(board().apply(hello("b", "t")), Applied::Missing { from: Seq(10), to: Seq(3) });
    }

    #[test]
    fn reconnects_back_off_to_fifteen_seconds_and_never_beyond() {
        let delays: Vec<i64> = (0..8).map(|n| reconnect_delay(n, 0).as_millis()).collect();
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        assert!(reconnect_delay(u32::MAX, u32::MAX) >= Span::seconds(11));
    }
}
