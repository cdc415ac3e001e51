//! What is said about an instance: its object, its row for the planner, its events. Pure.

use std::collections::BTreeMap;

use model::{
    ActualInstance, Condition, ConditionStatus, Fields, InstanceState, NewEvent, ObjectKey, ObservedObject,
    Outcome, Ref, SourceId, Span, StartInstance, Ts, instance::Exit,
};
use serde_json::Value;

use super::{life::Life, reasons};
use crate::shim::Report;

/// The most of a workload's last line that goes into a sentence.
const QUOTE: usize = 300;

/// `i-7f3k`: what people call an instance.
fn name(order: &StartInstance) -> String {
    let body = order.id.as_str().trim_start_matches("ins_");
    format!("i-{}", body.chars().take(4).collect::<String>())
}

pub(crate) fn release_name(order: &StartInstance) -> String {
    format!("r-{}", order.release_number)
}

/// The row that rollouts are planned from.
pub(crate) fn actual(order: &StartInstance, life: &Life, created_at: Ts) -> ActualInstance {
    ActualInstance {
        id: order.id.clone(),
        env_id: order.target.env_id.clone(),
        process: order.process.clone(),
        release: order.release.clone(),
        release_number: order.release_number,
        restarts: order.restarts,
        state: life.state,
        ready: life.ready,
        starts: life.starts,
        last_exit: life.last_exit.clone(),
        not_ready: (!life.ready).then(|| life.message.clone()),
        created_at,
        ready_since: life.ready_since,
    }
}

/// The object that the console shows. What is not known is absent, never zero.
pub(crate) fn object(order: &StartInstance, life: &Life, now: Ts) -> ObservedObject {
    let part_of = |to| Ref { rel: "part_of".to_owned(), to };
    ObservedObject {
        key: ObjectKey::instance(&order.id),
        name: name(order),
        app: Some(order.target.app.clone()),
        env: Some(order.target.env.clone()),
        generation: order.generation,
        observed_generation: Some(order.generation),
        desired: desired(order, life),
        current: current(order, life),
        refs: vec![
            part_of(ObjectKey::release(&order.release)),
            part_of(ObjectKey::env(&order.target.env_id)),
        ],
        conditions: conditions(order, life, now),
    }
}

fn desired(order: &StartInstance, life: &Life) -> Fields {
    let ending = matches!(life.state, InstanceState::Stopping | InstanceState::Exited);
    let state = if ending { InstanceState::Exited } else { InstanceState::Running };
    BTreeMap::from([
        ("state".to_owned(), state.as_str().into()),
        ("release".to_owned(), release_name(order).into()),
    ])
}

fn current(order: &StartInstance, life: &Life) -> Fields {
    let exit = life.last_exit.as_ref();
    let text = |ts: Option<Ts>| ts.map(|ts| Value::from(ts.to_string()));
    let fields: [(&str, Option<Value>); 13] = [
        ("state", Some(life.state.as_str().into())),
        ("ready", Some(life.ready.into())),
        ("release", Some(release_name(order).into())),
        ("process", Some(order.process.clone().into())),
        ("starts", Some(life.starts.into())),
        ("pid", life.pid.map(Value::from)),
        ("port", life.port.map(Value::from)),
        ("exit_code", exit.and_then(|exit| exit.code).map(Value::from)),
        ("exit_signal", exit.and_then(|exit| exit.signal).map(Value::from)),
        ("exit_reason", exit.map(|exit| exit.text.clone().into())),
        ("exited_at", text(exit.map(|exit| exit.at))),
        ("started_at", text(life.started_at)),
        ("next_start_at", text(life.next_start_at)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn conditions(order: &StartInstance, life: &Life, now: Ts) -> Vec<Condition> {
    let condition = |ty: &str, holds: bool, reason: &str, message: &str, since| Condition {
        ty: ty.to_owned(),
        status: if holds { ConditionStatus::True } else { ConditionStatus::False },
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: Some(order.generation),
        since,
    };
    let attempt = format!("attempt {}", life.starts);
    let (moves, move_reason, move_text) = match life.state {
        InstanceState::Starting => (true, reasons::STARTING, attempt),
        InstanceState::Restarting => (true, reasons::BACKING_OFF, next_start(life)),
        InstanceState::Stopping => (true, reasons::STOPPING, String::new()),
        InstanceState::Running | InstanceState::Exited => (false, reasons::AS_EXPECTED, String::new()),
    };
    let impaired = match life.state {
        InstanceState::Running => !life.ready,
        InstanceState::Starting | InstanceState::Restarting => {
            matches!(life.reason, reasons::CRASH_LOOP | reasons::HEALTH_CHECK_FAILING)
        }
        InstanceState::Stopping | InstanceState::Exited => false,
    };
    let stalled = life.reason == reasons::CANNOT_START;
    let why =
        |holds: bool| if holds { (life.reason, life.message.as_str()) } else { (reasons::AS_EXPECTED, "") };
    let ((bad, bad_text), (stuck, stuck_text)) = (why(impaired), why(stalled));
    vec![
        condition("Ready", life.ready, life.reason, &life.message, life.ready_since),
        condition("Reconciling", moves, move_reason, &move_text, now),
        condition("Degraded", impaired, bad, bad_text, now),
        condition("Stalled", stalled, stuck, stuck_text, now),
    ]
}

fn next_start(life: &Life) -> String {
    let next = life.starts.saturating_add(1);
    match life.next_start_at {
        Some(at) => format!("attempt {next} at {}", at.clock_ms()),
        None => format!("attempt {next} is next"),
    }
}

/// How a process ended, for rows and sentences; `None` where the report is about something else.
pub(crate) fn exit(report: Option<&Report>, at: Ts) -> Option<Exit> {
    let (code, signal, text) = match report {
        Some(Report::Exited(code)) => (Some(*code), None, format!("exited with code {code}")),
        Some(Report::Killed(signal)) => (None, Some(*signal), format!("killed by signal {signal}")),
        Some(Report::CannotStart(why)) => (None, None, why.clone()),
        Some(Report::Started(_)) => return None,
        None => (None, None, "its shim was killed, and the process with it".to_owned()),
    };
    Some(Exit { code, signal, text, at })
}

/// "exited with code 1 after 12 ms: cannot open config".
pub(crate) fn exit_sentence(text: &str, after: Span, last_line: &str) -> String {
    let line = last_line.trim();
    if line.is_empty() {
        return format!("{text} after {}", took(after));
    }
    let quote: String = line.chars().take(QUOTE).collect();
    let more = if quote.len() < line.len() { "…" } else { "" };
    format!("{text} after {}: {quote}{more}", took(after))
}

/// A length of time that may be very short: `12 ms`, `3 s`.
pub(crate) fn took(span: Span) -> String {
    if span < Span::seconds(1) { format!("{} ms", span.as_millis().max(0)) } else { span.exact() }
}

/// What happened, without who and when.
pub(crate) struct Happened {
    pub(crate) action: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// An event about this instance; `n` numbers the events of one order.
pub(crate) fn event(
    source: &SourceId,
    order: &StartInstance,
    created_at: Ts,
    (n, at, attempt): (u64, Ts, u32),
    happened: Happened,
) -> NewEvent {
    let Happened { action, outcome, reason, message } = happened;
    NewEvent {
        at,
        source: source.clone(),
        controller: reasons::CONTROLLER.to_owned(),
        object: ObjectKey::instance(&order.id),
        app: Some(order.target.app.clone()),
        env: Some(order.target.env.clone()),
        action: action.to_owned(),
        outcome,
        reason: reason.to_owned(),
        message,
        attempt: (attempt > 0).then_some(attempt),
        trace_id: None,
        dedupe: Some(format!("{}:{}:{n}", order.id, created_at.0)),
    }
}

#[cfg(test)]
mod tests;
