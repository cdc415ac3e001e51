//! `vt receipts list|describe`: what writes answered, and what became of it.

use model::{Receipt, ReceiptId, ReceiptPhase};
use serde_json::json;

use super::{Context, Outcome};
use crate::{
    args::Listing,
    error::{Error, Exit},
    output::{ReceiptDocument, Table, dim, plain, plan_page, receipt_lines},
    scope::{self, Wanted},
};

/// How many are listed unless told.
const LIMIT: u32 = 50;

/// `vt receipts …`.
pub(super) async fn run(context: &mut Context<'_>, listing: Listing) -> Outcome {
    match listing {
        Listing::List => list(context).await,
        Listing::Describe { id } => describe(context, &id).await,
    }
}

async fn list(context: &mut Context<'_>) -> Outcome {
    let limit = context.global.limit.unwrap_or(LIMIT);
    let place = match Wanted::of(context.global)?.is_empty() {
        true => String::new(),
        false => format!("&env={}", scope::env(&context.client, context.global).await?.target.env_id),
    };
    let receipts: Vec<Receipt> = context.client.get(&format!("/receipts?limit={limit}{place}")).await?;
    if context.terminal.json() {
        context.terminal.document(&receipts)?;
        return Ok(Exit::Done);
    }
    let now = context.client.now();
    let mut table = Table::new(&["ID", "WHAT", "PHASE", "ACCEPTED", "BY", "REASON"]);
    for receipt in &receipts {
        table.row([
            plain(receipt.id.as_str()),
            plain(receipt.title()),
            plain(receipt.phase.as_str()),
            plain((now - receipt.accepted_at).words()),
            plain(&receipt.actor),
            dim(&receipt.reason),
        ]);
    }
    context.terminal.table(&table, "nothing was changed yet")?;
    Ok(Exit::Done)
}

async fn describe(context: &mut Context<'_>, id: &str) -> Outcome {
    let id: ReceiptId = id.parse().map_err(|error: model::id::IdError| Error::usage(error.to_string()))?;
    let receipt: Receipt = context.client.get(&format!("/receipts/{id}")).await?;
    let flags = context.flags();
    if context.terminal.json() {
        let document = ReceiptDocument::new(&receipt, &flags);
        context.terminal.document(&json!({ "receipt": document, "record": receipt }))?;
        return Ok(Exit::Done);
    }
    plan_page(context.terminal, &receipt.plan)?;
    receipt_lines(context.terminal, &receipt, &flags)?;
    let Receipt { phase, phase_at, accepted_at, actor, reason, checked, .. } = &receipt;
    context.terminal.say(format!("accepted    {accepted_at} by {actor}"))?;
    if !reason.is_empty() {
        context.terminal.say(format!("reason      {reason}"))?;
    }
    let more = match phase {
        ReceiptPhase::Failed { reason } => format!(": {reason}"),
        ReceiptPhase::Superseded { by } => format!(" by {by}"),
        _ => String::new(),
    };
    context.terminal.say(format!("{:<12}{phase_at}{more}", phase.as_str()))?;
    let checked = checked.as_ref().map_or_else(
        || "by nobody; converged is not correct".to_owned(),
        |checked| format!("{} by {}", checked.at, checked.by),
    );
    context.terminal.say(format!("checked     {checked}"))?;
    Ok(Exit::Done)
}
