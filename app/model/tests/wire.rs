//! Every message between the server and the browser, and every answer with a flattened part, comes back as it was.

use std::collections::BTreeMap;

use model::{
    Because, ConditionStatus, Gap, Judgement, ObjectKey, Plan, Receipt, ReceiptId, ReceiptPhase, RunState,
    Seq, Span, TraceId, Ts, Until, Verb, Verdict, Wait, WaitId, WaitPhase,
    fixtures::{self, NOON},
    live::{ClientMsg, ResetReason, ServerMsg, State, Topic},
    plan::{Ask, Intent},
    timeline::Timeline,
    view::{Counts, EnvView, ObjectView, Overview},
    wait::Item,
};
use serde::{Serialize, de::DeserializeOwned};

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("has text keys");
    assert_eq!(&serde_json::from_str::<T>(&text).expect(&text), value, "{text}");
    let tree = serde_json::to_value(value).expect("has text keys");
    assert_eq!(&serde_json::from_value::<T>(tree).expect(&text), value, "{text}");
}

fn plan() -> Plan {
    let release = fixtures::release(1);
    Plan {
        verb: Verb::Rollback,
        target: fixtures::env_ref(),
        title: "Roll back checkout/prod to r-1?".into(),
        confirm: "Roll back to r-1".into(),
        ask: Ask { release: Some(release.id.clone()), ..Ask::default() },
        expected_generation: 2,
        hash: "h4sh".into(),
        will_change: vec![],
        will_not_change: vec!["data".into()],
        steps: vec![],
        guardrails: vec![],
        type_to_confirm: None,
        intent: Intent {
            release: Some(release.id),
            scale: BTreeMap::from([("web".into(), 3)]),
            run: RunState::Running,
            restarts: 1,
        },
        made_at: NOON,
    }
}

fn receipt(phase: ReceiptPhase) -> Receipt {
    Receipt {
        id: ReceiptId::mint(1),
        verb: Verb::Rollback,
        target: fixtures::env_ref(),
        generation: 3,
        phase,
        phase_at: NOON,
        accepted_at: NOON,
        actor: "ana".into(),
        reason: "r-2 does not start \"at all\"\n".into(),
        trace_id: TraceId::mint(1),
        wait: Some(WaitId::mint(1)),
        checked: None,
        plan: plan(),
    }
}

fn wait(phase: WaitPhase, until: Until) -> Wait {
    Wait {
        id: WaitId::mint(1),
        object: ObjectKey::env(&fixtures::env_ref().env_id),
        title: "checkout/prod r-1".into(),
        target: Some(fixtures::env_ref()),
        until,
        receipt: None,
        generation: Some(3),
        owner: "ana".into(),
        created_at: NOON,
        deadline: NOON + Span::minutes(10),
        phase,
        ended_at: None,
        items: vec![Item { text: "converged".into(), met: false }],
        blind_since: Some(NOON),
    }
}

fn judgement() -> Judgement {
    let because = Because { rule: "progress".into(), text: "moves".into(), evidence: vec![] };
    Judgement { verdict: Verdict::Converging, since: NOON, sentence: "moves".into(), because: vec![because] }
}

fn gap() -> Gap {
    Gap {
        generation: 2,
        observed_generation: None,
        rows: vec![],
        chain: vec![],
        evidence: vec![],
        looked_at: None,
        limit: None,
        next: None,
    }
}

fn states() -> [State; 6] {
    let timeline = Timeline { from: NOON, to: NOON, recorded_since: Ts(0), lanes: vec![], markers: vec![] };
    let overview = Overview {
        rows: vec![],
        only: None,
        verdict: Verdict::Idle,
        counts: Counts::default(),
        sources: vec![],
        changes: vec![],
        sentence: "nothing".into(),
    };
    let env = EnvView {
        target: fixtures::env_ref(),
        judgement: judgement(),
        gap: gap(),
        instances: vec![],
        releases: vec![],
        changes: vec![],
        events: vec![fixtures::event(1)],
        timeline: timeline.clone(),
        actions: vec![],
        receipts: vec![receipt(ReceiptPhase::Failed { reason: "no".into() })],
        waits: vec![wait(WaitPhase::Waiting, Until::Converged)],
        last_reconcile_at: None,
        last_reconcile_error: None,
        stale_since: None,
    };
    let mut object = fixtures::object("machine", "a:b c");
    object.desired.insert("n".into(), serde_json::json!({ "deep": [1, null, "x"] }));
    object.conditions.push(fixtures::condition("Ready", ConditionStatus::Unknown, "Silent"));
    let object = ObjectView {
        object,
        target: None,
        judgement: judgement(),
        gap: gap(),
        related: vec![],
        events: vec![],
        timeline,
        logs: Some(vec![]),
        stale_since: Some(NOON),
        observed_by: Some("edge".into()),
    };
    [
        State::Overview { view: Box::new(overview) },
        State::Env { view: Box::new(env) },
        State::Object { view: Box::new(object) },
        State::Receipt { view: Box::new(receipt(ReceiptPhase::Superseded { by: ReceiptId::mint(2) })) },
        State::Wait { view: Box::new(wait(WaitPhase::TimedOut, Until::converged_at(3))) },
        State::Gone,
    ]
}

fn topics() -> [Topic; 7] {
    let env = fixtures::env_ref().env_id;
    [
        Topic::Overview,
        Topic::Grid { page: 2 },
        Topic::Env { id: env.clone() },
        Topic::Object { key: ObjectKey::env(&env) },
        Topic::Events { query: "reason=-a%2Cb&from=-30m".into() },
        Topic::Receipt { id: ReceiptId::mint(1) },
        Topic::Wait { id: WaitId::mint(1) },
    ]
}

#[test]
fn every_message_of_the_server_comes_back() {
    for topic in topics() {
        for state in states().map(Some).into_iter().chain([None]) {
            let events = vec![fixtures::event(9), fixtures::event(10)];
            comes_back(&ServerMsg::Frame { topic: topic.clone(), after: Seq(8), to: Seq(10), state, events });
        }
    }
    let (server_now, store_id) = (NOON, "store".to_owned());
    comes_back(&ServerMsg::Hello {
        protocol: 1,
        build_id: "b".into(),
        server_now,
        store_id,
        seq: Seq(i64::MAX),
    });
    comes_back(&ServerMsg::Heartbeat { seq: Seq(0), server_now, store_read_at: Ts(0) });
    for reason in [
        ResetReason::OtherStore,
        ResetReason::TooFar,
        ResetReason::Slow,
        ResetReason::Malformed,
        ResetReason::TooLarge,
    ] {
        comes_back(&ServerMsg::Reset { reason, from: Seq(1), to: Seq(2) });
    }
}

#[test]
fn every_message_of_the_browser_comes_back_and_more_than_that_is_refused() {
    let resume = ClientMsg::Resume { store_id: "s".into(), since: Seq(3), topics: topics().to_vec() };
    comes_back(&resume);
    for text in [
        r#"{"type":"resume","store_id":"s","since":3,"topics":[],"more":1}"#,
        r#"{"type":"resume","store_id":"s","since":"3","topics":[]}"#,
        r#"{"type":"resume","store_id":"s","since":3,"topics":[{"env":{"id":"../etc"}}]}"#,
        r#"{"type":"shutdown"}"#,
    ] {
        assert!(serde_json::from_str::<ClientMsg>(text).is_err(), "{text}");
    }
}

#[test]
fn a_receipt_in_every_phase_comes_back_with_its_own_reason() {
    for phase in [
        ReceiptPhase::Accepted,
        ReceiptPhase::Applying,
        ReceiptPhase::Converged,
        ReceiptPhase::Failed { reason: "exit code 1".into() },
        ReceiptPhase::Superseded { by: ReceiptId::mint(2) },
        ReceiptPhase::TimedOut,
    ] {
        let receipt = receipt(phase);
        comes_back(&receipt);
        let tree = serde_json::to_value(&receipt).expect("has text keys");
        assert_eq!(tree["phase"], receipt.phase.as_str(), "the phase stands beside the other fields");
        assert_eq!(tree["reason"], receipt.reason.as_str());
    }
}

#[test]
fn a_wait_in_every_phase_for_every_condition_comes_back() {
    let phases = [
        WaitPhase::Waiting,
        WaitPhase::Converged,
        WaitPhase::Failed { reason: "exit code 1".into() },
        WaitPhase::Superseded { by: None },
        WaitPhase::Superseded { by: Some(ReceiptId::mint(2)) },
        WaitPhase::TimedOut,
        WaitPhase::Stopped,
    ];
    let ready = Until::Condition { ty: "Ready".into(), status: ConditionStatus::True };
    let untils = [
        Until::Observed { generation: 2 },
        Until::Converged,
        Until::Gone,
        Until::Any {
            of: vec![Until::All { of: vec![ready.clone(), Until::Gone] }, Until::All { of: vec![] }],
        },
        ready,
    ];
    for phase in &phases {
        for until in &untils {
            let wait = wait(phase.clone(), until.clone());
            comes_back(&wait);
            assert_eq!(serde_json::to_value(&wait).expect("has text keys")["phase"], phase.as_str());
        }
    }
}
