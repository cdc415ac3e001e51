//! The same story once somebody acts: a plan, a receipt, a wait.

use std::collections::BTreeMap;

use app::api::{Page, PlanPage, ReceiptPage, Rows};
use model::{
    Change, Guardrail, GuardrailLevel, ObjectKey, Plan, Receipt, ReceiptId, ReceiptPhase, ReleaseId,
    RunState, TraceId, Until, Verb, Wait, WaitId, WaitPhase,
    fixtures::{NOON, env_ref},
    plan::{Ask, Intent},
    wait::Item,
};

use crate::stories::{action, ago, page};

pub(crate) fn plan(blocked: bool) -> Plan {
    let level = |level, text: &str| Guardrail { level, text: text.into() };
    let mut guardrails = vec![
        level(GuardrailLevel::Pass, "r-1 has converged before"),
        level(GuardrailLevel::Warn, "config differs"),
    ];
    if blocked {
        guardrails.push(level(GuardrailLevel::Block, "another action is under way"));
    }
    Plan {
        verb: Verb::Rollback,
        target: env_ref(),
        title: "Roll back checkout/prod to r-1?".into(),
        confirm: "Roll back to r-1".into(),
        ask: Ask { release: Some(ReleaseId::mint(1)), process: None, instances: None },
        expected_generation: 2,
        hash: "h4sh".into(),
        will_change: vec![Change { field: "release".into(), from: "r-2".into(), to: "r-1".into() }],
        will_not_change: vec!["data in volumes".into()],
        steps: vec!["replace 4 instances, 1 at a time".into()],
        guardrails,
        type_to_confirm: None,
        intent: Intent {
            release: Some(ReleaseId::mint(1)),
            scale: BTreeMap::new(),
            run: RunState::Running,
            restarts: 0,
        },
        made_at: NOON,
    }
}

pub(crate) fn plan_page(blocked: bool) -> PlanPage {
    PlanPage {
        plan: plan(blocked),
        processes: BTreeMap::from([("web".to_owned(), 4)]),
        releases: vec![],
        notice: None,
        reason: String::new(),
    }
}

pub(crate) fn receipt(phase: ReceiptPhase) -> Receipt {
    Receipt {
        id: ReceiptId::mint(1),
        verb: Verb::Rollback,
        target: env_ref(),
        generation: 3,
        phase,
        phase_at: NOON,
        accepted_at: ago(3),
        actor: "mira".into(),
        reason: "INC-204".into(),
        trace_id: TraceId::mint(1),
        wait: Some(WaitId::mint(1)),
        checked: None,
        plan: plan(false),
    }
}

pub(crate) fn receipt_page() -> Page<ReceiptPage> {
    page(ReceiptPage { receipt: receipt(ReceiptPhase::Converged), wait: None, undo: Some(action(None)) })
}

/// Three receipts: all that there are, or the newest of them.
pub(crate) fn receipts_page(more: bool) -> Page<Rows<Receipt>> {
    let rows = [ReceiptPhase::Applying, ReceiptPhase::Converged, ReceiptPhase::TimedOut].map(receipt);
    let older = more.then(|| ReceiptId::mint(1).to_string());
    let mut page = page(Rows { rows: rows.into(), continued: false, older });
    page.chrome.open_receipts = if more { 1200 } else { 1 };
    page
}

pub(crate) fn wait_page(phase: WaitPhase) -> Page<Wait> {
    let ended_at = (!phase.is_open()).then_some(NOON);
    page(Wait {
        id: WaitId::mint(1),
        object: ObjectKey::env(&env_ref().env_id),
        title: "checkout/prod r-1".into(),
        target: Some(env_ref()),
        until: Until::converged_at(3),
        receipt: Some(ReceiptId::mint(1)),
        generation: Some(3),
        owner: "mira".into(),
        created_at: ago(10),
        deadline: NOON,
        phase,
        ended_at,
        items: vec![
            Item { text: "desired observed (generation 3)".into(), met: true },
            Item { text: "converged".into(), met: false },
        ],
        blind_since: None,
    })
}
