//! `vt describe KIND ID`, and the lists of kinds that have no columns of their own.

use model::{ObjectKind, view::ObjectView};

use super::{Context, Outcome};
use crate::{
    args::Listing,
    error::Exit,
    output::{Table, dim, object_page, plain, verdict},
    scope,
};

/// Everything about one object.
pub(super) async fn run(context: &mut Context<'_>, kind: &ObjectKind, id: &str) -> Outcome {
    let key = scope::object(&context.client, context.global, kind, id).await?;
    let view: ObjectView = context.client.get(&scope::object_path(&key)).await?;
    if context.terminal.json() {
        context.terminal.document(&view)?;
    } else {
        object_page(context.terminal, &view, context.client.now())?;
    }
    Ok(Exit::Done)
}

/// `vt endpoints list`, `vt volumes describe ID`, and so on.
pub(super) async fn listing(context: &mut Context<'_>, kind: &str, listing: Listing) -> Outcome {
    let kind: ObjectKind = kind.parse().expect("the caller names kinds in lower case");
    if let Listing::Describe { id } = listing {
        return run(context, &kind, &id).await;
    }
    let env = scope::env(&context.client, context.global).await?;
    let rows = scope::objects(&context.client, &kind, Some(&env.target)).await?;
    if context.terminal.json() {
        context.terminal.document(&rows)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "VERDICT", "SINCE", "WHAT", "ID"]);
    let now = context.client.now();
    for scope::Judged { object, judgement } in &rows {
        let said = judgement.as_ref();
        table.row([
            plain(&object.name),
            said.map_or_else(|| dim("not judged yet"), |said| verdict(said.verdict)),
            plain(said.map(|said| (now - said.since).words()).unwrap_or_default()),
            plain(said.map(|said| said.sentence.as_str()).unwrap_or_default()),
            plain(object.key.id()),
        ]);
    }
    context.terminal.table(&table, &format!("{} has no {kind}", env.target.title()))?;
    Ok(Exit::Done)
}
