//! `vt releases list`: what there is to deploy and to roll back to, newest first.

use model::view::ReleaseRow;

use super::{Context, Outcome};
use crate::{
    error::Exit,
    output::{Table, dim, good, plain},
    scope,
};

/// `vt releases list`.
pub(super) async fn list(context: &mut Context<'_>) -> Outcome {
    let env = scope::env(&context.client, context.global).await?;
    let mut rows: Vec<ReleaseRow> =
        context.client.list(&format!("/envs/{}/releases", env.target.env_id)).await?;
    if let Some(limit) = context.global.limit {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if context.terminal.json() {
        context.terminal.document(&rows)?;
        return Ok(Exit::Done);
    }
    let now = context.client.now();
    let mut table = Table::new(&["RELEASE", "DESIRED", "RUNNING", "CREATED", "BY", "CONVERGED", "ID"]);
    for ReleaseRow { release, desired, running, action: _ } in &rows {
        let converged = match (release.converged_at, release.held_until) {
            (None, _) => dim("never"),
            (Some(_), None) => good("✓ holds"),
            (Some(_), Some(until)) => plain(format!("until {} ago", (now - until).words())),
        };
        table.row([
            plain(release.name()),
            plain(if *desired { "desired" } else { "" }),
            plain(running.to_string()),
            plain((now - release.created_at).words()),
            plain(&release.created_by),
            converged,
            plain(release.id.as_str()),
        ]);
    }
    context.terminal.table(&table, &format!("{} has no release", env.target.title()))?;
    Ok(Exit::Done)
}
