//! Receipts and waits: ids to follow up with, and commands that run as printed.

use std::collections::BTreeMap;

use model::{EnvRef, Receipt, Ts, Wait, WaitPhase};
use serde::Serialize;

use super::{Done, Terminal, dim, good, text::shell_word};

/// A command that makes sense now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Next {
    pub(crate) label: &'static str,
    pub(crate) command: String,
}

/// A receipt as programs read it.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiptDocument<'a> {
    id: &'a str,
    kind: &'static str,
    status: &'static str,
    ids: BTreeMap<&'static str, &'a str>,
    generation: i64,
    trace_id: &'a str,
    next: Vec<Next>,
}

impl<'a> ReceiptDocument<'a> {
    /// `flags` is what every command needs to reach the same server.
    pub(crate) fn new(receipt: &'a Receipt, flags: &str) -> Self {
        let mut ids = BTreeMap::from([
            ("app", receipt.target.app_id.as_str()),
            ("env", receipt.target.env_id.as_str()),
        ]);
        ids.extend(receipt.plan.intent.release.as_ref().map(|release| ("release", release.as_str())));
        ids.extend(receipt.wait.as_ref().map(|wait| ("wait", wait.as_str())));
        Self {
            id: receipt.id.as_str(),
            kind: receipt.verb.as_str(),
            status: receipt.phase.as_str(),
            ids,
            generation: receipt.generation,
            trace_id: receipt.trace_id.as_str(),
            next: next_of_receipt(receipt, flags),
        }
    }
}

/// The receipt for people: lines that can be copied, then what to do next.
pub(crate) fn receipt_lines(terminal: &mut Terminal, receipt: &Receipt, flags: &str) -> Done {
    terminal.line(&[good("✓ "), good(receipt.phase.as_str()), dim("  "), super::strong(receipt.title())])?;
    for line in receipt.copy_all().lines() {
        terminal.say(line)?;
    }
    next_lines(terminal, &next_of_receipt(receipt, flags))
}

/// Commands, one a line.
pub(crate) fn next_lines(terminal: &mut Terminal, next: &[Next]) -> Done {
    terminal.line(&[dim("next")])?;
    next.iter().try_for_each(|Next { label, command }| terminal.say(format!("  {command}  # {label}")))
}

fn next_of_receipt(receipt: &Receipt, flags: &str) -> Vec<Next> {
    let mut next = next_of_env(&receipt.target, flags);
    let env = &receipt.target.env_id;
    next.push(Next {
        label: "wait until it converged",
        command: format!("vt wait env {env} --timeout 10m{flags}"),
    });
    next.push(Next {
        label: "how far it came",
        command: format!("vt receipts describe {}{flags}", receipt.id),
    });
    next
}

fn next_of_env(target: &EnvRef, flags: &str) -> Vec<Next> {
    let env = format!("--app {} --env {}{flags}", shell_word(&target.app), shell_word(&target.env));
    vec![
        Next { label: "desired and current", command: format!("vt status {env}") },
        Next { label: "what controllers do", command: format!("vt events tail {env}") },
    ]
}

/// What helps after a wait that did not converge: events, status, describe.
pub(crate) fn next_of_wait(wait: &Wait, flags: &str) -> Vec<Next> {
    let (kind, id) = (wait.object.kind(), shell_word(wait.object.id()));
    let describe = Next { label: "everything about it", command: format!("vt describe {kind} {id}{flags}") };
    let mut next = match &wait.target {
        Some(target) => next_of_env(target, flags),
        None => {
            let object = shell_word(&wait.object.to_string());
            vec![
                Next { label: "desired and current", command: format!("vt status --all{flags}") },
                Next {
                    label: "what controllers do",
                    command: format!("vt events tail --object {object}{flags}"),
                },
            ]
        }
    };
    next.swap(0, 1);
    next.push(describe);
    next
}

/// How a wait stands: `◔ checkout/prod r-1 · conditions met 2/3 · 0:12 of 10:00 · ✓ observed ◔ converged`.
pub(crate) fn wait_line(wait: &Wait, now: Ts) -> String {
    let met = wait.items.iter().filter(|item| item.met).count();
    let clock = (now - wait.created_at).running();
    let limit = (wait.deadline - wait.created_at).running();
    let mut line = match wait.items.len() {
        0 => format!("{} · {clock} of {limit}", wait.title),
        n => format!("{} · conditions met {met}/{n} · {clock} of {limit}", wait.title),
    };
    for item in &wait.items {
        line.push_str(&format!(" · {} {}", if item.met { '✓' } else { '◔' }, item.text));
    }
    if let Some(since) = wait.blind_since.filter(|_| wait.phase == WaitPhase::Waiting) {
        line.push_str(&format!(" · its source is silent since {}; we cannot see", since.clock()));
    }
    line
}

#[cfg(test)]
mod tests {
    use model::{Span, Until, WaitId, fixtures, wait::Item};

    use super::*;

    fn wait() -> Wait {
        Wait {
            id: WaitId::mint(1),
            object: fixtures::object("machine", "a b").key,
            title: "checkout/prod r-1".into(),
            target: None,
            until: Until::Converged,
            receipt: None,
            generation: None,
            owner: "ci".into(),
            created_at: fixtures::NOON,
            deadline: fixtures::NOON + Span::minutes(10),
            phase: WaitPhase::Waiting,
            ended_at: None,
            items: vec![
                Item { text: "observed".into(), met: true },
                Item { text: "converged".into(), met: false },
            ],
            blind_since: None,
        }
    }

    #[test]
    fn progress_is_conditions_met_and_a_clock() {
        assert_eq!(
            wait_line(&wait(), fixtures::NOON + Span::seconds(12)),
            "checkout/prod r-1 · conditions met 1/2 · 0:12 of 10:00 · ✓ observed · ◔ converged"
        );
    }

    #[test]
    fn next_steps_are_events_then_status_then_describe_and_quote_foreign_ids() {
        let commands: Vec<String> =
            next_of_wait(&wait(), " --server http://h:1").into_iter().map(|n| n.command).collect();
        assert_eq!(
            commands,
            [
                "vt events tail --object 'machine:a b' --server http://h:1",
                "vt status --all --server http://h:1",
                "vt describe machine 'a b' --server http://h:1",
            ]
        );
        let known = Wait { target: Some(fixtures::env_ref()), ..wait() };
        assert_eq!(next_of_wait(&known, "")[0].command, "vt events tail --app checkout --env prod");
    }
}
