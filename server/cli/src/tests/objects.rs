//! Objects: what `describe` says, and what `--release` finds.

use model::{
    ConditionStatus, Event, FieldState, Gap, GapRow, Judgement, NextStep, ObjectKey, Ref, ReleaseId, Verdict,
    fixtures::{self, NOON},
    timeline::Timeline,
    view::{EventGroup, EventsView, ObjectView},
};
use serde_json::json;

use super::{
    envs,
    fake::{Fake, ok},
};

fn view(id: &str, release: u64) -> ObjectView {
    let mut object = fixtures::object("instance", id);
    object.name = "i-9f2k".into();
    object.refs = vec![Ref { rel: "part_of".into(), to: ObjectKey::release(&ReleaseId::mint(release)) }];
    object.desired.insert("state".into(), json!("running"));
    object.current.insert("state".into(), json!("restarting"));
    object.conditions = vec![fixtures::condition("Ready", ConditionStatus::False, "Exited")];
    ObjectView {
        object,
        target: Some(fixtures::env_ref()),
        judgement: Judgement {
            verdict: Verdict::Stuck,
            since: NOON,
            sentence: "i-9f2k is stuck: exited with code 1".into(),
            because: vec![],
        },
        gap: Gap {
            generation: 1,
            observed_generation: Some(1),
            rows: vec![GapRow {
                field: "state".into(),
                desired: "running".into(),
                current: None,
                state: FieldState::UnknownCurrent,
                why: None,
            }],
            chain: vec![],
            evidence: vec![],
            looked_at: None,
            limit: None,
            next: Some(NextStep {
                label: "Read its logs".into(),
                href: "/logs".into(),
                command: Some("vt logs query --instance ins_1".into()),
            }),
        },
        related: vec![],
        events: vec![event(2, "ins_1"), event(1, "ins_1")],
        timeline: Timeline { from: NOON, to: NOON, recorded_since: NOON, lanes: vec![], markers: vec![] },
        logs: None,
        stale_since: None,
        observed_by: None,
    }
}

fn event(seq: i64, instance: &str) -> Event {
    Event { object: fixtures::object("instance", instance).key, ..fixtures::event(seq) }
}

fn page(seqs: &[(i64, &str)], older: Option<i64>) -> String {
    let group = |(seq, id): &(i64, &str)| EventGroup { event: event(*seq, id), n: 1, first_at: NOON };
    let view = EventsView {
        groups: seqs.iter().map(group).collect(),
        total: 4,
        failed: 0,
        facets: [].into(),
        older: older.map(model::Seq),
        selected: None,
        last_at: None,
        recorded_since: NOON,
        bars: vec![],
        silences: vec![],
    };
    serde_json::to_string(&view).expect("serialises")
}

#[tokio::test]
async fn describe_says_verdict_gap_conditions_and_events_oldest_first() {
    let server = Fake::default().json("GET /objects/instance/ins_1", &view("ins_1", 1)).start().await;
    let said = server.vt("describe instance ins_1").await;
    assert_eq!(said.exit, 0, "{said:?}");
    let expected = [
        "⧗ Stuck  i-9f2k is stuck: exited with code 1  since 12:00:00Z (now)",
        "kind        instance",
        "id          ins_1",
        "name        i-9f2k",
        "app/env     checkout/prod",
        "generation  1 (observed 1)",
        "state\trunning\tnot reported ?\t",
        "next  Read its logs: vt logs query --instance ins_1",
        "CURRENT",
        "state\trestarting",
        "CONDITIONS",
        "Ready\tFalse\tExited\tnow\t",
        "EVENTS",
        "2026-02-18T12:00:01Z\t✓ done\tinstance:ins_1\tStartInstance\t\t\tev_1",
        "2026-02-18T12:00:02Z\t✓ done\tinstance:ins_1\tStartInstance\t\t\tev_2",
    ];
    let mut lines = said.out.lines();
    for line in expected {
        assert!(lines.any(|said| said == line), "{line:?} comes late or never in\n{}", said.out);
    }
}

#[tokio::test]
async fn a_release_filter_finds_its_instances_and_reads_on_until_the_limit() {
    let server = Fake::default()
        .json("GET /objects/instance/ins_1", &view("ins_1", 1))
        .json("GET /objects/instance/ins_2", &view("ins_2", 2))
        .on("GET /events?", |n, _| match n {
            0 => ok(page(&[(8, "ins_1"), (7, "ins_2")], Some(7))),
            _ => ok(page(&[(6, "ins_2"), (5, "ins_1"), (4, "ins_1")], None)),
        })
        .start()
        .await;
    let said = server.vt("events query --all --release rel_1000000000 --since 30m --limit 2 --json").await;
    assert_eq!(said.exit, 0, "{said:?}");
    let seqs: Vec<_> =
        said.json()["data"].as_array().expect("a list").iter().map(|event| event["seq"].clone()).collect();
    assert_eq!(seqs, [5, 8]);
    let lines: Vec<String> = server.asked("GET /events?").into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        lines,
        ["GET /events?from=-30m&group=0&limit=2", "GET /events?from=-30m&group=0&before=ev_7&limit=1"]
    );
    assert_eq!(server.asked("GET /objects/instance/ins_1").len(), 1);
}

#[tokio::test]
async fn a_wait_for_an_env_is_about_the_newest_desired_state() {
    let server = Fake::default()
        .json("GET /envs", &envs())
        .json("POST /waits", &super::wait(model::WaitPhase::Converged))
        .start()
        .await;
    let said = server.vt("wait env checkout/prod --timeout 90s").await;
    assert_eq!((said.exit, said.out.as_str()), (0, "✓ converged: checkout/prod r-2 in 2 min 03 s\n"));
    let until =
        json!({ "until": "all", "of": [{ "until": "observed", "generation": 7 }, { "until": "converged" }] });
    let asked = server.asked("POST /waits")[0].json();
    assert_eq!(asked, json!({ "object": "env:env_1000000000", "until": until, "timeout_s": 90 }));
}
