//! What frames are made of: the events of a range in pieces, or the newest state of a topic.

use std::io;

use model::{
    Event, ObjectKey, ObjectKind, Seq, Ts,
    live::{ResetReason, ServerMsg, State, Topic},
};
use rules::Limits;
use serde::Serialize;
use store::{JournalKind, JournalRow, Reader, StoreError};

use super::{Frame, Payload};
use crate::views;

/// Events are cut into frames of this size; a single larger one has a frame to itself.
const MAX_EVENTS: usize = 16 * 1024;
/// A larger state is not sent. Half of what a socket may buffer.
const MAX_STATE: usize = 128 * 1024;

/// A message as JSON.
pub(super) fn text<P: Payload>(msg: &ServerMsg) -> P {
    serde_json::to_string(msg).expect("messages are plain JSON").into()
}

/// Counts what is written.
struct Meter(usize);

impl io::Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn weight(value: &impl Serialize) -> usize {
    let mut meter = Meter(0);
    serde_json::to_writer(&mut meter, value).expect("what is sent is plain JSON");
    meter.0
}

/// Events of the range `(after, to]` as frames whose ranges join. The last one leads to `to`; without events
/// there is one frame, which says so.
pub(super) fn event_frames<P: Payload>(
    topic: &Topic,
    after: Seq,
    to: Seq,
    events: Vec<Event>,
) -> Vec<Frame<P>> {
    let mut frames = vec![];
    let (mut at, mut piece, mut size) = (after, vec![], 0);
    let mut cut = |piece: &mut Vec<Event>, at: &mut Seq, to: Seq| {
        let (topic, after, events) = (topic.clone(), *at, std::mem::take(piece));
        let text = text(&ServerMsg::Frame { topic, after, to, state: None, events });
        frames.push(Frame { after, to, text });
        *at = to;
    };
    for event in events {
        let more = weight(&event) + 1;
        if !piece.is_empty() && size + more > MAX_EVENTS {
            let last = piece.last().map_or(at, |event: &Event| event.seq);
            cut(&mut piece, &mut at, last);
            size = 0;
        }
        size += more;
        piece.push(event);
    }
    cut(&mut piece, &mut at, to);
    frames
}

/// The newest state as a frame. One that is too large to be sent asks the page to load again instead.
pub(super) fn state_frame<P: Payload>(topic: &Topic, after: Seq, to: Seq, state: State) -> Frame<P> {
    let frame = ServerMsg::Frame { topic: topic.clone(), after, to, state: Some(state), events: vec![] };
    let mut json = serde_json::to_string(&frame).expect("messages are plain JSON");
    if json.len() > MAX_STATE {
        tracing::warn!(?topic, bytes = json.len(), "a state is too large to be sent");
        let reset = ServerMsg::Reset { reason: ResetReason::TooLarge, from: after, to };
        json = serde_json::to_string(&reset).expect("messages are plain JSON");
    }
    Frame { after, to, text: json.into() }
}

/// The newest state of a topic; `None` where it has events instead.
pub(super) async fn state(
    reader: &mut Reader,
    topic: &Topic,
    limits: &Limits,
    now: Ts,
) -> Result<Option<State>, StoreError> {
    let range = views::env::Range::default();
    Ok(match topic {
        Topic::Events { .. } => None,
        Topic::Overview => {
            Some(State::Overview { view: Box::new(views::overview::load(reader, None, now).await?) })
        }
        Topic::Grid { page } => {
            Some(State::Overview { view: Box::new(views::overview::grid(reader, *page, now).await?) })
        }
        Topic::Env { id } => Some(match views::env::load(reader, id, range, limits, now).await? {
            Some(view) => State::Env { view: Box::new(view) },
            None => State::Gone,
        }),
        Topic::Object { key } => Some(match views::object::load(reader, key, range, limits, now).await? {
            Some(view) => State::Object { view: Box::new(view) },
            None => State::Gone,
        }),
        Topic::Receipt { id } => Some(
            reader.receipt(id).await?.map_or(State::Gone, |view| State::Receipt { view: Box::new(view) }),
        ),
        Topic::Wait { id } => {
            Some(reader.wait(id).await?.map_or(State::Gone, |view| State::Wait { view: Box::new(view) }))
        }
    })
}

/// Whether any of these rows can change what a topic shows as its state.
pub(super) fn concerns(topic: &Topic, rows: &[JournalRow]) -> bool {
    let is_env = |key: &ObjectKey| key.kind().as_str() == ObjectKind::ENV;
    rows.iter().any(|row| match topic {
        Topic::Events { .. } => false,
        Topic::Overview | Topic::Grid { .. } => match row.kind {
            JournalKind::Object | JournalKind::Gone | JournalKind::Verdict => {
                row.object.as_ref().is_some_and(is_env)
            }
            JournalKind::Env | JournalKind::Receipt | JournalKind::Source => true,
            JournalKind::Event | JournalKind::Release | JournalKind::Wait | JournalKind::Audit => false,
        },
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

#[cfg(test)]
mod tests {
    use model::fixtures;

    use super::*;

    fn topic() -> Topic {
        Topic::Events { query: "reason=Tested".into() }
    }

    fn read(frame: &Frame<String>) -> (Seq, Seq, Vec<Seq>) {
        match serde_json::from_str(&frame.text).unwrap() {
            ServerMsg::Frame { topic: of, after, to, state: None, events } => {
                assert_eq!((of, after, to), (topic(), frame.after, frame.to));
                (after, to, events.iter().map(|event| event.seq).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_oversized_batch_becomes_several_frames_whose_ranges_join() {
        let events: Vec<Event> = (101..=400).map(fixtures::event).collect();
        let frames: Vec<Frame<String>> = event_frames(&topic(), Seq(90), Seq(450), events);
        assert!(frames.len() > 2, "{}", frames.len());
        let (mut at, mut seen) = (Seq(90), vec![]);
        for frame in &frames {
            assert!(frame.text.len() <= MAX_EVENTS + 200, "{}", frame.text.len());
            let (after, to, events) = read(frame);
            assert_eq!(after, at);
            assert!(events.iter().all(|seq| after < *seq && *seq <= to));
            at = to;
            seen.extend(events);
        }
        assert_eq!(at, Seq(450));
        assert_eq!(seen, (101..=400).map(Seq).collect::<Vec<_>>());
    }

    #[test]
    fn one_event_larger_than_a_frame_has_one_to_itself() {
        let large = Event { message: "x".repeat(3 * MAX_EVENTS), ..fixtures::event(2) };
        let events = vec![fixtures::event(1), large, fixtures::event(3)];
        let frames: Vec<Frame<String>> = event_frames(&topic(), Seq(0), Seq(3), events);
        let ranges: Vec<_> = frames.iter().map(|frame| (frame.after.0, frame.to.0)).collect();
        assert_eq!(ranges, [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn a_range_without_events_is_still_a_range() {
        let frames: Vec<Frame<String>> = event_frames(&topic(), Seq(5), Seq(9), vec![]);
        assert_eq!(frames.iter().map(read).collect::<Vec<_>>(), [(Seq(5), Seq(9), vec![])]);
    }
}
