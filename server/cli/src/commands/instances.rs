//! `vt instances list`: every copy that runs, and every one that should.

use model::view::EnvView;

use super::{Context, Outcome};
use crate::{
    error::Exit,
    output::{Table, dim, plain, verdict},
    scope,
};

/// `vt instances list`.
pub(super) async fn list(context: &mut Context<'_>) -> Outcome {
    let env = scope::env(&context.client, context.global).await?;
    let view: EnvView = context.client.get(&format!("/envs/{}", env.target.env_id)).await?;
    if context.terminal.json() {
        context.terminal.document(&view.instances)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "PROCESS", "RELEASE", "VERDICT", "STATE", "STARTS", "WHY", "ID"]);
    for row in &view.instances {
        table.row([
            plain(&row.name),
            plain(&row.process),
            plain(&row.release),
            verdict(row.verdict),
            plain(&row.state),
            plain(row.starts.to_string()),
            plain(&row.text),
            row.object.as_ref().map_or_else(|| dim("not started"), |key| plain(key.id())),
        ]);
    }
    context.terminal.table(&table, &format!("{} wants no instances and has none", env.target.title()))?;
    Ok(Exit::Done)
}
