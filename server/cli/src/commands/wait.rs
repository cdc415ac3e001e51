//! Waits are kept by the server; this only watches one, so an interrupted `vt` interrupts nothing else.

use std::{pin::pin, time::Duration};

use model::{EnvRecord, ObjectKey, ObjectKind, Receipt, Span, Until, Wait, WaitPhase};
use serde_json::{Value, json};

use super::{Context, Outcome, follow};
use crate::{
    args::Waits,
    error::{Ended, Error, Exit},
    output::{Table, dim, next_of_wait, plain, wait_line},
    scope,
};

/// The longest that one request asks the server to hold.
const POLL_S: u32 = 20;
/// With somebody watching, conditions should appear soon after they hold.
const WATCHED_POLL_S: u32 = 2;
/// A server that is going away answers at once; it is not asked in a tight loop.
const BREATH: Duration = Duration::from_millis(100);
/// How long after its deadline a wait may take to say that it ended.
const GRACE: Duration = Duration::from_secs(30);

/// `vt wait KIND ID`.
pub(super) async fn run(context: &mut Context<'_>, kind: &ObjectKind, id: &str, timeout: Span) -> Outcome {
    let key = scope::object(&context.client, context.global, kind, id).await?;
    let until = until(context, &key).await?;
    let wait = start(context, &key, until, timeout).await?;
    let ended = watch(context, wait).await?;
    let data = json!({ "wait": ended });
    conclude(context, &ended, None, data)
}

/// Waits for what a receipt promises.
pub(super) async fn of_receipt(
    context: &mut Context<'_>,
    receipt: &Receipt,
    timeout: Span,
) -> Result<Wait, Error> {
    let wait = match &receipt.wait {
        Some(id) => context.client.get(&format!("/waits/{id}?timeout=0")).await?,
        None => {
            let until = Some(Until::converged_at(receipt.generation));
            start(context, &ObjectKey::env(&receipt.target.env_id), until, timeout).await?
        }
    };
    watch(context, wait).await
}

/// What to wait for. Right after a change an env may still look converged on the desired state before it.
async fn until(context: &Context<'_>, key: &ObjectKey) -> Result<Option<Until>, Error> {
    if key.kind().as_str() != ObjectKind::ENV {
        return Ok(None);
    }
    let envs: Vec<EnvRecord> = context.client.list("/envs").await?;
    let env = envs.iter().find(|env| env.target.env_id.as_str() == key.id());
    Ok(env.map(|env| Until::converged_at(env.generation)))
}

async fn start(
    context: &Context<'_>,
    key: &ObjectKey,
    until: Option<Until>,
    timeout: Span,
) -> Result<Wait, Error> {
    let seconds = timeout.as_seconds();
    if seconds < 1 {
        return Err(Error::usage("a wait takes at least 1s"));
    }
    let body = json!({ "object": key, "until": until, "timeout_s": seconds });
    context.client.post("/waits", &body).await
}

/// Watches until the wait ends. A lost connection does not end it.
async fn watch(context: &mut Context<'_>, mut wait: Wait) -> Result<Wait, Error> {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let poll_s = if context.terminal.shows_progress() { WATCHED_POLL_S } else { POLL_S };
    let path = format!("/waits/{}?timeout={poll_s}", wait.id);
    let left = wait.deadline - context.client.now();
    let give_up = tokio::time::Instant::now() + left.std().saturating_add(GRACE);
    let mut failures = 0;
    let mut asked = false;
    while wait.phase.is_open() {
        let next = async {
            match failures {
                0 if asked => tokio::time::sleep(BREATH).await,
                0 => {}
                n => tokio::time::sleep(follow::pause(n)).await,
            }
            context.client.get::<Wait>(&path).await
        };
        let next = tokio::select! {
            next = next => next,
            _ = &mut interrupted => return Err(stopped_watching(&wait, &context.flags())),
            () = tokio::time::sleep_until(give_up) => return Err(out_of_sight(&wait, &context.flags())),
        };
        asked = true;
        match next {
            Ok(next) => {
                failures = 0;
                wait = next;
                context.terminal.progress(&format!("◔ {}", wait_line(&wait, context.client.now())));
            }
            Err(error) if error.is_transient() => {
                failures += 1;
                context.terminal.progress(&format!("◔ {} · {error}; trying again", wait.title));
            }
            Err(error) => return Err(error),
        }
    }
    context.terminal.clear_progress();
    Ok(wait)
}

/// Says how a wait ended, and makes that the end of the command.
pub(super) fn conclude(
    context: &mut Context<'_>,
    wait: &Wait,
    receipt: Option<&Receipt>,
    data: Value,
) -> Outcome {
    let took = wait.ended_at.map(|at| at - wait.created_at).unwrap_or_default().exact();
    let (exit, code, message) = match &wait.phase {
        WaitPhase::Converged => {
            if context.terminal.json() {
                context.terminal.document(&data)?;
            } else {
                context.terminal.say(format!("✓ converged: {} in {took}", wait.title))?;
            }
            return Ok(Exit::Done);
        }
        WaitPhase::TimedOut | WaitPhase::Waiting => {
            let limit = (wait.deadline - wait.created_at).exact();
            let text = format!("{} did not converge in {limit}; this may be temporary", wait.title);
            (Exit::Transient, "wait_timed_out", format!("{text}, and the change goes on"))
        }
        WaitPhase::Failed { reason } => {
            (Exit::Other, "wait_failed", format!("{} will not converge: {reason}", wait.title))
        }
        WaitPhase::Superseded { by } => {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let text = format!("desired state of {} was changed meanwhile{by}", wait.title);
            (Exit::Conflict, "wait_superseded", format!("{text}, so this wait no longer applies"))
        }
        WaitPhase::Stopped => {
            (Exit::Other, "wait_stopped", format!("somebody stopped the wait for {}", wait.title))
        }
    };
    let trace_id = receipt.map(|receipt| receipt.trace_id.to_string());
    Err(ended(exit, code, message, wait, trace_id, data, &context.flags()))
}

fn ended(
    exit: Exit,
    code: &'static str,
    message: String,
    wait: &Wait,
    trace_id: Option<String>,
    mut details: Value,
    flags: &str,
) -> Error {
    let hint = "look at these, in this order".to_owned();
    details["next"] = json!(next_of_wait(wait, flags));
    Error::Ended(Box::new(Ended { exit, code, message, hint, trace_id, details }))
}

fn stopped_watching(wait: &Wait, flags: &str) -> Error {
    let message = format!("stopped watching {}; the server keeps waiting as {}", wait.title, wait.id);
    ended(Exit::Other, "interrupted", message, wait, None, json!({ "wait": wait }), flags)
}

fn out_of_sight(wait: &Wait, flags: &str) -> Error {
    let message = format!("{} should have ended, and the server does not say how", wait.id);
    ended(Exit::Transient, "wait_timed_out", message, wait, None, json!({ "wait": wait }), flags)
}

/// `vt waits list`.
pub(super) async fn list(context: &mut Context<'_>, waits: &Waits) -> Outcome {
    let Waits::List { ended } = waits;
    let path = if *ended { "/waits" } else { "/waits?open=true" };
    let all: Vec<Wait> = context.client.get(path).await?;
    if context.terminal.json() {
        context.terminal.document(&all)?;
        return Ok(Exit::Done);
    }
    let now = context.client.now();
    let mut table = Table::new(&["ID", "PHASE", "WAITS FOR", "MET", "CLOCK", "OWNER"]);
    for wait in &all {
        let met = wait.items.iter().filter(|item| item.met).count();
        let clock = wait.ended_at.unwrap_or(now) - wait.created_at;
        table.row([
            plain(wait.id.as_str()),
            plain(wait.phase.as_str()),
            plain(&wait.title),
            plain(format!("{met}/{}", wait.items.len())),
            plain(format!("{} of {}", clock.running(), (wait.deadline - wait.created_at).running())),
            dim(&wait.owner),
        ]);
    }
    context.terminal.table(&table, "nobody waits for anything")?;
    Ok(Exit::Done)
}
