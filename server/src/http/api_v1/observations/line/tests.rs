use model::{Event, fixtures};

use super::*;

/// The lines that the contract prints.
const CONTRACT: [&str; 6] = [
    r#"{"type":"object","kind":"machine","id":"m-17","name":"worker-17","app":"edge","env":"prod","generation":4,"observed_generation":3,"desired":{"version":"1.9"},"current":{"version":"1.8"},"refs":[{"rel":"part_of","kind":"cluster","id":"c-1"}]}"#,
    r#"{"type":"condition","kind":"machine","id":"m-17","condition":"Ready","status":"False","reason":"Upgrading","message":"draining","observed_generation":3,"at":"2026-02-18T12:00:00Z"}"#,
    r#"{"type":"event","key":"8f31","at":"2026-02-18T12:00:01Z","controller":"upgrader","kind":"machine","id":"m-17","action":"Drain","outcome":"failed","reason":"PodDisruptionBudget","message":"cannot evict","attempt":3,"trace_id":"tr_88a"}"#,
    r#"{"type":"log","kind":"machine","id":"m-17","at":"2026-02-18T12:00:01.5Z","stream":"stderr","line":"evict: 429"}"#,
    r#"{"type":"gone","kind":"machine","id":"m-16"}"#,
    r#"{"type":"snapshot_begin","kinds":["machine"]}"#,
];

fn hear(line: &str) -> Result<Report, String> {
    read(line.as_bytes(), Heard { source: &fixtures::source(), name: "edge", now: fixtures::NOON })
}

fn heard_event(line: &str) -> NewEvent {
    match hear(line) {
        Ok(Report::Observation(Observation::Event(event))) => *event,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_lines_of_the_contract_are_read() {
    for line in CONTRACT {
        assert!(hear(line).is_ok(), "{line}: {:?}", hear(line));
    }
    assert_eq!(hear(r#"{"type":"snapshot_end"}"#), Ok(Report::End));
    let event = heard_event(CONTRACT[2]);
    assert_eq!((event.dedupe.as_deref(), event.attempt), (Some("k:8f31"), Some(3)));
}

#[test]
fn what_is_wrong_with_a_line_is_named() {
    let event = |more: &str| {
        format!(
            r#"{{"type":"event","at":"2026-02-18T12:00:01Z","kind":"machine","id":"m","action":"A","outcome":"done"{more}}}"#
        )
    };
    for (line, why) in [
        ("", "EOF"),
        ("[1]", "not a line of ours"),
        (r#"{"kind":"machine"}"#, "type"),
        (r#"{"type":"event","type":"log"}"#, "duplicate field"),
        (r#"{"type":"thing"}"#, "type: expected"),
        (
            r#"{"type":"metric","at":"2026-02-18T12:00:00Z","metric":"errors","arm":"canary","n":1,"bad":0}"#,
            "metric lines",
        ),
        (r#"{"type":"gone","kind":"machine"}"#, "one of them is missing"),
        (r#"{"type":"gone","kind":"env","id":"env_1"}"#, "embedded platform"),
        (r#"{"type":"snapshot_begin","kinds":["instance"]}"#, "embedded platform"),
        (r#"{"type":"snapshot_begin","kinds":[]}"#, "1 to 64"),
        (r#"{"type":"gone","kind":"Machine","id":"m"}"#, "lower-case"),
        (r#"{"type":"gone","kind":"machine","id":"a\u0000b"}"#, "printable"),
        (r#"{"type":"log","kind":"machine","id":"m","line":"x","stream":"vt"}"#, "stdout or stderr"),
        (r#"{"type":"object","kind":"machine","id":"m","app":""}"#, "app"),
        (r#"{"type":"object","kind":"machine","id":"m","nonsense":1}"#, "nonsense"),
        (r#"{"type":"condition","kind":"machine","id":"m","condition":"Ready"}"#, "status is missing"),
        (r#"{"type":"condition","kind":"machine","id":"m","condition":"Ready","status":"Maybe"}"#, "Maybe"),
        (&event(r#","trace_id":"x""#), "trace_id"),
        (&event(r#","key":"""#), "key"),
        (
            r#"{"type":"event","at":"2126-02-18T12:00:01Z","kind":"machine","id":"m","action":"A","outcome":"done"}"#,
            "ahead",
        ),
        (r#"{"type":"event","kind":"machine","id":"m","action":"A","outcome":"done"}"#, "at is missing"),
    ] {
        let error = hear(line).expect_err(line);
        assert!(error.contains(why), "{line}: {error}");
    }
    let broken =
        [b"{\"type\":\"gone\",\"kind\":\"machine\",\"id\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    let heard = Heard { source: &fixtures::source(), name: "edge", now: fixtures::NOON };
    assert!(read(&broken, heard).is_err());
}

#[test]
fn an_event_without_a_key_is_the_same_event_when_it_says_the_same() {
    let event = |message: &str, reason: &str| {
        heard_event(&format!(
            r#"{{"type":"event","at":"2026-02-18T12:00:01Z","kind":"machine","id":"m","action":"A","outcome":"done","message":"{message}","reason":"{reason}"}}"#
        ))
        .dedupe
    };
    assert_eq!(event("x", "y"), event("x", "y"));
    assert_ne!(event("x", "y"), event("xy", ""));
    assert_ne!(event("x", "y"), event("y", "x"));
    let reordered = r#"{"outcome":"done","message":"x","reason":"y","type":"event","kind":"machine","id":"m","at":"2026-02-18T13:00:01+01:00","action":"A"}"#;
    assert_eq!(heard_event(reordered).dedupe, event("x", "y"));
    // No key that somebody chooses can be the fingerprint of another event.
    assert!(event("x", "y").is_some_and(|text| text.starts_with("h:")));
}

#[test]
fn an_object_without_conditions_keeps_those_it_has() {
    let line = |more: &str| hear(&format!(r#"{{"type":"object","kind":"machine","id":"m"{more}}}"#));
    assert!(matches!(line(""), Ok(Report::Observation(Observation::Update(_)))));
    assert!(matches!(line(r#","conditions":[]"#), Ok(Report::Observation(Observation::Object(_)))));
    let Ok(Report::Observation(Observation::Update(object))) = line("") else { panic!("{:?}", line("")) };
    assert_eq!(object.name, "m");
}

#[test]
fn fields_of_a_recorded_event_are_those_of_a_line() {
    // A reader who sends events on needs no second vocabulary.
    let event: Event = fixtures::event(1);
    let value = serde_json::to_value(&event).expect("events are JSON");
    for field in
        ["at", "controller", "app", "env", "action", "outcome", "reason", "message", "attempt", "trace_id"]
    {
        assert!(value.get(field).is_some(), "{field}");
    }
}
