//! `/live` and the stream of lines: nothing is missed, nothing comes twice, and what cannot go on is said.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use model::{
    Event, Role, Seq,
    live::{ClientMsg, PROTOCOL, ResetReason, ServerMsg, Topic},
};
use serde_json::json;
use testkit::{Client, Said, Socket, TestApp, on_both_engines};

/// Longer than the server takes to notice anything by itself.
const SIX: Duration = Duration::from_secs(6);

fn all_events() -> Topic {
    Topic::Events { query: String::new() }
}

fn resume(app: &TestApp, since: Seq, topics: Vec<Topic>) -> ClientMsg {
    ClientMsg::Resume { store_id: app.store().store_id().to_owned(), since, topics }
}

async fn opened(client: &Client) -> (Socket, Seq, String) {
    greeted(client.live().await).await
}

async fn greeted(mut socket: Socket) -> (Socket, Seq, String) {
    match socket.message().await {
        ServerMsg::Hello { protocol, seq, store_id, build_id, .. } => {
            assert_eq!(protocol, PROTOCOL);
            assert!(!build_id.is_empty());
            (socket, seq, store_id)
        }
        other => panic!("the first message is hello, not {other:?}"),
    }
}

/// Follows a topic up to `head`, as a page does; answers every event's sequence in the order of arrival.
async fn followed(socket: &mut Socket, mut at: Seq, head: impl Fn() -> Option<Seq>) -> Vec<Seq> {
    followed_on(socket, &mut at, head).await
}

/// The same, and moves the cursor, to go on from there.
async fn followed_on(socket: &mut Socket, at: &mut Seq, head: impl Fn() -> Option<Seq>) -> Vec<Seq> {
    let mut seen = Vec::new();
    while head().is_none_or(|head| *at < head) {
        match socket.next(Duration::from_secs(10)).await {
            Said::Msg(msg) => match *msg {
                ServerMsg::Frame { after, to, events, .. } => {
                    assert!(after <= *at, "a hole between {at:?} and {after:?}");
                    seen.extend(events.iter().map(|event| event.seq).filter(|seq| *seq > *at));
                    *at = to;
                }
                ServerMsg::Heartbeat { .. } => {}
                other => panic!("unexpected: {other:?}"),
            },
            Said::Closed(code) => panic!("closed with {code}"),
        }
    }
    seen
}

async fn the_server_greets_first_with_its_store_and_its_place_in_the_journal(app: TestApp) {
    let head = app.record(&["one"]).await;
    let (_socket, seq, store_id) = opened(&app.viewer()).await;
    assert!(seq >= head);
    assert_eq!(store_id, app.store().store_id());
}

async fn every_event_arrives_exactly_once_while_somebody_writes(app: TestApp) {
    let begin = app.record(&["before"]).await;
    let viewer = app.viewer();
    let done = std::sync::Mutex::new(None);
    let head = || *done.lock().unwrap();
    let writer = async {
        for n in 0..60 {
            let texts: Vec<String> = (0..7).map(|k| format!("{n}.{k}")).collect();
            app.record(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        // One more after the head is known, so that nobody waits for a frame that will not come.
        let head = app.record(&["last"]).await;
        *done.lock().unwrap() = Some(head);
        app.record(&["after"]).await;
    };
    let reader = |since: Option<Seq>| {
        let (app, viewer, head) = (&app, &viewer, &head);
        async move {
            let (mut socket, now, _) = opened(viewer).await;
            let since = since.unwrap_or(now);
            socket.say(&resume(app, since, vec![all_events()])).await;
            (since, followed(&mut socket, since, head).await)
        }
    };
    let (one, two, three, ()) = tokio::join!(reader(Some(begin)), reader(None), reader(Some(Seq(0))), writer);
    let head = head().unwrap();
    for (since, mut seen) in [one, two, three] {
        let mut reader = app.store().read().await.unwrap();
        let recorded = reader.events_between(since, head, 10_000).await.unwrap();
        let recorded: Vec<Seq> = recorded.iter().map(|event| event.seq).collect();
        seen.retain(|seq| *seq <= head);
        assert!(recorded.len() > 50, "{} events", recorded.len());
        assert_eq!(seen, recorded, "since {since:?}");
    }
}

async fn a_socket_that_comes_back_gets_what_it_missed(app: TestApp) {
    let viewer = app.viewer();
    let (mut socket, at, _) = opened(&viewer).await;
    socket.say(&resume(&app, at, vec![all_events()])).await;
    let head = app.record(&["a", "b"]).await;
    let seen = followed(&mut socket, at, || Some(head)).await;
    drop(socket);
    let later = app.record(&["c", "d", "e"]).await;
    let (mut socket, _, _) = opened(&viewer).await;
    socket.say(&resume(&app, head, vec![all_events()])).await;
    let missed = followed(&mut socket, head, || Some(later)).await;
    assert!(missed.len() >= 3 && missed.iter().all(|seq| !seen.contains(seq)), "{missed:?}");
}

async fn a_quiet_topic_moves_on_with_the_heartbeat_and_its_next_frame_joins(app: TestApp) {
    let (mut socket, at, _) = opened(&app.viewer()).await;
    let topic = Topic::Events { query: "q=needle".to_owned() };
    socket.say(&resume(&app, at, vec![topic])).await;
    let head = app.record(&["hay"; 50]).await;
    let mut quiet = at;
    while quiet < head {
        match socket.next(SIX).await {
            Said::Msg(msg) => match *msg {
                ServerMsg::Heartbeat { seq, .. } => quiet = quiet.max(seq),
                // What the socket read itself when it began; it may be empty.
                ServerMsg::Frame { to, ref events, .. } if events.is_empty() => quiet = quiet.max(to),
                other => panic!("nothing was to be said: {other:?}"),
            },
            Said::Closed(code) => panic!("closed with {code}"),
        }
    }
    let found = app.record(&["a needle"]).await;
    match socket.message().await {
        ServerMsg::Frame { after, to, events, .. } => {
            assert!(after <= quiet && to >= found, "{after:?} {quiet:?} {to:?}");
            assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [found]);
        }
        other => panic!("expected the needle, got {other:?}"),
    }
}

/// Reads what a socket holds until it is told that it was too slow; answers from where on nothing was sent.
async fn until_slow(socket: &mut Socket, mut at: Seq) -> Seq {
    loop {
        match socket.message().await {
            ServerMsg::Frame { after, to, .. } => {
                assert!(after <= at, "a hole between {at:?} and {after:?}");
                at = to;
            }
            ServerMsg::Reset { reason, from, .. } => {
                assert_eq!((reason, from), (ResetReason::Slow, at));
                return at;
            }
            other => panic!("unexpected: {other:?}"),
        }
    }
}

async fn a_stalled_socket_holds_nobody_up_is_told_from_where_it_missed_and_is_closed(app: TestApp) {
    let viewer = app.viewer();
    let (mut healthy, at, _) = opened(&viewer).await;
    let (mut slow, ..) = greeted(viewer.live_with_little_room().await).await;
    let (mut dead, ..) = greeted(viewer.live_with_little_room().await).await;
    for socket in [&mut healthy, &mut slow, &mut dead] {
        socket.say(&resume(&app, at, vec![all_events()])).await;
    }
    // More than what the kernel's buffers (4 MiB to send, little to receive) and an outbox (128 frames of 16 KiB) hold,
    // and no more: the slow one must read again before it counts as dead.
    let text = "x".repeat(3_000);
    const ROUNDS: usize = 7;
    // One round fits into an outbox, so who reads is never behind, however fast the store is.
    let (mut seen, mut reached) = (Vec::new(), at);
    for _ in 0..ROUNDS {
        let head = app.record(&vec![text.as_str(); 400]).await;
        seen.extend(followed_on(&mut healthy, &mut reached, || Some(head)).await);
    }
    assert!(seen.len() >= ROUNDS * 400, "{} events", seen.len());
    let missed = until_slow(&mut slow, at).await;
    assert_eq!(slow.close_code(SIX).await, 1000);
    // It continues from its cursor, and nothing is missing.
    let (mut again, head, _) = opened(&viewer).await;
    again.say(&resume(&app, missed, vec![all_events()])).await;
    let rest = followed(&mut again, missed, || Some(head)).await;
    assert!(missed < head && !rest.is_empty());
    // Who does not read at all is closed after a while: only the two that read are left.
    let bound = tokio::time::Instant::now() + Duration::from_secs(30);
    while app.state().sockets.count() > 2 {
        assert!(tokio::time::Instant::now() < bound, "{} are open", app.state().sockets.count());
        let next = healthy.next(SIX).await;
        assert!(matches!(next, Said::Msg(_)));
    }
    drop(dead);
}

async fn one_name_has_its_share_of_sockets_and_is_told_why_there_are_no_more(app: TestApp) {
    let viewer = app.viewer();
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(opened(&viewer).await.0);
    }
    assert_eq!(viewer.live().await.close_code(SIX).await, 1013);
    opened(&app.operator()).await;
    let one = held.pop().unwrap();
    drop(one);
    let bound = tokio::time::Instant::now() + SIX;
    while app.state().sockets.count() > 64 {
        assert!(tokio::time::Instant::now() < bound);
        tokio::task::yield_now().await;
    }
    opened(&viewer).await;
}

async fn a_cursor_that_cannot_be_continued_is_reset(app: TestApp) {
    let viewer = app.viewer();
    let (head, later) = (app.store().head(), Seq(app.store().head().0 + 1_000_000));
    let other = ClientMsg::Resume { store_id: "another".to_owned(), since: head, topics: vec![all_events()] };
    for (msg, reason, from) in [
        (other, ResetReason::OtherStore, head),
        (resume(&app, later, vec![all_events()]), ResetReason::TooFar, later),
        (resume(&app, Seq(i64::MAX), vec![all_events()]), ResetReason::TooFar, Seq(i64::MAX)),
        (resume(&app, Seq(i64::MIN), vec![all_events()]), ResetReason::TooFar, Seq(i64::MIN)),
    ] {
        let (mut socket, _, _) = opened(&viewer).await;
        socket.say(&msg).await;
        match socket.message().await {
            ServerMsg::Reset { reason: said, from: since, .. } => assert_eq!((said, since), (reason, from)),
            other => panic!("expected a reset, got {other:?}"),
        }
        assert_eq!(socket.close_code(SIX).await, 1000);
    }
}

async fn a_first_word_that_is_not_understood_closes_the_socket(app: TestApp) {
    let viewer = app.viewer();
    let store_id = app.store().store_id();
    let many: Vec<Topic> = (0..9).map(|_| Topic::Overview).collect();
    let many = serde_json::to_string(&resume(&app, Seq(0), many)).unwrap();
    let strange = json!({ "type": "resume", "store_id": store_id, "since": 0, "topics": [], "surprise": 1 });
    for text in ["", "{", "null", "{\"type\":\"shout\"}", &many, &strange.to_string(), &"x".repeat(10_000)] {
        let (mut socket, _, _) = opened(&viewer).await;
        socket.say_text(text).await;
        assert_eq!(socket.close_code(SIX).await, 1002, "{text:.60}");
    }
}

async fn a_second_word_is_one_too_many(app: TestApp) {
    let (mut socket, at, _) = opened(&app.viewer()).await;
    let word = resume(&app, at, vec![Topic::Overview]);
    socket.say(&word).await;
    socket.say(&word).await;
    loop {
        match socket.message().await {
            ServerMsg::Frame { .. } => {}
            ServerMsg::Reset { reason, .. } => break assert_eq!(reason, ResetReason::Malformed),
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(socket.close_code(SIX).await, 1002);
}

async fn heartbeats_go_on_and_a_revoked_token_ends_the_socket(app: TestApp) {
    let (id, secret) = app.token("guest", Role::Viewer, None).await;
    let (mut socket, at, _) = opened(&app.anonymous().with_token(&secret)).await;
    let mut session = app.anonymous().sign_in(&secret).await.live().await;
    assert!(matches!(session.message().await, ServerMsg::Hello { .. }));
    session.say(&resume(&app, at, vec![all_events()])).await;
    socket.say(&resume(&app, at, vec![])).await;
    for _ in 0..2 {
        // The first comes at once, the second shows that they go on.
        match socket.next(SIX).await {
            Said::Msg(msg) => match *msg {
                ServerMsg::Heartbeat { seq, server_now, store_read_at } => {
                    assert!(seq >= at && store_read_at <= server_now);
                }
                other => panic!("unexpected: {other:?}"),
            },
            Said::Closed(code) => panic!("closed with {code}"),
        }
    }
    app.admin().revoke(&id).await;
    let (one, two) = tokio::join!(socket.close_code(SIX), session.close_code(SIX));
    assert_eq!((one, two), (1008, 1008));
}

async fn the_stream_of_lines_continues_where_it_was_left(app: TestApp) {
    let viewer = app.viewer();
    let at = app.record(&["before"]).await;
    app.record(&["a", "b", "c"]).await;
    let path = |after: Seq| format!("/api/v1/events?follow=true&after={}&reason=Tested", after.0);
    let message = |event: &Event| event.message.clone();
    let mut lines = viewer.lines(&path(at)).await;
    let seen: Vec<Event> = lines.take(3).await;
    assert_eq!(seen.iter().map(message).collect::<Vec<_>>(), ["a", "b", "c"]);
    app.record(&["d"]).await;
    let live: Vec<Event> = lines.take(1).await;
    assert_eq!(live[0].message, "d");
    drop(lines);
    app.record(&["e", "f"]).await;
    let mut lines = viewer.lines(&path(live[0].seq)).await;
    let rest: Vec<Event> = lines.take(2).await;
    assert_eq!(rest.iter().map(message).collect::<Vec<_>>(), ["e", "f"]);
    // What is filtered away is not sent, and a quiet stream shows that it lives.
    assert_eq!(lines.next_line(SIX).await.as_deref(), Some(""));
}

async fn a_server_that_ends_says_goodbye(app: TestApp) {
    let (mut socket, at, _) = opened(&app.viewer()).await;
    socket.say(&resume(&app, at, vec![all_events()])).await;
    let mut lines = app.viewer().lines("/api/v1/events?follow=true").await;
    let stopped = tokio::spawn(app.stop());
    assert_eq!(socket.close_code(SIX).await, 1001);
    while let Some(line) = lines.next_line(SIX).await {
        assert!(line.is_empty() || line.starts_with('{'));
    }
    stopped.await.unwrap();
}

on_both_engines! {
    the_server_greets_first_with_its_store_and_its_place_in_the_journal,
    every_event_arrives_exactly_once_while_somebody_writes,
    a_socket_that_comes_back_gets_what_it_missed,
    a_quiet_topic_moves_on_with_the_heartbeat_and_its_next_frame_joins,
    a_stalled_socket_holds_nobody_up_is_told_from_where_it_missed_and_is_closed,
    one_name_has_its_share_of_sockets_and_is_told_why_there_are_no_more,
    a_cursor_that_cannot_be_continued_is_reset,
    a_first_word_that_is_not_understood_closes_the_socket,
    a_second_word_is_one_too_many,
    heartbeats_go_on_and_a_revoked_token_ends_the_socket,
    the_stream_of_lines_continues_where_it_was_left,
    a_server_that_ends_says_goodbye,
}
