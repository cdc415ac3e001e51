//! Whole commands against a scripted server: what is asked, what is printed, how it ends.

mod changes;
mod fake;
mod objects;
mod reads;

use axum::{body::Body, http::StatusCode, response::Response};
use model::{
    ApiError, Change, EnvRecord, ErrorCode, Guardrail, GuardrailLevel, Plan, Receipt, ReceiptId,
    ReceiptPhase, ReleaseId, RunState, Span, TraceId, Until, Verb, Wait, WaitId, WaitPhase,
    fixtures::{self, NOON},
    plan::{Ask, Intent},
    wait::Item,
};

use self::fake::Fake;

fn plan(verb: Verb) -> Plan {
    Plan {
        verb,
        target: fixtures::env_ref(),
        title: "Deploy r-2 to checkout/prod?".into(),
        confirm: "Deploy r-2".into(),
        ask: Ask { release: Some(ReleaseId::mint(2)), ..Ask::default() },
        expected_generation: 7,
        hash: "h4sh".into(),
        will_change: vec![Change { field: "release".into(), from: "r-1".into(), to: "r-2".into() }],
        will_not_change: vec!["instances: 4".into()],
        steps: vec![],
        guardrails: vec![Guardrail { level: GuardrailLevel::Pass, text: "r-2 is complete".into() }],
        type_to_confirm: None,
        intent: Intent {
            release: Some(ReleaseId::mint(2)),
            scale: [].into(),
            run: RunState::Running,
            restarts: 0,
        },
        made_at: NOON,
    }
}

fn blocked(verb: Verb) -> Plan {
    let guardrail = Guardrail { level: GuardrailLevel::Block, text: "a rollout runs".into() };
    Plan { guardrails: vec![guardrail], ..plan(verb) }
}

fn receipt(verb: Verb) -> Receipt {
    Receipt {
        id: ReceiptId::mint(1),
        verb,
        target: fixtures::env_ref(),
        generation: 8,
        phase: ReceiptPhase::Accepted,
        phase_at: NOON,
        accepted_at: NOON,
        actor: "ci".into(),
        reason: String::new(),
        trace_id: TraceId::mint(1),
        wait: Some(WaitId::mint(1)),
        checked: None,
        plan: plan(verb),
    }
}

fn wait(phase: WaitPhase) -> Wait {
    Wait {
        id: WaitId::mint(1),
        object: model::ObjectKey::env(&fixtures::env_ref().env_id),
        title: "checkout/prod r-2".into(),
        target: Some(fixtures::env_ref()),
        until: Until::Converged,
        receipt: Some(ReceiptId::mint(1)),
        generation: Some(8),
        owner: "ci".into(),
        created_at: NOON,
        deadline: NOON + Span::minutes(10),
        ended_at: (!phase.is_open()).then(|| NOON + Span::seconds(123)),
        phase,
        items: vec![Item { text: "converged".into(), met: false }],
        blind_since: None,
    }
}

fn envs() -> Vec<EnvRecord> {
    vec![fixtures::env_record(7, &fixtures::release(1))]
}

fn problem(code: ErrorCode) -> Response {
    let error = ApiError::new(code, "it did not work", TraceId::mint(9));
    let body = serde_json::to_string(&error).expect("serialises");
    Response::builder().status(StatusCode::CONFLICT).body(Body::from(body)).expect("a response")
}

/// A server on which every change of `checkout/prod` works.
fn world(verb: Verb) -> Fake {
    Fake::default()
        .json("GET /envs", &envs())
        .json("POST /envs/env_1000000000/plans/", &plan(verb))
        .json("POST /envs/env_1000000000/actions/", &receipt(verb))
}
