//! `vt status`: whether it converges, and if not, why. Without an app and an env, all of them in one table.

use model::{
    ObjectKind, Verdict,
    view::{EnvView, Overview},
};

use super::{Context, Outcome};
use crate::{
    args::All,
    error::{Error, Exit},
    output::{Table, bad, gap_notes, gap_table, judgement_line, plain, strong, verdict, warn},
    scope::{self, Wanted},
};

/// `vt status`.
pub(super) async fn run(context: &mut Context<'_>, all: &All) -> Outcome {
    if all.all || Wanted::of(context.global)?.is_empty() {
        return overview(context).await;
    }
    let env = scope::env(&context.client, context.global).await?;
    let view: EnvView = context.client.get(&format!("/envs/{}", env.target.env_id)).await?;
    if context.terminal.json() {
        context.terminal.document(&view)?;
        return Ok(Exit::Done);
    }
    page(context, &view).await?;
    Ok(Exit::Done)
}

async fn page(context: &mut Context<'_>, view: &EnvView) -> Result<(), Error> {
    let now = context.client.now();
    judgement_line(context.terminal, &view.judgement, now)?;
    if let Some(since) = view.stale_since {
        context
            .terminal
            .line(&[warn(format!("its source is silent since {since}; this is what was last known"))])?;
    }
    context.terminal.table(&gap_table(&view.gap), "nothing is declared")?;
    let endpoints = endpoints(context, view).await?;
    let terminal = &mut *context.terminal;
    let running = view.instances.iter().filter(|row| row.state == "running").count();
    let wanted = view.instances.iter().filter(|row| row.state != "stopping").count();
    let observed = view.gap.observed_generation.map_or_else(|| "not reported".to_owned(), |n| n.to_string());
    terminal.say(format!("instances       {running} running of {wanted}"))?;
    terminal.say(format!("endpoints       {endpoints}"))?;
    terminal.say(format!("generation      {} (observed {observed})", view.gap.generation))?;
    let last = view
        .last_reconcile_at
        .map_or_else(|| "never".to_owned(), |at| format!("{} ({})", at.clock(), (now - at).words()));
    terminal.say(format!("last reconcile  {last}"))?;
    if let Some(error) = &view.last_reconcile_error {
        terminal.line(&[bad(format!("last error      {error}"))])?;
    }
    for wait in &view.waits {
        terminal.say(format!("wait {}  {}", wait.id, crate::output::wait_line(wait, now)))?;
    }
    gap_notes(terminal, &view.gap)
}

/// `2: 1 ✓ Converged, 1 ◔ Converging`.
async fn endpoints(context: &Context<'_>, view: &EnvView) -> Result<String, Error> {
    let kind: ObjectKind = "endpoint".parse().expect("a lower-case word");
    let all = scope::objects(&context.client, &kind, Some(&view.target)).await?;
    if all.is_empty() {
        return Ok("none".to_owned());
    }
    let of = |row: &scope::Judged| row.judgement.as_ref().map_or(Verdict::Unknown, |said| said.verdict);
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, all.iter().filter(|row| of(row) == verdict).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(verdict, n)| format!("{n} {} {}", verdict.glyph(), verdict.word()))
        .collect();
    Ok(format!("{}: {}", all.len(), counts.join(", ")))
}

async fn overview(context: &mut Context<'_>) -> Outcome {
    let view: Overview = context.client.get("/overview").await?;
    if context.terminal.json() {
        context.terminal.document(&view)?;
        return Ok(Exit::Done);
    }
    let now = context.client.now();
    context.terminal.line(&[strong(&view.sentence)])?;
    let mut table = Table::new(&["APP/ENV", "VERDICT", "SINCE", "DESIRED", "CURRENT", "WHAT"]);
    for row in &view.rows {
        table.row([
            plain(row.target.title()),
            verdict(row.judgement.verdict),
            plain((now - row.judgement.since).words()),
            plain(&row.desired),
            plain(&row.current),
            plain(&row.judgement.sentence),
        ]);
    }
    context
        .terminal
        .table(&table, "nothing is declared here; `vt apply -f vantage.yaml` makes a first release")?;
    let left = view.counts.total.saturating_sub(u32::try_from(view.rows.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let words = format!("and {left} more that ask for less; `vt status APP/ENV` shows one");
        context.terminal.line(&[plain(words)])?;
    }
    Ok(Exit::Done)
}
