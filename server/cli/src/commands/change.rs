//! Every change goes one way: plan, confirm, act, receipt, and wait where that was asked for.
//!
//! The server makes the plan and checks on confirmation that it still holds; nothing is decided here.

use model::{EnvRef, Plan, Receipt, Verb, plan::Ask};
use serde_json::json;

use super::{Context, Outcome, wait};
use crate::{
    args::Change,
    error::{Ended, Error, Exit},
    output::{ReceiptDocument, plan_page, receipt_lines},
    scope,
};

/// Changes the env that the flags mean.
pub(super) async fn here(context: &mut Context<'_>, verb: Verb, ask: Ask, change: &Change) -> Outcome {
    let env = scope::env(&context.client, context.global).await?;
    run(context, &env.target, verb, ask, change).await
}

/// Changes this env.
pub(super) async fn run(
    context: &mut Context<'_>,
    target: &EnvRef,
    verb: Verb,
    ask: Ask,
    change: &Change,
) -> Outcome {
    let path = |what: &str| format!("/envs/{}/{what}/{}", target.env_id, verb.as_str());
    let plan: Plan = context.client.post(&path("plans"), &ask).await?;
    if change.plan {
        return show(context, &plan);
    }
    if !context.terminal.json() {
        plan_page(context.terminal, &plan)?;
    }
    refuse_blocked(&plan)?;
    confirm(context, &plan, change)?;
    let body = json!({
        "ask": plan.ask,
        "generation": plan.expected_generation,
        "plan_hash": plan.hash,
        "reason": change.reason,
        "wait_s": change.wait.map(model::Span::as_seconds),
    });
    let receipt: Receipt = context.client.post(&path("actions"), &body).await?;
    finish(context, &receipt, change).await
}

/// Prints a plan that will not be carried out; a blocked one ends like the refusal that it foretells.
pub(super) fn show(context: &mut Context<'_>, plan: &Plan) -> Outcome {
    if context.terminal.json() {
        context.terminal.document(&json!({ "plan": plan }))?;
    } else {
        plan_page(context.terminal, plan)?;
    }
    Ok(if plan.blocked().is_some() { Exit::Conflict } else { Exit::Done })
}

/// Prints the receipt of a change, and waits for it where that was asked for.
pub(super) async fn finish(context: &mut Context<'_>, receipt: &Receipt, change: &Change) -> Outcome {
    let flags = context.flags();
    if !context.terminal.json() {
        receipt_lines(context.terminal, receipt, &flags)?;
        context.terminal.flush()?;
    }
    let document = ReceiptDocument::new(receipt, &flags);
    let Some(timeout) = change.wait else {
        if context.terminal.json() {
            context.terminal.document(&json!({ "receipt": document }))?;
        }
        return Ok(Exit::Done);
    };
    let ended = wait::of_receipt(context, receipt, timeout).await?;
    wait::conclude(context, &ended, Some(receipt), json!({ "receipt": document, "wait": ended }))
}

fn refuse_blocked(plan: &Plan) -> Result<(), Error> {
    let Some(reason) = plan.blocked() else { return Ok(()) };
    Err(Error::Ended(Box::new(Ended {
        exit: Exit::Conflict,
        code: "plan_blocked",
        message: format!("this plan cannot be confirmed: {reason}"),
        hint: "--plan shows the whole plan".to_owned(),
        trace_id: None,
        details: json!({ "plan": plan }),
    })))
}

/// What destroys data is confirmed by `--yes` or by typing its name.
fn confirm(context: &mut Context<'_>, plan: &Plan, change: &Change) -> Result<(), Error> {
    let name = match (&plan.type_to_confirm, plan.verb) {
        _ if change.yes => return Ok(()),
        (Some(name), _) => name.clone(),
        (None, Verb::Delete) => plan.target.app.clone(),
        (None, _) => return Ok(()),
    };
    match context.terminal.ask(&format!("Type {name} to confirm:")) {
        Some(answer) if answer == name => Ok(()),
        Some(_) => Err(Error::usage("not confirmed, nothing was changed")),
        None => Err(Error::usage_with(
            format!(
                "{} has to be confirmed, and nobody can be asked here; nothing was changed",
                plan.confirm
            ),
            "--yes confirms it",
        )),
    }
}
