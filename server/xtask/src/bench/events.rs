//! Events as a platform would report them, made from their number alone: the same number is the same line.

use model::{Span, Ts};
use serde_json::json;

/// Objects that the events are about.
pub(super) const OBJECTS: u64 = 2000;
/// Apps, and envs of each.
pub(super) const APPS: u64 = 20;
const ENVS: [&str; 3] = ["prod", "staging", "test"];
pub(super) const KINDS: [&str; 5] = ["machine", "volume", "cluster", "route", "certificate"];
pub(super) const CONTROLLERS: [&str; 6] = ["upgrader", "scheduler", "kubelet", "autoscaler", "dns", "issuer"];
const ACTIONS: [&str; 6] = ["Drain", "Attach", "Scale", "Renew", "Probe", "Resolve"];
/// From frequent to rare.
const OUTCOMES: [&str; 10] =
    ["done", "done", "done", "done", "started", "started", "info", "info", "failed", "failed"];
/// How many reasons there are.
pub(super) const REASONS: u64 = 50;

/// Where an event belongs.
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) id: String,
}

/// The object that an event is about.
pub(super) fn place(n: u64) -> Place {
    let object = mixed(n) % OBJECTS;
    Place { kind: pick(&KINDS, object), id: format!("o-{object:04}") }
}

/// A reason; its number decides how often it is given.
pub(super) fn reason(n: u64) -> String {
    // The product of two draws is small more often than large.
    let draw = mixed(n ^ 0x5eed);
    let place = (draw % REASONS) * (draw / REASONS % REASONS) / REASONS;
    format!("Reason{place:02}")
}

/// The line of event `n`; `at` is when it happened.
pub(super) fn line(n: u64, at: Ts) -> String {
    let (draw, Place { kind, id }) = (mixed(n.wrapping_add(1)), place(n));
    let object = mixed(n) % OBJECTS;
    let mut line = json!({
        "type": "event", "at": at.to_string(), "kind": kind, "id": id,
        "app": format!("app-{:02}", object % APPS), "env": pick(&ENVS, object / APPS),
        "controller": pick(&CONTROLLERS, draw / 7), "action": pick(&ACTIONS, draw / 11),
        "outcome": pick(&OUTCOMES, draw / 13), "reason": reason(n),
        "message": format!("request {draw:016x} of {id} was answered after {} ms by node-{:03}", draw % 9000, draw % 400),
    });
    // Half of them name a key; the other half is known by its content.
    if n.is_multiple_of(2) {
        line["key"] = json!(format!("{n:x}-{:08x}", draw >> 32));
    }
    if draw.is_multiple_of(3) {
        line["attempt"] = json!(draw % 5 + 1);
    }
    format!("{line}\n")
}

/// When event `n` of so many happened, if they are spread evenly over the time before `now`.
pub(super) fn spread(n: u64, of: u64, over: Span, now: Ts) -> Ts {
    let left = i128::from(of - n) * i128::from(over.0) / i128::from(of.max(1));
    Ts(now.0 - i64::try_from(left).unwrap_or(over.0))
}

fn pick(of: &[&'static str], n: u64) -> &'static str {
    of[usize::try_from(n % of.len() as u64).unwrap_or_default()]
}

/// Scatters numbers (splitmix64).
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
