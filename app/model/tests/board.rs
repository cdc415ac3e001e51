//! The reducer of the live stream: every event once and in order, every hole said, nothing that makes it panic.

use model::{
    Event, Outcome, Seq, Ts,
    fixtures::{self, NOON},
    live::{Applied, Board, ServerMsg, Topic},
    stream::{EventList, MAX_ROWS},
};
use proptest::{collection::vec, prelude::*};

fn topic() -> Topic {
    Topic::Events { query: String::new() }
}

fn board(as_of: i64) -> Board {
    Board {
        build_id: "b".into(),
        store_id: "s".into(),
        as_of: Seq(as_of),
        now: NOON,
        topic: Some(topic()),
        state: None,
        list: EventList::new(vec![], true),
    }
}

/// The journal that all properties read: every third sequence belongs to somebody else, every fifth failed.
fn journal(after: i64, to: i64) -> Vec<Event> {
    let wanted = (after + 1..=to).filter(|seq| seq % 3 != 0);
    wanted
        .map(|seq| {
            let outcome = if seq % 5 == 0 { Outcome::Failed } else { Outcome::Done };
            Event { outcome, ..fixtures::event(seq) }
        })
        .collect()
}

fn frame(after: i64, to: i64) -> ServerMsg {
    ServerMsg::Frame {
        topic: topic(),
        after: Seq(after),
        to: Seq(to),
        state: None,
        events: journal(after, to),
    }
}

/// Any message, most of them senseless.
fn message() -> impl Strategy<Value = ServerMsg> {
    let seq = || prop_oneof![-3_i64..40, any::<i64>()].prop_map(Seq);
    let word = || prop_oneof![Just("b".to_owned()), Just("s".to_owned()), Just(String::new())];
    let events = vec((any::<i64>(), any::<bool>()), 0..4).prop_map(|list| {
        let outcome = |failed| if failed { Outcome::Failed } else { Outcome::Info };
        list.into_iter()
            .map(|(seq, failed)| Event { seq: Seq(seq), outcome: outcome(failed), ..fixtures::event(1) })
            .collect::<Vec<_>>()
    });
    let topic = prop_oneof![Just(topic()), Just(Topic::Overview)];
    prop_oneof![
        (word(), word(), seq()).prop_map(|(build_id, store_id, seq)| ServerMsg::Hello {
            protocol: 1,
            build_id,
            server_now: Ts(0),
            store_id,
            seq
        }),
        (topic, seq(), seq(), events).prop_map(|(topic, after, to, events)| ServerMsg::Frame {
            topic,
            after,
            to,
            state: None,
            events
        }),
        seq().prop_map(|seq| ServerMsg::Heartbeat { seq, server_now: Ts(0), store_read_at: Ts(0) }),
        (seq(), seq()).prop_map(|(from, to)| ServerMsg::Reset {
            reason: model::live::ResetReason::Slow,
            from,
            to
        }),
    ]
}

fn listed(board: &Board) -> Vec<Event> {
    board.list.groups.iter().map(|group| group.event.clone()).collect()
}

proptest! {
    #[test]
    fn any_split_into_overlapping_frames_shows_every_event_once_and_in_order(
        cuts in vec((0_i64..12, 0_i64..12), 1..40),
    ) {
        let mut board = board(0);
        let (mut n_events, mut n_failed) = (0, 0);
        for (back, forth) in cuts {
            let known = board.as_of.0;
            match board.apply(frame((known - back).max(0), known - back / 2 + forth)) {
                Applied::News { n_events: n, n_failed: f } => (n_events, n_failed) = (n_events + n, n_failed + f),
                Applied::Nothing => prop_assert_eq!(board.as_of.0, known),
                other => prop_assert!(false, "an overlap is no hole: {other:?}"),
            }
        }
        let mut all = journal(0, board.as_of.0);
        let failed = all.iter().filter(|event| event.outcome == Outcome::Failed).count();
        prop_assert_eq!((n_events as usize, n_failed as usize), (all.len(), failed));
        all.reverse();
        all.truncate(MAX_ROWS);
        prop_assert_eq!(listed(&board), all);
    }

    #[test]
    fn a_hole_is_always_said_and_shows_nothing(as_of in 0_i64..50, hole in 1_i64..50, length in 0_i64..20) {
        let mut board = board(as_of);
        let before = board.clone();
        let said = board.apply(frame(as_of + hole, as_of + hole + length.max(1)));
        prop_assert_eq!(said, Applied::Missing { from: Seq(as_of), to: Seq(as_of + hole) });
        prop_assert_eq!(board, before);
    }

    #[test]
    fn senseless_messages_neither_panic_nor_take_the_page_back(messages in vec(message(), 0..30)) {
        let mut board = board(10);
        for message in messages {
            let (known, is_frame) = (board.as_of, matches!(message, ServerMsg::Frame { .. }));
            let said = board.apply(message);
            prop_assert!(board.as_of >= known && board.list.groups.len() <= MAX_ROWS);
            let news = matches!(said, Applied::News { .. });
            let moves = news || matches!(said, Applied::Heartbeat { .. });
            prop_assert!(is_frame || !news);
            prop_assert!(!news || board.as_of > known);
            prop_assert!(moves || board.as_of == known);
        }
    }
}

#[test]
fn a_long_frame_leaves_the_newest_events() {
    let mut board = board(0);
    assert!(matches!(board.apply(frame(0, 1000)), Applied::News { n_events: 667, n_failed: 134 }));
    let seqs: Vec<i64> = listed(&board).iter().map(|event| event.seq.0).collect();
    assert_eq!((seqs.len(), seqs[0]), (MAX_ROWS, 1000));
    assert!(seqs.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn a_page_that_follows_nothing_does_not_resume() {
    assert_eq!(Board { topic: None, ..board(1) }.resume(), None);
    assert!(board(1).resume().is_some());
}
